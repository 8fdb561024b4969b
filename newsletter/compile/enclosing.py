"""Pictures that travel inside the message, where the publication wants that: which, and how its HTML names them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

from newsletter.compile.edition import Asset, Edition, Enclosure
from newsletter.compile.slots import Program
from newsletter.config import Settings

_MEDIA_TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".gif": "image/gif"}


def enclosing(edition: Edition, settings: Settings) -> Edition:
    """`edition` with the bytes of every picture that its mail shows, if `[theme] images = "inline"` asks for it.

    Pages on the web show those of the site in either case.
    """
    if settings.theme.images != "inline":
        return edition
    site = settings.publication.url
    host = site.partition("://")[2].partition("/")[0].partition(":")[0]
    variants, enclosed = list(edition.variants), []
    for asset in edition.assets:
        linked, name = f'src="{site}/{asset.path}"', f"{asset.digest[:32]}@{host}"
        if not any(linked in literal for variant in variants for literal in variant.html.literals):
            continue
        variants = [replace(each, html=_replaced(each.html, linked, f'src="cid:{name}"')) for each in variants]
        enclosed.append(_enclosure(asset, name))
    return replace(edition, variants=tuple(variants), enclosed=tuple(enclosed))


def _replaced(program: Program, old: str, new: str) -> Program:
    return Program(tuple(literal.replace(old, new) for literal in program.literals), program.slots)


def _enclosure(asset: Asset, name: str) -> Enclosure:
    kind = _MEDIA_TYPES[PurePosixPath(asset.path).suffix]
    return Enclosure(id=name, path=asset.path, media_type=kind, data=asset.source.read_bytes())

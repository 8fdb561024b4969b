"""Edition -> the files of build/SLUG/: for a person to look at before sending, with a specimen reader’s values."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import quote

from newsletter.compile.addresses import STYLE
from newsletter.compile.edition import AudienceVariant, Edition
from newsletter.compile.slots import specimen_html, specimen_text
from newsletter.replacing import replacing

MANIFEST = "manifest.json"
PREVIEW = "preview.html"


def write_build(edition: Edition, folder: Path, *, site: str, style: str, commit: str | None) -> dict[str, Any]:
    """Write email.html, email.txt, email.mjml, web/, manifest.json and preview.html to `folder`, whole or not at all;
    for readers with tags that the issue asks for, email.pro.html and so on beside them.

    `site` is the address of the archive, where mail finds its pictures; in preview.html, which is the email otherwise,
    they are those in web/, since nothing is published yet. `style` is the site's style sheet. Returns the manifest:
    {id, slug, number, hash, content_digest, commit, files, sizes}, sizes in bytes. Raises ConfigError where `folder`
    holds files that we did not make.
    """
    with replacing(folder) as draft:
        files = _files(edition, site, style)
        for name, text in files.items():
            _written(draft / name).write_text(text, "utf-8")
        for asset in edition.assets:
            shutil.copyfile(asset.source, _written(draft / "web" / asset.path))
        names = sorted([*files, *(f"web/{asset.path}" for asset in edition.assets)])
        manifest = {
            "id": edition.issue_id,
            "slug": edition.slug,
            "number": edition.number,
            "hash": edition.hash,
            "content_digest": edition.content_digest,
            "commit": commit,
            "files": names,
            "sizes": {name: (draft / name).stat().st_size for name in names},
        }
        (draft / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return manifest


def built_hash(folder: Path) -> str | None:
    """The edition hash of the build in `folder`, if there is one."""
    try:
        return str(json.loads((folder / MANIFEST).read_text("utf-8"))["hash"])
    except (OSError, ValueError, KeyError):
        return None


def _files(edition: Edition, site: str, style: str) -> dict[str, str]:
    files = {"email.mjml": edition.mjml, f"web/{STYLE}": style}
    for variant in edition.variants:
        html, named = variant.html.fill(specimen_html), _name_of(variant)
        files[f"email{named}.html"] = html
        files[f"preview{named}.html"] = _with_pictures_from(html, edition, site)
        files[f"email{named}.txt"] = variant.text.fill(specimen_text)
    return files | {f"web/{page.path}": page.html for page in edition.pages}


def _name_of(variant: AudienceVariant) -> str:
    """What files of a variant are called behind `email`: nothing, or the tags of those who get it, as in `.pro+vip`."""
    tags = [quote(condition.removeprefix("tag="), safe="") for condition, holds in variant.conditions if holds]
    return f".{'+'.join(tags)}" if tags else ""


def _with_pictures_from(html: str, edition: Edition, site: str) -> str:
    """`html` with the pictures in web/, those too that travel inside the message."""
    for enclosure in edition.enclosed:
        html = html.replace(f'src="cid:{enclosure.id}"', f'src="web/{enclosure.path}"')
    return html.replace(f'src="{site}/images/', 'src="web/images/')


def _written(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path

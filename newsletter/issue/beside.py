"""What lies beside an article's text and belongs to it: the pictures that it shows, the files in files/ it links to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote

from newsletter.errors import Collected, ContentError, Place
from newsletter.issue.blocks import FILES, Block, Figure, Prose, walk
from newsletter.issue.model import Issue
from newsletter.issue.prose import Image, Inline, Link, Tight, inlines_of
from newsletter.workspace import Workspace

REMOTE = ("https://", "http://")
"""How the address of a picture begins that lies elsewhere on the web."""

_LINKS = ("url", "link", "source")


def texts_of(issue: Issue) -> Iterator[tuple[Block, ...]]:
    """All that is written in `issue`, in every language: the blocks of each text, an article's lead picture apart."""
    yield issue.opening
    for article in issue.articles:
        for version in (article, *article.translations):
            yield (version.lead,) if version.lead else ()
            yield version.blocks
    yield issue.closing


def pictures(blocks: tuple[Block, ...]) -> Iterator[tuple[str, Place]]:
    """The address of every picture that `blocks` show, and the place where it is shown: it lies beside that file."""
    for block in walk(blocks):
        shown = (block.src, block.dark) if isinstance(block, Figure) else (getattr(block, "image", None),)
        yield from ((src, block.place) for src in shown if src)
        yield from ((child.src, child.place) for child in _inlines(block) if isinstance(child, Image))


def links(blocks: tuple[Block, ...]) -> Iterator[tuple[str, Place]]:
    """The target of every link in `blocks`, in running text or as a directive's argument, and its place."""
    for block in walk(blocks):
        yield from ((target, block.place) for name in _LINKS if (target := getattr(block, name, None)))
        yield from ((child.url, child.place) for child in _inlines(block) if isinstance(child, Link))


def files(blocks: tuple[Block, ...]) -> Iterator[tuple[str, Place]]:
    """The links in `blocks` that lead to a file in files/, beside the text that holds them."""
    return ((target, where) for target, where in links(blocks) if target.startswith(FILES))


def file_of(target: str, where: Place) -> Path:
    """The file that the link `target` in the text at `where` leads to."""
    return where.path.parent / unquote(target.partition("#")[0])


def picture_of(src: str, where: Place) -> Path:
    """The file of the picture that is shown as `src` in the text at `where`; spaces in it may be written as %20."""
    path = where.path.parent / src
    return path if _is_there(path) else where.path.parent / unquote(src)


def beside(issue: Issue) -> set[Path]:
    """Where the pictures and files that `issue` names lie, and where such as would stand before them would."""
    texts = list(texts_of(issue))
    shown = {(where.path.parent, src) for blocks in texts for src, where in pictures(blocks)}
    local = {(folder, src) for folder, src in shown if not src.startswith(REMOTE)}
    linked = {file_of(target, where) for blocks in texts for target, where in files(blocks)}
    return {folder / name for folder, src in local for name in (src, unquote(src))} | linked


def check_beside(workspace: Workspace, blocks: tuple[Block, ...], problems: Collected) -> None:
    """Report the pictures and files of `blocks` that are not there, or lie outside the workspace."""
    for src, where in pictures(blocks):
        if not src.startswith(REMOTE):
            _check(workspace, picture_of(src, where), src, where, problems)
    for target, where in files(blocks):
        _check(workspace, file_of(target, where), target, where, problems)


def _check(workspace: Workspace, path: Path, said: str, where: Place, problems: Collected) -> None:
    try:
        there = workspace.inside(path, where, said).is_file()
    except ContentError as error:
        problems.extend(error.problems)
        return
    except (OSError, ValueError, RuntimeError):  # too long, a null byte, a loop of symlinks
        there = False
    said = said if len(said) < 100 else f"{said[:99]}…"
    if said.startswith(FILES) and ".." in path.parts:
        problems.add(f"{said} leaves files/", hint="put the file there: what lies there is published", where=where)
    elif not there:
        kind, folder = ("file", "files") if said.startswith(FILES) else ("picture", "images")
        problems.add(f"the {kind} {said} is not there", hint=_hint(where.path.parent, folder), where=where)


def _is_there(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError, RuntimeError):  # too long, a null byte, a loop of symlinks
        return False


def _hint(beside: Path, folder: str) -> str:
    names = sorted(str(path.relative_to(beside)) for path in beside.glob(f"{folder}/*"))
    kind = "files" if folder == "files" else "pictures"
    return f"there are: {', '.join(names)}" if names else f"{kind} lie in the issue’s folder, under {folder}/"


def _inlines(block: Block) -> Iterable[Inline]:
    return inlines_of(block.nodes if isinstance(block, Prose) else (Tight(getattr(block, "line", ())),))

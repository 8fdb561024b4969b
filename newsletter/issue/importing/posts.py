"""Posts of another service's archive -> issue folders, each holding one article: whole or not at all, never twice."""

from __future__ import annotations

import datetime
import secrets
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from newsletter.errors import ContentError, Place, Problem
from newsletter.issue.importing.article import Imported, imported
from newsletter.issue.importing.draft import Draft
from newsletter.issue.importing.writing import write_article
from newsletter.issue.load import new_id, number_of
from newsletter.issue.sent import Sent, write_sent
from newsletter.issue.slug import slugify
from newsletter.issue.survey import read_catalogue
from newsletter.workspace import Workspace


class State(StrEnum):
    """How far a post had come where it is from."""

    SENT = "sent"
    PUBLISHED = "published"
    DRAFT = "draft"


@dataclass(frozen=True, slots=True)
class Post:
    """One post of an archive. `read` gives its article when it is wanted, and raises ContentError where it cannot.

    `said` is what the writer should know of it, in words; `file` the text that the lines of the draft's repairs are of,
    where the post is a file of its own.
    """

    slug: str
    title: str
    date: datetime.date | None
    state: State
    read: Callable[[], Draft]
    subject: str = ""
    preheader: str = ""
    said: tuple[str, ...] = ()
    file: Path | None = None


@dataclass(frozen=True, slots=True)
class Brought:
    """What became of a post: the `folder` that holds it and its `article`; no article where the folder was there
    before, no folder where the post could not be read, for the reason in `problems`."""

    post: Post
    folder: Path | None = None
    article: Imported | None = None
    problems: tuple[Problem, ...] = field(default=())


def bring(
    workspace: Workspace,
    posts: Iterable[Post],
    *,
    service: str = "another service",
    keep: Collection[str] = (),
    complete: Callable[[Imported], Imported] = lambda article: article,
) -> Iterator[Brought]:
    """Make a folder issues/NUMBER-SLUG for each of `posts`, the oldest first, numbered on from what is there.

    What was public with `service` has a record that says so: it is part of the archive, and `send` refuses it. A post
    whose slug is an issue's or an article's already is left alone. `keep` names the repairs that are not to be
    made; `complete` is done to an article before it is written. Raises ContentError where nothing can be written.
    """
    lang = workspace.settings.publication.language
    folders = workspace.issue_folders()
    taken = {slug: entry.file.parent for slug, entry in read_catalogue(workspace).articles.items()}
    taken |= {folder.name.partition("-")[2] or folder.name: folder for folder in folders}
    number = max([0, *map(number_of, folders)])
    for slug, post in _named(posts):
        if slug in taken:
            yield Brought(post, taken[slug])
            continue
        try:
            article = complete(imported(post.read(), {"title": post.title, "slug": slug}, slug, lang, keep))
        except ContentError as error:
            yield Brought(post, problems=error.problems)
            continue
        number += 1
        taken[slug] = folder = workspace.issues / f"{number}-{slug}"
        id = new_id()
        _write(workspace, folder, _issue(post, number, id), article, _record(post, id, folder.name, service))
        yield Brought(post, folder, article)


def _named(posts: Iterable[Post]) -> Iterator[tuple[str, Post]]:
    """The posts in the order of their dates, drafts without one last, each with a slug that no other has."""
    given: set[str] = set()
    for post in sorted(posts, key=lambda post: (post.date or datetime.date.max, post.slug)):
        plain = slugify(post.slug)
        slug, number = plain, 1
        while slug in given:
            number += 1
            slug = f"{plain}-{number}"
        given.add(slug)
        yield slug, post


def _issue(post: Post, number: int, id: str) -> str:
    front: dict[str, Any] = {
        "id": id,
        "number": number,
        "title": post.title,
        "subject": post.subject or post.title,
        "preheader": post.preheader,
    }
    if post.date:
        front["date"] = post.date
    header = yaml.safe_dump(front, allow_unicode=True, sort_keys=False, width=10_000)
    return f"---\n{header}---\n\n<!-- articles -->\n"


def _record(post: Post, id: str, slug: str, service: str) -> Sent | None:
    """What says that a post was public; None for a draft."""
    if post.state is State.DRAFT:
        return None
    noon = datetime.datetime.combine(post.date or datetime.date.today(), datetime.time(12), datetime.UTC)
    none = {"selected": 0, "accepted": 0, "failed": 0, "excluded": {}, "uncertain": 0, "waiting": 0}
    return Sent(id=id, slug=slug, hash="", content_digest="", commit=None, time=noon, provider=service, balance=none)


def _write(workspace: Workspace, folder: Path, issue: str, article: Imported, record: Sent | None) -> None:
    """The folder is made under another name beside issues/, and gets its own when it is complete."""
    hidden = workspace.root / f".import-{secrets.token_hex(8)}"
    try:
        hidden.mkdir()
        (hidden / "issue.md").write_text(issue, "utf-8", newline="\n")
        write_article(hidden, article)
        if record:
            write_sent(hidden, record)
        folder.parent.mkdir(exist_ok=True)
        hidden.rename(folder)  # fails where somebody else's files are
    except OSError as error:
        raise ContentError(f"{folder.name} cannot be written: {error.strerror}", where=Place(folder.parent)) from error
    finally:
        shutil.rmtree(hidden, ignore_errors=True)

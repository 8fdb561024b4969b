"""Front matter of all folders -> Catalogue, without reading the articles, so that one issue can name the others.

A file that cannot be read is left out here; whoever loads its issue is told why.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from pathlib import Path

from newsletter.errors import ContentError
from newsletter.issue.catalogue import ArticleEntry, Catalogue, IssueEntry, Reference
from newsletter.issue.front import Document, read_document
from newsletter.issue.markdown import literal_spans
from newsletter.issue.sent import read_sent
from newsletter.workspace import Workspace

LEADING_NUMBER = re.compile(r"^(\d+)-")
_TRANSLATION = re.compile(r"(?P<stem>.+)\.(?P<lang>[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)")
_REFERENCE = re.compile(
    r"""(?: < (?P<angled>(?:article|issue):[^<>\n]+) >
          | =" (?P<quoted>(?:article|issue):[^"\n]+) "
          | (?: \]\( | \]:[ \t]* | = ) (?P<bare>(?:article|issue):[^\s()<>"]+) )""",
    re.VERBOSE,
)


def read_catalogue(workspace: Workspace) -> Catalogue:
    """The catalogue of `workspace` as its folders stand now."""
    reading = _Reading(workspace.settings.publication.language)
    for folder in workspace.issue_folders():
        reading.issue(folder)
    return Catalogue(tuple(reading.issues), reading.articles, tuple(reading.references), tuple(reading.doubles))


def article_files(folder: Path) -> list[Path]:
    """The files of an issue's articles, translations left out, in their order."""
    return sorted(path for path in folder.glob("*.md") if path.name != "issue.md" and not translation_of(path))


def translations(path: Path) -> dict[str, Path]:
    """The files beside the article `path` that hold it in other languages, by language: 01-x.zh.md beside 01-x.md."""
    beside = ((translation_of(other), other) for other in sorted(path.parent.glob(f"{_glob(path.stem)}.*.md")))
    return {said[1]: other for said, other in beside if said and said[0] == path.stem}


def translation_of(path: Path) -> tuple[str, str] | None:
    """The name (without .md) of the article that the file `path` translates, and the language."""
    found = _TRANSLATION.fullmatch(path.stem)
    return (found["stem"], found["lang"]) if found else None


def is_language(tag: str) -> bool:
    """Whether `tag` begins with a language that there is, by the list of Unicode’s CLDR."""
    from babel import Locale

    return tag.partition("-")[0].lower() in Locale("en").languages


def slug_of(path: Path, said: object) -> str:
    """An article's slug: what its front matter says, otherwise its file's name without the number."""
    return str(said) if said else LEADING_NUMBER.sub("", path.stem)


class _Reading:
    """The catalogue while folders are read."""

    def __init__(self, language: str) -> None:
        self._language = language
        self.issues: list[IssueEntry] = []
        self.articles: dict[str, ArticleEntry] = {}
        self.references: list[Reference] = []
        self.doubles: list[tuple[str, Path]] = []

    def issue(self, folder: Path) -> None:
        document = self._read(folder / "issue.md")
        values = document.values if document else {}
        lang = str(values.get("lang") or self._language)
        slugs = [slug for path in article_files(folder) if (slug := self._article(path, lang))]
        if document is None:
            return
        number, date, id = values.get("number"), values.get("date"), str(values.get("id", ""))
        sent_as = _sent_as(folder, id)
        self.issues.append(
            IssueEntry(
                id=id,
                folder=folder.name,
                slug=sent_as or folder.name,
                number=number if isinstance(number, int) else None,
                title=str(values.get("title", "")),
                lang=lang,
                list=str(values.get("list") or "main"),
                date=date if isinstance(date, datetime.date) else None,
                sent=sent_as is not None,
                articles=tuple(slugs),
            )
        )

    def _article(self, path: Path, lang: str) -> str | None:
        document = self._read(path)
        if document is None:
            return None
        if "article" in document.values:
            return str(document.values["article"])
        slug = slug_of(path, document.values.get("slug"))
        titles = {str(document.values.get("lang") or lang): str(document.values.get("title", ""))}
        for other, file in translations(path).items():
            translated = self._read(file)
            titles[other] = str(translated.values.get("title", "")) if translated else ""
        if slug in self.articles:
            self.doubles.append((slug, path))
        else:
            self.articles[slug] = ArticleEntry(slug=slug, file=path, titles=titles)
        return slug

    def _read(self, path: Path) -> Document | None:
        try:
            document = read_document(path)
        except ContentError:
            return None
        self.references += _references(document)
        return document


def _references(document: Document) -> Iterable[Reference]:
    text = document.body.text
    if "article:" not in text and "issue:" not in text:
        return
    literal = literal_spans(text)
    for found in _REFERENCE.finditer(text):
        if not any(start <= found.start() < end for start, end in literal):
            kind, _, name = found[found.lastgroup or ""].partition(":")
            yield Reference(kind, name, document.body.place(found.start(found.lastgroup or "")))


def _sent_as(folder: Path, id: str) -> str | None:
    """The slug under which the issue in `folder` was sent; None for a draft."""
    try:
        sent = read_sent(folder)
    except ContentError:
        return folder.name  # what it says is not to be understood, and there would be no file if it had not been sent
    return (sent.slug or folder.name) if sent and sent.id == id else None


def _glob(stem: str) -> str:
    return re.sub(r"([\[*?])", r"[\1]", stem)

"""Folder -> Issue. The only file that knows how an issue lies on disk; every fault has file, line and column."""

from __future__ import annotations

import re
import secrets
from dataclasses import replace
from pathlib import Path
from typing import Any

from newsletter.config import Settings
from newsletter.errors import Collected, ContentError, Place, did_you_mean
from newsletter.issue.beside import check_beside
from newsletter.issue.blocks import Block, Figure
from newsletter.issue.catalogue import Catalogue
from newsletter.issue.front import (
    AgainFront,
    ArticleFront,
    Document,
    IssueFront,
    TranslationFront,
    read_document,
    validated,
)
from newsletter.issue.markdown import Parsed, code_spans, parse, parse_nodes
from newsletter.issue.model import Article, EmailForm, Erratum, Issue
from newsletter.issue.prose import Inline, InlineHtml, Paragraph, Text, inlines_of
from newsletter.issue.slots import FACTS, Vocabulary, edits
from newsletter.issue.source import Source
from newsletter.issue.survey import LEADING_NUMBER, article_files, is_language, read_catalogue, slug_of, translations
from newsletter.workspace import Workspace

SUBSCRIBER_FIELDS = ("email", "first_name", "last_name", "name")
_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
_ID_LINE = re.compile(r"^id:[ \t]*[\"']?([0-9a-z]+)", re.MULTILINE)
_NUMBER_LINE = re.compile(r"^number:[ \t]*(\d+)", re.MULTILINE)


def new_id() -> str:
    """A permanent id for an issue: 12 characters."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(12))


def vocabulary(settings: Settings) -> Vocabulary:
    """The names that a writer may use between `{{` and `}}`."""
    fields = (*SUBSCRIBER_FIELDS, *settings.subscribers.fields)
    publication = settings.publication
    return Vocabulary(
        (*(f"subscriber.{field}" for field in fields), "links.unsubscribe", "links.preferences", *FACTS),
        {
            "publication.name": publication.name,
            "publication.url": publication.url,
            "publication.cadence": publication.cadence,
            "publication.newsletters": str(max(1, len(settings.lists))),
        },
    )


def find_issue(workspace: Workspace, name: str) -> Path:
    """The folder of an issue named by folder, number, slug or id; raises ContentError."""
    folders = workspace.issue_folders()
    path = Path(name)
    if (path / "issue.md").is_file():
        return workspace.inside(path, Place(path))
    matches = [folder for folder in folders if name in _names(folder)]
    matches = matches or [folder for folder in folders if name == _said(folder, _NUMBER_LINE)]
    if len(matches) > 1:
        raise ContentError(f"`{name}` names {len(matches)} issues: {', '.join(f.name for f in matches)}")
    if not matches:
        raise ContentError(f"there is no issue `{name}`", hint=workspace.nearest_issue(name))
    return matches[0]


def latest_issue(workspace: Workspace) -> Path:
    """The folder of the issue with the highest number; raises ContentError when there is none."""
    folders = workspace.issue_folders()
    if not folders:
        raise ContentError(f"there is no issue in {workspace.issues}", hint='newsletter new "A first issue"')
    return max(folders, key=lambda folder: (number_of(folder), folder.name))


def number_of(folder: Path) -> int:
    """The number that a folder's name begins with; -1 without one."""
    found = LEADING_NUMBER.match(folder.name)
    return int(found[1]) if found else -1


def _names(folder: Path) -> set[str]:
    names = {folder.name, LEADING_NUMBER.sub("", folder.name), issue_id(folder)}
    found = LEADING_NUMBER.match(folder.name)
    return names | ({found[1], str(int(found[1]))} if found else set())


def issue_id(folder: Path) -> str:
    """The id that issue.md says, found without reading the rest; empty where there is none."""
    return _said(folder, _ID_LINE)


def _said(folder: Path, line: re.Pattern[str]) -> str:
    try:
        head = (folder / "issue.md").read_text("utf-8", errors="replace")[:4000]
    except OSError:
        return ""
    found = line.search(head)
    return found[1] if found else ""


def load_issue(workspace: Workspace, folder: Path, catalogue: Catalogue | None = None) -> Issue:
    """Read the issue in `folder`; raises one ContentError with all that is wrong, by file and line.

    `catalogue` is that of the workspace, for those who load many issues; it is read where it is left out.
    """
    return _Loading(workspace, folder, catalogue or read_catalogue(workspace)).issue()


class _Loading:
    """One issue being read: the faults found so far, and what its text may refer to."""

    def __init__(self, workspace: Workspace, folder: Path, catalogue: Catalogue) -> None:
        self._workspace = workspace
        self._folder = folder
        self._catalogue = catalogue
        self._words = vocabulary(workspace.settings)
        self._problems = Collected()

    def issue(self) -> Issue:
        where = Place(self._folder)
        self._workspace.inside(self._folder, where)
        document = self._read(self._folder / "issue.md")
        front = self._issue_front(document) if document else None
        articles = self._articles(front.lang if front else None)
        if document and front:
            self._refuse_second_id(front.id, document.place("id"))
            opening, closing = self._around_articles(document)
            issue = Issue(
                id=front.id,
                slug=self._page(document),
                number=front.number,
                title=front.title,
                subjects=tuple(self._slotted(document, "subject", text) for text in front.subject if text),
                preheader=self._slotted(document, "preheader", front.preheader),
                date=front.date,
                hook=front.hook,
                sender=front.sender,
                lang=front.lang or self._workspace.settings.publication.language,
                list=front.list,
                audience=front.audience,
                errata=tuple(Erratum(erratum.date, erratum.text) for erratum in front.errata),
                opening=opening,
                articles=articles,
                closing=closing,
                catalogue=self._catalogue,
                folder=self._folder,
                place=document.place(),
            )
        self._problems.stop_if_any()
        return issue

    def _read(self, path: Path) -> Document | None:
        try:
            self._workspace.inside(path, Place(path))
            return read_document(path)
        except ContentError as error:
            self._problems.extend(error.problems)
            return None

    def _front(self, document: Document, model: type[Any]) -> Any:
        for key, value in document.values.items():
            if key not in {"subject", "preheader"} and "{{" in str(value):
                self._problems.add(
                    f"a personal slot cannot stand in `{key}`",
                    hint="slots are for subject, preheader and running text",
                    where=document.place(key),
                )
        return validated(document, model, self._problems)

    def _issue_front(self, document: Document) -> IssueFront | None:
        if "id" in document.values:
            front: IssueFront | None = self._front(document, IssueFront)
            return front
        self._problems.add("`id` is missing", hint=f'add a line `id: "{new_id()}"`', where=document.place())
        self._front(replace(document, values={**document.values, "id": new_id()}), IssueFront)
        return None

    def _refuse_second_id(self, own: str, where: Place) -> None:
        for issue in self._catalogue.issues_with_id(own):
            if issue.folder != self._folder.name:
                self._problems.add(
                    f"the id {own} is also that of {issue.folder}",
                    hint=f'a copied issue needs an id of its own: `id: "{new_id()}"`',
                    where=where,
                )

    def _page(self, document: Document) -> str:
        """The slug of the issue's page: the folder's name, or what it was when the issue was sent."""
        own = self._catalogue.in_folder(self._folder.name)
        slug = own.slug if own else self._folder.name
        for other in self._catalogue.issues_at(slug):
            if other.folder != self._folder.name:
                self._problems.add(
                    f"the page issues/{slug}/ is that of {other.folder}",
                    hint="one of them was sent under this name; give the other folder another one",
                    where=document.place(),
                )
        return slug

    def _slotted(self, document: Document, key: str, text: str) -> str:
        source = document.value_source(key, text)
        return source.edited(edits(text, self._words, self._problems, source.place)).text

    def _parsed(self, document: Document) -> Parsed:
        body = document.body
        code = code_spans(body.text)
        slotted = body.edited(edits(body.text, self._words, self._problems, body.place, code))
        parsed = parse(slotted, self._problems)
        check_beside(self._workspace, parsed.blocks, self._problems)
        return parsed

    def _around_articles(self, document: Document) -> tuple[tuple[Block, ...], tuple[Block, ...]]:
        parsed = self._parsed(document)
        at = parsed.markers.get("articles", len(parsed.blocks))
        return parsed.blocks[:at], parsed.blocks[at:]

    def _articles(self, lang: str | None) -> tuple[Article, ...]:
        default = lang or self._workspace.settings.publication.language
        paths = article_files(self._folder)
        self._refuse_lone_translations(paths)
        articles = [article for path in paths if (article := self._article(path, default))]
        first: dict[str, Article] = {}
        for article in articles:
            if article.slug in first:
                self._refuse_second_slug(article, first[article.slug].place.path)
            first.setdefault(article.slug, article)
        for slug, article in first.items():
            home = self._catalogue.article(slug)
            if home and article.place.path in self._catalogue.doubles_of(slug):
                self._refuse_second_slug(article, home.file)
        return tuple(articles)

    def _refuse_lone_translations(self, paths: list[Path]) -> None:
        paired = {file for path in paths for file in translations(path).values()}
        for path in sorted(self._folder.glob("*.md")):
            if path.name != "issue.md" and path not in paths and path not in paired:
                self._problems.add(
                    "translates an article that is not there",
                    hint=f"it is looked for in {path.stem.rpartition('.')[0]}.md",
                    where=Place(path, 1),
                )

    def _refuse_second_slug(self, article: Article, first: Path) -> None:
        beside = first.parent == article.place.path.parent
        other = first.name if beside else f"{first.parent.name}/{first.name}"
        self._problems.add(
            f"the slug `{article.slug}` is also that of {other}",
            hint="give one of them a `slug:` of its own"
            + ("" if beside else f", or show that article again: `article: {article.slug}` alone in the front matter"),
            where=article.place,
        )

    def _article(self, path: Path, lang: str) -> Article | None:
        document = self._read(path)
        if document is None:
            return None
        return self._again(document) if "article" in document.values else self._own(document, lang)

    def _again(self, document: Document) -> Article | None:
        front: AgainFront | None = self._front(document, AgainFront)
        if front is None:
            return None
        for path in translations(document.path).values():
            self._problems.add(
                "translates an article that is written elsewhere",
                hint=f"put it beside the file of `{front.article}`",
                where=Place(path, 1),
            )
        if document.body.text.strip():
            self._problems.add(
                "an article that is shown again has no text of its own here",
                hint=f"remove it; the text is that of `{front.article}`",
                where=document.body.place(0),
            )
        entry = self._catalogue.article(front.article)
        home = self._read(entry.file) if entry else None
        if entry is None or home is None:
            self._problems.add(
                f"there is no article `{front.article}`",
                hint=did_you_mean(front.article, list(self._catalogue.articles)),
                where=document.place("article"),
            )
            return None
        article = self._own(home, entry.lang)
        return replace(article, email=front.email or article.email) if article else None

    def _own(self, document: Document, lang: str) -> Article | None:
        front: ArticleFront | None = self._front(document, ArticleFront)
        if front is None:
            return None
        parsed = self._parsed(document)
        more = parsed.markers.get("more")
        if front.email is EmailForm.EXCERPT and more is None:
            self._problems.add(
                "an excerpt has to end somewhere",
                hint="a line `<!-- more -->` in the text ends it",
                where=document.place("email"),
            )
        article = Article(
            slug=self._slug(document.path, front),
            title=front.title,
            author=front.author,
            hook=front.hook,
            date=front.date,
            original_date=front.original_date,
            source_url=front.source_url,
            licence=front.licence,
            tags=front.tags,
            lang=front.lang or lang,
            email=front.email,
            lead=self._lead(document, front.image, front.alt, front.caption, front.credit),
            blocks=parsed.blocks,
            excerpt=None if more is None else parsed.blocks[:more],
            place=document.place(),
        )
        found = (self._translation(article, lang, path) for lang, path in translations(document.path).items())
        return replace(article, translations=tuple(other for other in found if other))

    def _translation(self, article: Article, lang: str, path: Path) -> Article | None:
        document = self._read(path)
        front: TranslationFront | None = self._front(document, TranslationFront) if document else None
        if document is None or front is None:
            return None
        if not is_language(lang):
            self._problems.add(
                f"`{lang}` is no language",
                hint=f"a translation’s file ends in one, as in {article.slug}.de.md; what is put aside lies elsewhere",
                where=Place(path, 1),
            )
        if lang == article.lang:
            self._problems.add(
                f"is in the language of the article that it translates: {lang}",
                hint=f"a translation’s file ends in its own language, as in {article.slug}.de.md",
                where=document.place(),
            )
        taken = {"author", "hook", "date", "original_date", "source_url", "licence"}
        own = front.model_dump(include=taken, exclude_none=True)
        lead = self._lead(document, front.image, front.alt or "", front.caption or "", front.credit or "")
        parsed = self._parsed(document)
        return replace(
            article,
            title=front.title,
            lang=lang,
            lead=lead or article.lead,
            blocks=parsed.blocks,
            excerpt=None,
            place=document.place(),
            **own,
        )

    def _slug(self, path: Path, front: ArticleFront) -> str:
        slug = slug_of(path, front.slug)
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug):
            self._problems.add(
                f"`{path.name}` does not make a slug",
                hint="name it like 01-lower-case-words.md, or add a `slug:` to its front matter",
                where=Place(path, 1),
            )
        return slug

    def _line(self, source: Source) -> tuple[Inline, ...]:
        """A line of Markdown in the front matter; with raw HTML, or what is no paragraph, as it is written."""
        match parse_nodes(source, self._problems):
            case (Paragraph(children) as paragraph,) if not any(
                isinstance(child, InlineHtml) for child in inlines_of((paragraph,))
            ):
                return children
            case _:
                return (Text(source.text),) if source.text else ()

    def _lead(self, document: Document, image: str | None, alt: str, caption: str, credit: str) -> Figure | None:
        if image is None or not (image or caption):
            return None
        line = self._line(document.value_source("caption", caption))
        figure = Figure(src=image, alt=alt, credit=credit, line=line, place=document.place("image"))
        check_beside(self._workspace, (figure,), self._problems)
        return figure

"""An article as its readers get it: the message that is sent to one of them, decoded, and the pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path

from newsletter.checks import check
from newsletter.compile.edition import Edition, Facts
from newsletter.compile.pipeline import compile_issue
from newsletter.compile.render import Theme
from newsletter.issue.load import find_issue, load_issue
from newsletter.issue.model import Issue
from newsletter.message import Composer, Recipient
from newsletter.workspace import Workspace
from tests.pages import Element, Read
from tests.workspaces import SETTINGS, article_file, issue_file, workspace

SITE = "https://test.example.org"
FOLDER = "126-light"


@dataclass(frozen=True)
class Reading:
    """What reached one reader, and what stands on the web."""

    workspace: Workspace
    issue: Issue
    edition: Edition
    facts: Facts
    subject: str
    html: str
    text: str

    @property
    def letter(self) -> Read:
        """The mail's HTML."""
        return Read(self.html)

    @property
    def page(self) -> Read:
        """The article's page."""
        return self.on("articles/one")

    @property
    def whole(self) -> Read:
        """The issue's page."""
        return self.on(f"issues/{FOLDER}")

    def on(self, path: str) -> Read:
        """The page in the folder `path` of the site."""
        return Read(next(page.html for page in self.edition.pages if page.path == f"{path}/index.html"))

    def everywhere(self) -> dict[str, str]:
        """All that is read in mail, as text and on both pages, each on one line and without marks of quotation."""
        text = re.sub(r"^(?:> ?)+", "", self.text, flags=re.MULTILINE)
        return {
            "mail": folded(self.letter.text),
            "text": folded(text),
            "article": folded(self.page.text),
            "issue": folded(self.whole.text),
        }

    def on_paper(self) -> dict[str, Read]:
        """The mail's HTML and both pages."""
        return {"mail": self.letter, "article": self.page, "issue": self.whole}

    def found(self, rule: str) -> list[str]:
        """What the check `rule` says."""
        report = check(self.issue, self.edition, self.facts, self.workspace.settings)
        return [finding.message for finding in report.findings if finding.rule == rule]


def reading(
    root: Path,
    body: str,
    *,
    opening: str = "Hello.",
    closing: str = "",
    reader: str = "Ann",
    issue: dict[str, str] | None = None,
    files: dict[str, str | bytes] | None = None,
    facts: Facts | None = None,
    settings: str = SETTINGS,
    **front: str,
) -> Reading:
    """Issue 126 with the article `one`, made of `body` and what its front matter says, and with other `files`."""
    letter = f"{opening}\n\n<!-- articles -->\n\n{closing}"
    written: dict[str, str | bytes] = {
        f"{FOLDER}/issue.md": issue_file(126, letter, **(issue or {})),
        f"{FOLDER}/01-one.md": article_file(body, **front),
    }
    return read(workspace(root, written | (files or {}), settings), reader, facts)


def read(ws: Workspace, reader: str = "Ann", facts: Facts | None = None) -> Reading:
    """Issue 126 of a workspace as `reader` gets it."""
    issue, facts = load_issue(ws, find_issue(ws, "126")), facts or Facts()
    edition = compile_issue(issue, Theme.of(ws), facts, ws.settings)
    links = {f"links.{name}": f"{SITE}/{name}/token" for name in ("unsubscribe", "preferences")}
    recipient = Recipient(
        id="1", address="ann@example.org", name=reader, values={"subscriber.first_name": reader, **links}
    )
    raw = Composer(edition, audience=0, subject=0).message(recipient, datetime(2024, 1, 5, tzinfo=UTC))
    message = message_from_bytes(raw, policy=policy.default)
    assert raw.isascii()
    parts = {kind: message.get_body((kind,)).get_content().replace("\r\n", "\n") for kind in ("plain", "html")}
    return Reading(ws, issue, edition, facts, str(message["Subject"]), parts["html"], parts["plain"])


def folded(text: str) -> str:
    """`text` on one line; blanks that no line ends at stay what they are."""
    return re.sub(r"[ \n\t]+", " ", text).strip()


def with_words(page: Read, words: str, *tags: str) -> list[Element]:
    """The elements of these kinds that say `words` and nothing else."""
    return [element for element in page.all(*tags) if folded(element.text) == words]


def inside(element: Element, name: str) -> bool:
    """Whether it stands in an element of the tag or the class `name`."""
    return any(name == around.tag or name in around.classes for around in element.around)

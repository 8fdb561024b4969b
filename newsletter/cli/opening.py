"""What commands work on, opened: the workspace, an issue compiled, the store, the keys, a provider, the facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from newsletter.errors import Place

if TYPE_CHECKING:
    from newsletter.archive.release import Release
    from newsletter.compile.edition import Edition, Facts
    from newsletter.issue.catalogue import IssueEntry
    from newsletter.issue.model import Issue
    from newsletter.providers.base import Carrier, Provider
    from newsletter.store.ledger import Ledger
    from newsletter.store.subscribers import Subscribers
    from newsletter.tokens import Keyring
    from newsletter.workspace import Workspace

DATABASE = "newsletter.db"
KEYS = "keys.json"
JOURNALS = "journals"
LOGS = "logs"
OUTBOX = "outbox"


def workspace_of(context: typer.Context) -> Workspace:
    """The workspace that was named, or the one around the current folder."""
    from newsletter.workspace import Workspace

    named: Path | None = context.obj
    return Workspace.open(named) if named else Workspace.find()


def issue_named(workspace: Workspace, name: str | None) -> Path:
    """The folder of the issue `name`; the newest where none is named."""
    from newsletter.issue.load import find_issue, latest_issue

    return find_issue(workspace, name) if name else latest_issue(workspace)


def compiled(workspace: Workspace, folder: Path, store: Store | None) -> tuple[Issue, Edition, Facts]:
    """The issue in `folder`, it compiled, and the facts by which it was.

    It is compiled afresh whenever one asks: what is built, checked or sent is never taken from a cache.
    """
    from newsletter.compile.pipeline import compile_issue
    from newsletter.compile.render import Theme
    from newsletter.issue.load import load_issue

    issue = load_issue(workspace, folder)
    facts = facts_of(workspace, store, issue)
    return issue, compile_issue(issue, Theme.of(workspace), facts, workspace.settings), facts


def published(workspace: Workspace, store: Store | None) -> Iterator[Release]:
    """Every issue that was sent, one after the other; what has not changed comes from the cache."""
    from newsletter.archive import releases

    readers = cache(lambda key: _readers(store, key))

    def facts(issue: IssueEntry) -> Facts:
        return _counted(workspace, workspace.issues / issue.folder, issue.id, readers(issue.list))

    return releases(workspace, facts)


def database_url(workspace: Workspace) -> str:
    """Where the database lies."""
    return workspace.settings.store.url or f"sqlite:///{workspace.data / DATABASE}"


@dataclass(frozen=True, slots=True)
class Store:
    """The publication's memory: subscribers, ledger and keys."""

    subscribers: Subscribers
    ledger: Ledger
    keyring: Keyring

    @classmethod
    def of(cls, workspace: Workspace) -> Store:
        """The store of `workspace`, made on first use."""
        from newsletter.store.ledger import Ledger
        from newsletter.store.schema import connect
        from newsletter.store.subscribers import Subscribers
        from newsletter.tokens import Keyring

        engine = connect(database_url(workspace), on_upgrade=_say_upgraded)
        return cls(Subscribers(engine), Ledger(engine), Keyring.open(workspace.data / KEYS))

    @classmethod
    def if_there(cls, workspace: Workspace) -> Store | None:
        """The store, where one was made already: looking at an issue makes none."""
        made = workspace.settings.store.url or (workspace.data / DATABASE).exists()
        return cls.of(workspace) if made else None


def _say_upgraded(kept: Path) -> None:
    typer.echo(f"the database was upgraded; as it was before, it is kept as {kept}", err=True)


def facts_of(workspace: Workspace, store: Store | None, issue: Issue) -> Facts:
    """What is known now of the readers of `issue`: how many there are, and the values of the one with the longest."""
    from newsletter.delivery.plan import recipient_of

    facts = _counted(workspace, issue.folder, issue.id, _readers(store, issue.list))
    if store is None:
        return facts
    longest = max(
        store.subscribers.active(issue.list),
        key=lambda one: len(one.email) + len(one.first_name) + len(one.last_name) + sum(map(len, one.fields.values())),
        default=None,
    )
    largest = recipient_of(longest, workspace.settings, store.keyring).values if longest else None
    return replace(facts, largest=largest)


def _readers(store: Store | None, key: str) -> int | None:
    """How many active readers the list `key` has."""
    if store is None:
        return None
    from newsletter.store.subscribers import SubscriberState

    return store.subscribers.count(key)[SubscriberState.ACTIVE]


def _counted(workspace: Workspace, folder: Path, id: str, readers: int | None) -> Facts:
    """What the issue with this id in `folder` may say of the world: its readers, and what it said when it was sent."""
    from newsletter.compile.edition import Facts, SentBefore
    from newsletter.issue.sent import read_sent

    sent = read_sent(folder)
    before = None
    if sent and sent.id == id:
        before = SentBefore(hash=sent.hash, content_digest=sent.content_digest, facts=tuple(sent.facts.items()))
    return Facts(
        readers=readers,
        as_of=date.today(),
        sent_before=before,
        provider=workspace.settings.send.provider,
    )


def journal_of(workspace: Workspace, issue_id: str) -> Path:
    """Where the journal of an issue's sending lies."""
    return workspace.data / JOURNALS / f"{issue_id}.journal"


def log_of(workspace: Workspace, issue_id: str) -> Path:
    """Where the log of an issue's sending lies."""
    return workspace.data / LOGS / f"{issue_id}.log"


def provider_named(workspace: Workspace, name: str, kept: Mapping[str, Any] | None = None) -> Provider:
    """The provider `name` with its options from newsletter.toml and its secrets from the environment.

    Where options were `kept`, from when a send was begun, they are taken instead; secrets and pace are those of now.
    """
    from newsletter.config import FILE_NAME, secret
    from newsletter.providers import open_provider, provider_type

    kind = provider_type(name)
    options = dict(workspace.settings.providers.get(name, {}))
    if kept is not None:
        options = {key: value for key, value in options.items() if key in {*kind.secrets, *kind.pace}} | {**kept}
    if name == "outbox":
        options.setdefault("path", str(workspace.data / OUTBOX))
    for option in kind.secrets:
        value = secret(name, option)
        if value is not None:
            options[option] = value
    return open_provider(name, options, Place(workspace.root / FILE_NAME))


def carrier_of(workspace: Workspace) -> Carrier:
    """The configured provider, for single messages; raises ConfigError where it carries none."""
    from newsletter.errors import ConfigError
    from newsletter.providers.base import Carrier

    name = workspace.settings.send.provider
    provider = provider_named(workspace, name)
    if not isinstance(provider, Carrier):
        provider.close()
        raise ConfigError(f"the provider `{name}` cannot send confirmation mails")
    return provider

"""What commands work on, opened: the workspace, an issue compiled, the store, the keys, a provider, the facts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from newsletter.errors import Place

if TYPE_CHECKING:
    from newsletter.compile.edition import Edition, Facts
    from newsletter.issue.model import Issue
    from newsletter.providers.base import Carrier, Provider
    from newsletter.store.ledger import Ledger
    from newsletter.store.subscribers import Subscribers
    from newsletter.tokens import Keyring
    from newsletter.workspace import Workspace

DATABASE = "newsletter.db"
KEYS = "keys.json"
JOURNALS = "journals"
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


def compiled(workspace: Workspace, folder: Path, facts: Facts) -> tuple[Issue, Edition]:
    """The issue in `folder`, and it compiled."""
    from newsletter.compile.pipeline import compile_issue
    from newsletter.compile.render import Theme
    from newsletter.issue.load import load_issue

    issue = load_issue(workspace, folder)
    return issue, compile_issue(issue, Theme.of(workspace), facts, workspace.settings)


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

        engine = connect(database_url(workspace))
        return cls(Subscribers(engine), Ledger(engine), Keyring.open(workspace.data / KEYS))

    @classmethod
    def if_there(cls, workspace: Workspace) -> Store | None:
        """The store, where one was made already: looking at an issue makes none."""
        made = workspace.settings.store.url or (workspace.data / DATABASE).exists()
        return cls.of(workspace) if made else None


def facts_of(workspace: Workspace, store: Store | None, list_name: str = "main") -> Facts:
    """What is known now: how many readers there are, and the values of the one with the longest."""
    from newsletter.compile.edition import Facts
    from newsletter.delivery.plan import recipient_of
    from newsletter.store.subscribers import SubscriberState

    provider = workspace.settings.send.provider
    if store is None:
        return Facts(provider=provider)
    longest = max(
        store.subscribers.active(list_name),
        key=lambda one: len(one.email) + len(one.first_name) + len(one.last_name) + sum(map(len, one.fields.values())),
        default=None,
    )
    return Facts(
        readers=store.subscribers.count(list_name)[SubscriberState.ACTIVE],
        as_of=date.today(),
        largest=recipient_of(longest, workspace.settings, store.keyring).values if longest else None,
        provider=provider,
    )


def provider_named(workspace: Workspace, name: str) -> Provider:
    """The provider `name` with its options from newsletter.toml and its secrets from the environment."""
    from newsletter.config import FILE_NAME, secret
    from newsletter.providers import open_provider, provider_type

    options = dict(workspace.settings.providers.get(name, {}))
    if name == "outbox":
        options.setdefault("path", str(workspace.data / OUTBOX))
    for option in provider_type(name).secrets:
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

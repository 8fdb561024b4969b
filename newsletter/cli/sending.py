"""The commands send and providers."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli import opening
from newsletter.cli.carrying import INCOMPLETE, Run, named, stoppable, verify_unsubscribe
from newsletter.cli.output import say_balance, say_json, say_report, say_table
from newsletter.cli.writing import AsJson
from newsletter.errors import ChecksFailed

if TYPE_CHECKING:
    from newsletter.compile.edition import Edition
    from newsletter.delivery.plan import Plan
    from newsletter.delivery.stopping import Stop
    from newsletter.providers.base import Provider
    from newsletter.workspace import Workspace

Issue = Annotated[str, typer.Argument(metavar="ISSUE", help="Folder, number, slug or id.")]
Limit = Annotated[int | None, typer.Option(min=1, metavar="N", help="Send to so many at most, this time.")]
Unverified = Annotated[
    bool, typer.Option("--unverified-unsubscribe", help="Send though the unsubscribe address does not answer.")
]


def register(app: typer.Typer) -> None:
    """Add these commands to `app`."""
    for command in (send, providers):
        app.command()(command)


def send(
    context: typer.Context,
    issue: Issue,
    test: Annotated[
        list[str] | None, typer.Option(metavar="ADDRESS", help="Only a test copy, to this address.")
    ] = None,
    provider: Annotated[str | None, typer.Option(metavar="NAME", help="Instead of [send] provider.")] = None,
    limit: Limit = None,
    approved: Annotated[str | None, typer.Option("--hash", metavar="HASH", help="Send only this edition.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be sent, and send nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    unverified_unsubscribe: Unverified = False,
    as_json: AsJson = False,
) -> None:
    """Send an issue, once it is confirmed.

    Shows audience, subject, preheader, sender, provider, size, hash and the expected balance, and sends nothing until
    the number of recipients is typed, or --yes given. Run again, it sends to nobody twice.
    """
    workspace = opening.workspace_of(context)
    folder = opening.issue_named(workspace, issue)
    name = provider or workspace.settings.send.provider
    testers = [_tester(address) for address in test or []]
    with closing(opening.provider_named(workspace, name)) as carrier:
        store = opening.Store.of(workspace)
        edition = _checked_edition(workspace, folder, store, quiet=as_json)
        _refuse_another(edition, approved)
        if testers:
            _send_test(workspace, store, carrier, edition, testers)
            return
        plan = _plan(workspace, folder, store, name, edition)
        if not as_json:
            _say_plan(workspace, plan, name, limit)
        if dry_run or not plan.expected.waiting or not (yes or _confirmed(plan, limit)):
            _say_nothing_sent(plan, as_json=as_json)
            return
        verify_unsubscribe(workspace, store, carrier, edition, unverified=unverified_unsubscribe)
        with stoppable() as stop:
            if _held(stop, workspace.settings.send.hold):
                _say_nothing_sent(plan, as_json=as_json)
                raise typer.Exit(INCOMPLETE)
            run = Run(
                workspace=workspace,
                store=store,
                folder=folder,
                edition=edition,
                provider=name,
                limit=limit,
                as_json=as_json,
            )
            with run.sender(carrier, stop, plan.expected) as sender:
                sender.send(plan)


def providers(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Its options.")] = None,
) -> None:
    """List the providers, or the options of one."""
    from newsletter.config import secret_variable
    from newsletter.providers import PROVIDERS, provider_type

    if name is None:
        kinds = [(key, provider_type(key)) for key in PROVIDERS]
        say_table(["provider", "what it does"], [[key, (kind.__doc__ or "").split("\n")[0]] for key, kind in kinds])
        return
    kind = provider_type(name)
    typer.echo(f"[providers.{name}]")
    for key, field in kind.Options.model_fields.items():
        if key in kind.secrets:
            typer.echo(f"{key}: from the environment, {secret_variable(name, key)}")
        else:
            default = "(required)" if field.is_required() else field.default
            typer.echo(f"{key} = {'(none)' if default is None else default}")


def _checked_edition(workspace: Workspace, folder: Path, store: opening.Store, *, quiet: bool) -> Edition:
    """The issue compiled, unless the checks say that it must not go out."""
    from newsletter.checks import check

    issue, edition, facts = opening.compiled(workspace, folder, store)
    report = check(issue, edition, facts, workspace.settings)
    report.stop_on_errors()
    if not quiet and report.findings:
        say_report(report)
    return edition


def _plan(workspace: Workspace, folder: Path, store: opening.Store, provider: str, edition: Edition) -> Plan:
    from newsletter.delivery.plan import plan
    from newsletter.issue.sent import read_sent

    return plan(
        edition,
        provider=provider,
        subscribers=store.subscribers,
        ledger=store.ledger,
        settings=workspace.settings,
        keyring=store.keyring,
        sent=read_sent(folder),
    )


def _say_plan(workspace: Workspace, plan: Plan, provider: str, limit: int | None) -> None:
    from newsletter.compile.build import built_hash
    from newsletter.compile.slots import specimen_html, specimen_text

    edition = plan.edition
    size = len(edition.variants[0].html.fill(specimen_html).encode())
    inside = sum(len(enclosure.data) for enclosure in edition.enclosed)
    built = built_hash(workspace.build / edition.slug)
    changed = (
        "" if built in {None, edition.hash} else f"  (the last build is {str(built)[:12]}: something changed since)"
    )
    lines = [("issue", f"{edition.slug}: {edition.title}")]
    lines += [("subject", subject.fill(specimen_text)) for subject in edition.subjects]
    lines += [
        ("preheader", edition.preheader.fill(specimen_text)),
        ("from", edition.headers.sender),
        ("list", f"{edition.list}: {plan.expected.selected:,} selected, {plan.expected.waiting:,} to be sent to"),
        ("provider", provider + (f", at most {limit:,} now" if limit else "")),
        ("size", f"{size:,} bytes of HTML" + (f", {inside:,} of pictures inside" if inside else "")),
        ("edition", edition.hash[:12] + changed),
    ]
    for name, said in lines:
        typer.echo(f"{name:<9} {said}")
    typer.echo("expected")
    say_balance(plan.expected)


def _confirmed(plan: Plan, limit: int | None) -> bool:
    if not sys.stdin.isatty():
        return False
    number = min(plan.expected.waiting, limit or plan.expected.waiting)
    said = typer.prompt(f"To send, type the number of recipients ({number})", default="", show_default=False)
    return str(said).replace(",", "").strip() == str(number)


def _say_nothing_sent(plan: Plan, *, as_json: bool) -> None:
    if as_json:
        say_json(named(plan.edition, plan.expected) | {"sent": False})
    elif plan.expected.waiting:
        typer.echo("nothing was sent: `--yes`, or the number typed, sends it")
    else:
        typer.echo("nothing was sent: nobody is waiting for it")


def _refuse_another(edition: Edition, approved: str | None) -> None:
    if approved and not edition.hash.startswith(approved.lower()):
        raise ChecksFailed(
            f"the issue compiles to {edition.hash[:12]}, not to {approved[:12]}",
            hint="something changed since that hash was shown: build, look, and approve the new one",
        )


def _tester(address: str) -> str:
    from newsletter.store.subscribers import normalise

    try:
        return normalise(address)
    except ValueError as error:
        raise typer.BadParameter(f"{address}: {error}", param_hint="--test") from error


def _send_test(
    workspace: Workspace, store: opening.Store, carrier: Provider, edition: Edition, addresses: list[str]
) -> None:
    from newsletter.delivery.trial import send_test_copies, stranger
    from newsletter.errors import ProviderError

    readers = [stranger(address, edition.list) for address in addresses]
    results = send_test_copies(carrier, edition, readers, settings=workspace.settings, keyring=store.keyring)
    for address, result in results:
        typer.echo(f"{result.outcome}: {address} {result.detail}".rstrip())
    if any(result.outcome != "accepted" for _, result in results):
        raise ProviderError("not every test copy was accepted")


def _held(stop: Stop, seconds: int) -> bool:
    """Wait for a change of mind before the first byte; True if there was one."""
    if seconds:
        typer.echo(f"sending begins in {seconds} seconds; Ctrl-C sends nothing", err=True)
    return stop.wait(seconds)

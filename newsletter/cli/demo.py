"""newsletter demo: the whole job on the sample issue, with a data folder that is thrown away."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from newsletter.cli import opening
from newsletter.cli.output import counted, say_balance, say_report, shown

if TYPE_CHECKING:
    from newsletter.workspace import Workspace

SAMPLE_LIST = "subscribers.csv"


def register(app: typer.Typer) -> None:
    """Add this command to `app`."""
    app.command()(demo)


def demo(context: typer.Context) -> None:
    """Do the whole job on the sample issue.

    Builds it, checks it, sends it to the sample list into build/outbox/, and prints the balance.
    """
    build = (context.obj or Path.cwd()) / "build"
    with tempfile.TemporaryDirectory(prefix="newsletter-demo-") as scratch:
        workspace = _sample_workspace(Path(scratch))
        _run(workspace, build)


def _sample_workspace(scratch: Path) -> Workspace:
    """A copy of the shipped newsletter, its data folder beside it."""
    from newsletter.workspace import Workspace, shipped_root

    root = scratch / "workspace"
    root.mkdir()
    shutil.copy(shipped_root() / "newsletter.toml", root)
    shutil.copytree(shipped_root() / "issues", root / "issues", ignore=shutil.ignore_patterns("sent.json"))
    opened = Workspace.open(root)
    return Workspace(
        opened.root, opened.settings.model_copy(update={"data_dir": scratch / "data", "cache_dir": scratch / "cache"})
    )


def _run(workspace: Workspace, build: Path) -> None:
    from newsletter.archive import build_archive
    from newsletter.checks import check
    from newsletter.compile.build import PREVIEW, write_build
    from newsletter.compile.render import Theme
    from newsletter.compile.values import stylesheet
    from newsletter.delivery.plan import plan
    from newsletter.delivery.send import Sender
    from newsletter.delivery.sent import sent_record
    from newsletter.issue.sent import write_sent
    from newsletter.providers import open_provider
    from newsletter.providers.base import Place
    from newsletter.store.importing import import_csv

    settings = workspace.settings
    store = opening.Store.of(workspace)
    people = import_csv(store.subscribers, workspace.issues / SAMPLE_LIST, list="main", source="demo")
    folder = opening.issue_named(workspace, None)
    issue, edition, facts = opening.compiled(workspace, folder, store)
    style = stylesheet(Theme.of(workspace), settings)
    write_build(edition, build / edition.slug, site=settings.publication.url, style=style, commit=None)
    typer.echo(f"built    {folder.name}: {counted(len(issue.articles), 'article')}, edition {edition.hash[:12]}")

    report = check(issue, edition, facts, settings)
    typer.echo("checked  ", nl=False)
    say_report(report)
    report.stop_on_errors()

    outbox = build / opening.OUTBOX
    if all((outbox / part).is_dir() for part in ("cur", "new", "tmp")):
        shutil.rmtree(outbox)
    planned = plan(
        edition,
        provider="outbox",
        subscribers=store.subscribers,
        ledger=store.ledger,
        settings=settings,
        keyring=store.keyring,
        sent=None,
    )
    options = {"path": str(outbox.resolve())}
    with closing(open_provider("outbox", options, Place(workspace.root))) as carrier:
        balance = Sender(store.ledger, carrier, workspace.data / opening.JOURNALS).send(planned)
    typer.echo(f"sent     to the {people.added} of the sample list, into {shown(outbox)}/ (no mail left this machine)")
    say_balance(balance)

    write_sent(folder, sent_record(edition, balance, commit=None, provider="outbox"))
    build_archive(workspace, opening.published(workspace, store), build / "public")
    typer.echo("\nlook at")
    first = min((outbox / "new").iterdir())
    for path, what in (
        (build / edition.slug / PREVIEW, "the email, in a browser"),
        (build / edition.slug / "email.txt", "its text part"),
        (first, "one reader’s copy, as it went out"),
        (build / "public" / "index.html", "the web archive"),
    ):
        typer.echo(f"  {shown(path):<60} {what}")
    typer.echo("next")
    typer.echo(f"  {'newsletter preview':<60} look at an issue while you write it")
    typer.echo(f"  {'newsletter init my-letter':<60} begin your own")

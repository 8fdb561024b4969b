"""Commands that show: preview, serve, archive build, where."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli import opening
from newsletter.cli.output import counted, shown
from newsletter.cli.writing import IssueName

if TYPE_CHECKING:
    from newsletter.workspace import Workspace

PUBLIC = "public"


def register(app: typer.Typer) -> None:
    """Add these commands to `app`."""
    app.command()(preview)
    app.command()(serve)
    app.command()(where)
    group = typer.Typer(help="The web archive: build.", no_args_is_help=True)
    group.command("build")(archive_build)
    group.callback()(_archive)
    app.add_typer(group, name="archive")


def _archive() -> None:
    pass


def preview(
    context: typer.Context,
    issue: IssueName = None,
    port: Annotated[int, typer.Option(help="0: any that is free.")] = 0,
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open a browser.")] = False,
) -> None:
    """Look at an issue in a browser, live.

    Email, text and web, while you write.
    """
    from newsletter.web.preview import create_app, run

    workspace = opening.workspace_of(context)
    folder = opening.issue_named(workspace, issue) if issue else None
    store = opening.Store.if_there(workspace)

    def ready(address: str) -> None:
        url = f"{address}issue/{folder.name}" if folder else address
        typer.echo(f"preview: {url}")
        typer.echo("Ctrl-C ends it")
        if not no_open:
            typer.launch(url)

    run(create_app(workspace, lambda issue: opening.facts_of(workspace, store, issue)), port=port, ready=ready)


def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Where to listen; a proxy with TLS stands before it.")] = "127.0.0.1",
    port: Annotated[int, typer.Option()] = 8080,
) -> None:
    """Serve the readers: subscribe, unsubscribe, archive.

    Behind a proxy with TLS. Also confirmations and preferences; the archive is that of what was sent.
    """
    from newsletter.compile.render import Theme
    from newsletter.delivery.transactional import send_confirmation
    from newsletter.store.subscribers import Subscriber
    from newsletter.web.public import create_app, run

    workspace = opening.workspace_of(context)
    store = opening.Store.of(workspace)
    folder = workspace.build / PUBLIC
    typer.echo(_built(workspace, folder))

    def confirm(subscriber: Subscriber, link: str) -> None:
        with closing(opening.carrier_of(workspace)) as carrier:
            send_confirmation(workspace.settings, Theme.of(workspace), carrier, subscriber.email, link)

    app = create_app(
        workspace.settings, store.subscribers, store.keyring, confirm, folder, theme=workspace.theme_folders
    )
    typer.echo(f"serving http://{host}:{port}/ for {workspace.settings.public_url}; Ctrl-C ends it")
    run(app, host, port)


def archive_build(
    context: typer.Context,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="DIR", help="Instead of build/public/.")] = None,
) -> None:
    """Build the static site: every issue that was sent, its articles, and a feed."""
    workspace = opening.workspace_of(context)
    typer.echo(_built(workspace, out or workspace.build / PUBLIC))


def where(context: typer.Context) -> None:
    """Show where things are kept, and what can be known of a send that was killed."""
    from newsletter.delivery.locking import promise

    workspace = opening.workspace_of(context)
    data = workspace.data
    url = opening.database_url(workspace)
    for name, place in (
        ("workspace", workspace.root),
        ("theme", ", ".join(str(folder) for folder in workspace.theme_folders)),
        ("builds", workspace.build),
        ("data", data),
        ("cache", workspace.cache),
        ("database", url.removeprefix("sqlite:///")),
        ("keys", data / opening.KEYS),
        ("journals", data / opening.JOURNALS),
        ("logs", data / opening.LOGS),
        ("outbox", workspace.settings.providers.get("outbox", {}).get("path", data / opening.OUTBOX)),
        ("promise", promise()),
    ):
        typer.echo(f"{name:<10} {place}")


def _built(workspace: Workspace, folder: Path) -> str:
    """Build the archive into `folder`; says what was built."""
    from newsletter.archive import build_archive

    report = build_archive(workspace, opening.published(workspace, opening.Store.if_there(workspace)), folder)
    return f"built {shown(folder)}/: {counted(report.issues, 'issue')}"

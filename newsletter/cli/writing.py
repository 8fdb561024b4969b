"""Commands of the writer: init, new, issues, build, check."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli import opening
from newsletter.cli.output import counted, report_json, say_json, say_report, say_table, shown

if TYPE_CHECKING:
    from newsletter.issue.listing import Listed
    from newsletter.issue.sent import Sent

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
IssueName = Annotated[
    str | None, typer.Argument(metavar="[ISSUE]", help="Folder, number, slug or id; the newest if left out.")
]


def register(app: typer.Typer) -> None:
    """Add these commands to `app`."""
    app.command()(init)
    app.command()(new)
    app.command()(issues)
    app.command()(build)
    app.command()(check)


def init(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where the newsletter is to live.")] = Path(),
) -> None:
    """Make a new newsletter: newsletter.toml and a first issue."""
    from newsletter.issue.scaffold import new_workspace

    for path in new_workspace(folder, datetime.date.today()):
        typer.echo(f"wrote {shown(path)}")
    typer.echo("next: fill in newsletter.toml, then `newsletter preview`")


def new(
    context: typer.Context,
    title: Annotated[str, typer.Argument(metavar="TITLE")],
    number: Annotated[int | None, typer.Option(help="The issue's number; the next one if left out.")] = None,
) -> None:
    """Make a new issue folder."""
    from newsletter.issue.scaffold import new_issue

    path = new_issue(opening.workspace_of(context), title, number, datetime.date.today())
    typer.echo(f"wrote {shown(path)}")
    typer.echo(f"next: add articles beside it, or `newsletter add {path.parent.name} FILE...`")


def issues(context: typer.Context, as_json: AsJson = False) -> None:
    """List the issues with their state."""
    from newsletter.issue.listing import list_issues
    from newsletter.issue.load import number_of

    listed = sorted(list_issues(opening.workspace_of(context)), key=lambda issue: number_of(issue.folder))
    rows = [_row(issue) for issue in listed]
    if as_json:
        say_json(rows)
        return
    head = ("number", "date", "state", "folder", "title")
    said = [
        [*("" if row[key] is None else str(row[key]) for key in head[:-1]), str(row["title"]) or _faults(row["faults"])]
        for row in rows
    ]
    say_table(head, said)


def _row(issue: Listed) -> dict[str, object]:
    from newsletter.errors import ContentError
    from newsletter.issue.sent import read_sent

    line, problems = issue.line, issue.problems
    try:
        state = _state(read_sent(issue.folder))
    except ContentError as error:
        state, line, problems = "unknown", None, (*problems, *error.problems)
    return {
        "folder": issue.folder.name,
        "number": line and line.number,
        "date": line and line.date,
        "title": line.title if line else "",
        "faults": len(problems),
        "state": state,
    }


def _state(sent: Sent | None) -> str:
    if sent is None:
        return "draft"
    return "sent" if not sent.balance["waiting"] else f"sent to {sent.balance['accepted']:,}"


def _faults(number: object) -> str:
    return f"({counted(int(str(number)), 'fault')}: `newsletter build` names them)"


def build(
    context: typer.Context,
    issue: IssueName = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="DIR", help="Instead of build/SLUG/.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compile an issue into build/SLUG/.

    email.html, email.txt, email.mjml, web/, manifest.json, and preview.html to look at.
    """
    from newsletter.compile.build import PREVIEW, write_build
    from newsletter.compile.render import Theme
    from newsletter.compile.values import stylesheet

    workspace = opening.workspace_of(context)
    store = opening.Store.if_there(workspace)
    _, edition, _ = opening.compiled(workspace, opening.issue_named(workspace, issue), store)
    folder = out or workspace.build / edition.slug
    style = stylesheet(Theme.of(workspace), workspace.settings)
    site = workspace.settings.publication.url
    manifest = write_build(edition, folder, site=site, style=style, commit=workspace.commit())
    if as_json:
        say_json(manifest)
        return
    for name in (name for name in manifest["files"] if name.startswith("email.")):
        typer.echo(f"wrote {shown(folder / name)}  {manifest['sizes'][name]:,} bytes")
    typer.echo(f"wrote {shown(folder / 'web')}/  {counted(len(edition.pages), 'page')}")
    typer.echo(f"look at {shown(folder / PREVIEW)} in a browser, or `newsletter preview {edition.slug}`")
    typer.echo(f"edition {edition.hash[:12]}")


def check(
    context: typer.Context,
    issue: IssueName = None,
    form: Annotated[str, typer.Option("--format", metavar="text|json", help="How to say it.")] = "text",
    strict: Annotated[bool, typer.Option(help="Warnings fail too.")] = False,
    explain: Annotated[str | None, typer.Option(metavar="RULE", help="Explain a rule.")] = None,
) -> None:
    """Look an issue over: may it go out?

    Exit code 1 if it must not.
    """
    from newsletter.checks import RULES
    from newsletter.checks import check as check_issue

    if form not in {"text", "json"}:
        raise typer.BadParameter(f"`{form}` is not text or json", param_hint="--format")
    if explain is not None:
        if explain not in RULES:
            raise typer.BadParameter(f"there is no rule `{explain}`; there are {', '.join(sorted(RULES))}")
        rule = RULES[explain]
        typer.echo(f"{rule.id} ({rule.severity}): {rule.title}\n\n{rule.explanation}")
        return
    workspace = opening.workspace_of(context)
    store = opening.Store.if_there(workspace)
    loaded, edition, facts = opening.compiled(workspace, opening.issue_named(workspace, issue), store)
    report = check_issue(loaded, edition, facts, workspace.settings)
    if form == "json":
        say_json(report_json(report))
    else:
        say_report(report)
    if report.errors or (strict and report.warnings):
        raise typer.Exit(1)

"""The command line: parse, gather facts, call one function, print. The only place where errors become exit codes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import typer

from newsletter import errors
from newsletter.cli import adding, deciding, demo, following, keeping, people, reading, sending, writing
from newsletter.cli.output import say_problems

EXIT_CODES: dict[type[errors.NewsletterError], int] = {
    errors.ContentError: 1,
    errors.TemplateError: 1,
    errors.ChecksFailed: 1,
    errors.ConfigError: 3,
    errors.ProviderError: 4,
    errors.StoreError: 4,
}
INTERRUPTED = 5
_ClickException: Any = typer.BadParameter.__mro__[2]  # typer carries its own click, and does not export this

app = typer.Typer(
    name="newsletter",
    help="A newsletter in a folder: articles in; email, text and web out; sent to everyone exactly once.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # its import would take longer than all else that --help does
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@app.callback()
def _workspace(
    context: typer.Context,
    workspace: Path | None = typer.Option(
        None, "--workspace", "-C", metavar="DIR", help="Work in this newsletter's folder, not in the current one."
    ),
    version: bool = typer.Option(False, "--version", is_eager=True, help="Show the version."),
) -> None:
    if version:
        from newsletter import __version__

        typer.echo(f"newsletter {__version__}")
        raise typer.Exit
    context.obj = workspace


for group in (demo, writing, adding, sending, following, deciding, people, reading, keeping):
    group.register(app)


def main() -> None:
    """Run the command line; the exit code says what kind of fault there was (see README, "Exit codes")."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command; returns its exit code."""
    try:
        return int(app(arguments, standalone_mode=False) or 0)
    except errors.NewsletterError as error:
        say_problems(error.problems)
        return next(code for kind, code in EXIT_CODES.items() if isinstance(error, kind))
    except typer.Exit as end:
        return end.exit_code
    except _ClickException as error:
        error.show()
        return int(error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("interrupted", err=True)
        return INTERRUPTED

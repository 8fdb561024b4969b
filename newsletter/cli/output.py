"""How things are said: problems, findings, balances, tables, JSON. Paths are shown from where the person stands."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from newsletter.errors import Place, Problem

if TYPE_CHECKING:
    from newsletter.checks.rule import CheckReport
    from newsletter.store.deliveries import Balance


def shown(path: Path) -> str:
    """`path` from the current folder, where it lies below it."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def place(where: Place) -> str:
    """A place as FILE:LINE:COLUMN."""
    return str(Place(Path(shown(where.path)), where.line, where.column))


def say_problems(problems: Iterable[Problem]) -> None:
    """Print problems to standard error, each with its place and its hint."""
    for problem in problems:
        before = f"{place(problem.where)}: " if problem.where else "error: "
        typer.echo(f"{before}{problem.message}", err=True)
        if problem.hint:
            typer.echo(f"  hint: {problem.hint}", err=True)


def say_report(report: CheckReport) -> None:
    """Print what the checks found, what they could not look at, and the sum."""
    for finding in report.findings:
        before = f"{place(finding.place)}: " if finding.place else ""
        typer.echo(f"{before}{finding.severity}: {finding.message} [{finding.rule}]")
        if finding.hint:
            typer.echo(f"  hint: {finding.hint}")
    for skipped in report.skipped:
        typer.echo(f"not looked at: {skipped.rule}: {skipped.reason}")
    typer.echo(f"{counted(report.errors, 'error')}, {counted(report.warnings, 'warning')}")


def report_json(report: CheckReport) -> dict[str, Any]:
    """What the checks found, as `check --json` prints it."""
    findings = [
        {
            "rule": finding.rule,
            "severity": finding.severity,
            "message": finding.message,
            "path": shown(finding.place.path) if finding.place else None,
            "line": finding.place.line if finding.place else None,
            "column": finding.place.column if finding.place else None,
            "hint": finding.hint,
        }
        for finding in report.findings
    ]
    skipped = [{"rule": skipped.rule, "reason": skipped.reason} for skipped in report.skipped]
    return {"findings": findings, "skipped": skipped, "errors": report.errors, "warnings": report.warnings}


def say_balance(balance: Balance) -> None:
    """Print the balance sheet: what was selected is the sum of all below it."""
    rows = [("accepted", balance.accepted), ("failed", balance.failed)]
    rows += [(f"excluded ({reason})", number) for reason, number in balance.excluded.items()] or [("excluded", 0)]
    rows += [("uncertain", balance.uncertain), ("waiting", balance.waiting)]
    width = max(len(name) for name, _ in rows)
    typer.echo(f"  {'selected':<{width}}  {balance.selected:>9,}")
    for n, (name, number) in enumerate(rows):
        typer.echo(f"{'=' if n == 0 else '+'} {name:<{width}}  {number:>9,}")


def say_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table with aligned columns."""
    widths = [max(len(row[n]) for row in (head, *rows)) for n in range(len(head))]
    for row in (head, *rows):
        typer.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


def say_json(value: Any) -> None:
    """Print `value` as JSON."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def counted(number: int, noun: str) -> str:
    """A number with its noun: 1 error, 2 errors."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"

"""What a rule is and what it may say. An id is never used again for another rule: it stands in people's notes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from newsletter.checks.case import Case
from newsletter.errors import ChecksFailed, Place, Problem


class Severity(StrEnum):
    """An error keeps an issue from being sent."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a rule found; `place` is where the writer, or the designer, mends it."""

    rule: str
    severity: Severity
    message: str
    place: Place | None = None
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """A rule that did not look, or not at everything, and why."""

    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What the rules found, in the order of places, and what they did not look at."""

    findings: tuple[Finding, ...]
    skipped: tuple[Skipped, ...]

    @property
    def errors(self) -> int:
        return self._count(Severity.ERROR)

    @property
    def warnings(self) -> int:
        return self._count(Severity.WARNING)

    def stop_on_errors(self) -> None:
        """Raise ChecksFailed with every error, if there is one."""
        problems = [
            Problem(f"{finding.message} [{finding.rule}]", finding.hint, finding.place)
            for finding in self.findings
            if finding.severity is Severity.ERROR
        ]
        if problems:
            raise ChecksFailed.of(problems)

    def _count(self, severity: Severity) -> int:
        return sum(finding.severity is severity for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule's way to say a Finding: what it leaves out is the rule's own."""

    message: str | None = None
    place: Place | None = None
    hint: str | None = None
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Unable:
    """A rule's way to say a Skipped."""

    reason: str


Look = Callable[[Case], Iterator[Fault | Unable]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its id, its severity unless a fault has its own, what is wrong, and the explanation."""

    id: str
    severity: Severity
    title: str
    explanation: str
    look: Look

    def apply(self, case: Case) -> Iterator[Finding | Skipped]:
        """What the rule says of `case`."""
        for said in self.look(case):
            if isinstance(said, Unable):
                yield Skipped(self.id, said.reason)
            else:
                severity = said.severity or self.severity
                yield Finding(self.id, severity, said.message or self.title, said.place, said.hint)


RULES: dict[str, Rule] = {}


def rule(id: str, severity: Severity, title: str) -> Callable[[Look], Look]:
    """Register a generator function as the rule `id`; its docstring explains it: threshold and source."""

    def register(look: Look) -> Look:
        if id in RULES:
            raise ValueError(f"the rule {id} is there already")
        RULES[id] = Rule(id, severity, title, inspect.cleandoc(look.__doc__ or ""), look)
        return look

    return register

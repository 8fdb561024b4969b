"""May it go out: rules that look at an issue and its edition before anyone gets it.

A new rule is one generator function in the file of its family (content, markup, links, neighbours, legal): take the
Case, yield a Fault for what is wrong and Unable for what could not be looked at, and say threshold and source in the
docstring.
"""

from __future__ import annotations

from newsletter.checks import content, legal, links, markup, neighbours
from newsletter.checks.case import Case
from newsletter.checks.rule import RULES, CheckReport, Finding, Rule, Severity, Skipped
from newsletter.compile.edition import Edition, Facts
from newsletter.config import Settings
from newsletter.issue.model import Issue

FAMILIES = (content, markup, links, neighbours, legal)

__all__ = ["FAMILIES", "RULES", "CheckReport", "Finding", "Rule", "Severity", "Skipped", "check"]


def check(issue: Issue, edition: Edition, facts: Facts, settings: Settings) -> CheckReport:
    """Apply every rule to `issue` and the `edition` that it was compiled to."""
    case = Case(issue, edition, facts, settings)
    said = [result for rule in RULES.values() for result in rule.apply(case)]
    findings = sorted((result for result in said if isinstance(result, Finding)), key=_order)
    return CheckReport(tuple(findings), tuple(result for result in said if isinstance(result, Skipped)))


def _order(finding: Finding) -> tuple[bool, str, int, int, str]:
    place = finding.place
    if place is None:
        return True, "", 0, 0, finding.rule
    return False, str(place.path), place.line or 0, place.column or 0, finding.rule

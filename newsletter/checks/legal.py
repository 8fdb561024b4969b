"""Rules about what the law and the mailbox providers ask of every copy."""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.checks.case import Case
from newsletter.checks.rule import Fault, Severity, Unable, rule
from newsletter.compile.slots import Program

UNSUBSCRIBE = "links.unsubscribe"


@rule("LIST007", Severity.ERROR, "there is no unsubscribe link")
def unsubscribe_link(case: Case) -> Iterator[Fault | Unable]:
    """The personal unsubscribe link stands in the HTML and in the text part, so that who wants to leave can.

    Not looked for where the mail service puts a link of its own into each copy. Source: CAN-SPAM (16 CFR 316.5),
    Google (support.google.com/mail/answer/81126) and Yahoo (senders.yahooinc.com) for bulk senders.
    """
    if case.facts.manages_unsubscribe:
        yield Unable(f"{case.facts.provider} puts its own unsubscribe link into each copy")
        return
    for name, programs in _parts(case):
        if not all(any(slot.name == UNSUBSCRIBE for slot in program.slots) for program in programs):
            yield Fault(
                f"there is no unsubscribe link in the {name}",
                hint="the theme’s footer holds it: {{ links.unsubscribe }}",
            )


@rule("LEGAL001", Severity.ERROR, "there is no postal address")
def postal_address(case: Case) -> Iterator[Fault | Unable]:
    """The sender's postal address is configured, and stands in the HTML and in the text part.

    Compared by its words, however they are broken into lines. Source: CAN-SPAM (15 USC 7704(a)(5)), CASL section 6(2).
    """
    address = _words(case.settings.publication.postal_address)
    if not address:
        yield Fault(hint='newsletter.toml, under [publication]: postal_address = "1 Example Street, 12345 Example"')
        return
    for name, texts in (("HTML", [page.words for page in case.pages]), ("text part", case.texts)):
        if not all(address in _words(text) for text in texts):
            yield Fault(f"the postal address is not in the {name}", hint="the theme’s footer should hold it")


def _parts(case: Case) -> tuple[tuple[str, list[Program]], ...]:
    variants = case.edition.variants
    return ("HTML", [variant.html for variant in variants]), ("text part", [variant.text for variant in variants])


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text))

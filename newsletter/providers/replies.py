"""What a relay's replies mean (RFC 5321 section 4.2): the outcome, whose fault a refusal is, and how long to wait.

The first digit says whether a refusal is for now or for good; the enhanced status code behind it (RFC 3463) says what
it is about. Here "you send too fast" is told from "this recipient, later", for which the same codes are in use.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from newsletter.providers.base import Fault, Outcome, Result

_CLOSING = 421
_VERDICTS = {2: Outcome.ACCEPTED, 4: Outcome.LATER, 5: Outcome.REJECTED}
_ACCEPTED = _VERDICTS[2]

_FAULTS = (  # by code and enhanced status code; the first that fits
    (r"421 4\.7\.", Fault.SENDER),  # too fast: Gmail's 4.7.0 and 4.7.28, Yahoo's 4.7.0 [TSS04]
    (r"421", Fault.SERVICE),
    (r"454", Fault.SENDER),  # authentication (RFC 4954 section 6); Amazon's "454 Throttling failure"
    (r"4.. 4\.7\.[01]$", Fault.RECIPIENT),  # greylisting (RFC 6647): their server waits whether we come again
    (r"... .\.1\.[78]$", Fault.SENDER),  # the sender's address, which is looked at as late as at RCPT
    (r"... .\.3\.4$", Fault.SENDER),  # the message is too big for the system
    (r"... .\.5\.3$", Fault.SENDER),  # too many recipients; with one in a message: too many messages
    (r"... .\.6\.7$", Fault.RECIPIENT),  # an address in letters that are not taken (RFC 6531 section 3.5)
    (r"... .\.[124]\.", Fault.RECIPIENT),  # address, mailbox (Gmail's 4.2.1: it gets too much), way to their server
    (r"... .\.[67]\.", Fault.SENDER),  # content; policy: blocked, not authentic (RFC 7372), Microsoft's 4.7.650
    (r"... .\.[35]\.", Fault.SERVICE),  # the mail system (4.3.1: its disk), the dialogue
    (r"45[01]", Fault.RECIPIENT),  # without more: how greylisting was answered before there were such codes
)
"""Sources beside the RFCs: Gmail, support.google.com/a/answer/3726730; Yahoo, senders.yahooinc.com/smtp-error-codes;
Amazon, docs.aws.amazon.com/ses/latest/dg/troubleshoot-smtp.html; Postgrey's 450 4.2.0, rspamd's 451 4.7.1."""

_STATUS = re.compile(r"#?([245]\.\d{1,3}\.\d{1,3})\b")  # what the text begins with (RFC 2034 section 4)
_QUEUED_AS = re.compile(r"[Qq]ueued as (\S+)")
_WAIT = re.compile(
    r"\b(?:again|retry|back|wait|greylist\w*|deferred|delayed)\b[^\d.;]{0,20}\b"
    r"(?:(?P<hours>\d{1,3}):(?P<minutes>\d\d):(?P<seconds>\d\d)"
    r"|(?P<number>\d{1,5}) ?(?P<unit>s|m|h)(?:ec(?:ond)?s?|in(?:ute)?s?|(?:ou)?rs?)?)\b",
    re.IGNORECASE,
)
_UNITS = {"s": 1, "m": 60, "h": 3600}


class Reply(NamedTuple):
    """What the relay says to one command or body, its lines joined."""

    code: int
    text: bytes = b""

    def __str__(self) -> str:
        return f"{self.code} {self.words}".strip()

    @property
    def words(self) -> str:
        return " ".join(self.text.decode("utf-8", "replace").split())[:500]

    @property
    def closes(self) -> bool:
        """Whether it ends the connection."""
        return self.code == _CLOSING

    @property
    def fault(self) -> Fault:
        """Whose it is that the relay refuses, as far as the reply says."""
        status = _STATUS.match(self.words)
        said = f"{self.code} {status[1] if status else ''}".strip()
        return next((fault for pattern, fault in _FAULTS if re.match(pattern, said)), Fault.SERVICE)

    @property
    def retry_after(self) -> float | None:
        """The seconds that its words ask to wait."""
        found = _WAIT.search(self.words)
        if not found:
            return None
        if found["unit"]:
            return float(found["number"]) * _UNITS[found["unit"].lower()]
        return float(found["hours"]) * 3600 + float(found["minutes"]) * 60 + float(found["seconds"])

    def verdict(self, recipient: str) -> Result:
        """What it means as the answer to the body for `recipient` (RFC 5321 section 4.2.1)."""
        outcome = _VERDICTS.get(self.code // 100)
        if outcome is not _ACCEPTED:
            return self._refusal(recipient, outcome or Outcome.UNCERTAIN, self.fault)
        said = str(self)
        queued = _QUEUED_AS.search(said)
        return Result(recipient=recipient, outcome=outcome, detail=said, provider_id=queued[1] if queued else "")

    def refusal(self, recipient: str, *, at_sender: bool = False) -> Result:
        """What it means before the body for `recipient`; `at_sender`: to MAIL, when nothing is known of a recipient."""
        outcome = Outcome.REJECTED if self.code // 100 == 5 else Outcome.LATER
        fault = self.fault
        return self._refusal(recipient, outcome, Fault.SENDER if at_sender and fault is Fault.RECIPIENT else fault)

    def _refusal(self, recipient: str, outcome: Outcome, fault: Fault) -> Result:
        return Result(recipient=recipient, outcome=outcome, detail=str(self), fault=fault, retry_after=self.retry_after)

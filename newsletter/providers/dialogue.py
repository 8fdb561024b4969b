"""What is said to a relay once a connection stands (RFC 5321), as fast as the wire allows.

Where the relay offers PIPELINING (RFC 2920), MAIL, RCPT and DATA go out in one write, and together with the end of the
message before them: one message, one round trip. DATA stays the last of its group, so a body is never written before
its own 354. Where it is not offered, the same words go out one by one. Every message is ASCII in lines of at most 998
characters (quoted-printable or base64), so 8BITMIME is never needed.

A message is handed over between the relay's 354 and its answer to the final dot. What is lost before that is certainly
not handed over; what is lost within may be either.
"""

from __future__ import annotations

import re
import smtplib
from contextlib import suppress
from typing import NamedTuple

from newsletter.config import secret_variable
from newsletter.errors import ProviderError
from newsletter.message import Recipient
from newsletter.providers.base import Result
from newsletter.providers.replies import Reply
from newsletter.providers.wire import Command, Lost, Wire

PASSWORD = secret_variable("smtp", "password")
_OK = frozenset({250, 251})
_GO_AHEAD = frozenset({354})
_ENVELOPE = (("MAIL", _OK), ("RCPT", _OK), ("DATA", _GO_AHEAD))
_TOO_LARGE = 552
_WHO_ARE_YOU = {530, 534, 535, 538}  # RFC 4954 section 6: it is we who are refused, not the recipient
_MAILMAX = re.compile(r"\bMAILMAX=([1-9]\d*)", re.IGNORECASE)
_GOODBYE = 5.0


class Letter(NamedTuple):
    """A message for one recipient, from a bare address.

    `data` is the message as it stands on the wire, without the final dot: CRLF line ends, a dot that begins a line
    doubled (`stuffed` does it).
    """

    recipient: Recipient
    sender: str
    data: bytes


def stuffed(message: bytes) -> bytes:
    """`message` with each dot doubled that begins a line (RFC 5321 section 4.5.2)."""
    return (b"." + message if message.startswith(b".") else message).replace(b"\n.", b"\n..")


class Refused(Exception):
    """The relay refuses one message, before its body; `at_sender`: before it was told for whom it is."""

    def __init__(self, reply: Reply, *, at_sender: bool = False) -> None:
        self._reply = reply
        self._at_sender = at_sender
        super().__init__(str(reply))

    def result(self, recipient: str) -> Result:
        return self._reply.refusal(recipient, at_sender=self._at_sender)


class Dialogue:
    """A conversation over `connection`, which stands, is encrypted and logged in as it should be.

    For each message: `announce`, `await_permission`, `hand_over`. `concluded` counts those that the relay has said its
    last word on; it takes `most`, or as many as the relay says (RFC 9422 section 4.1), and is then to be closed.
    """

    def __init__(self, connection: smtplib.SMTP, most: int) -> None:
        self.connection = connection
        self._wire = Wire(connection)
        size = connection.esmtp_features.get("size")  # RFC 1870: without a number or with 0 there is no limit
        self._announces_size = size is not None
        self._largest = int(size) if size and size.isdecimal() else 0
        self._international = connection.has_extn("smtputf8")
        limit = _MAILMAX.search(connection.esmtp_features.get("limits", ""))
        self._most = min(most, int(limit[1])) if limit else most
        self.concluded = 0
        self.usable = True

    def takes(self, more: int) -> bool:
        """Whether this connection carries so many `more`."""
        return self.concluded + more <= self._most

    def refusal(self, letter: Letter) -> Refused | None:
        """What the relay would say of `letter`, as far as it has told already what it does not take."""
        address = letter.recipient.address + letter.sender
        if not address.isprintable():
            return Refused(Reply(501, b"5.1.3 the address has control characters in it"))
        if not self._international and not address.isascii():
            status = b"5.6.7" if letter.sender.isascii() else b"5.1.7"
            words = b"%s the relay does not take addresses in other than ASCII letters (SMTPUTF8)" % status
            return Refused(Reply(553, words))
        if 0 < self._largest < len(letter.data):
            words = b"5.3.4 the message has %d bytes; the relay takes %d" % (len(letter.data), self._largest)
            return Refused(Reply(_TOO_LARGE, words))
        return None

    def announce(self, letter: Letter) -> None:
        """MAIL, RCPT, DATA: they go out with the end of the message before them, or with `await_permission`."""
        self._wire.say(*self._commands(letter))

    def await_permission(self, letter: Letter) -> None:
        """Until the relay waits for the body of `letter`, announced before.

        Raises Refused (the dialogue goes on with the next, if it is still `usable`), Lost, ProviderError.
        """
        for command, good in _ENVELOPE:
            reply = self._wire.hear()
            if reply.code not in good:
                raise self._refused(letter, command, reply)
        self.usable = False  # nobody says QUIT within a message
        if self._wire.talkative:
            raise Lost("the relay says more than it was asked")

    def hand_over(self, letter: Letter, behind: Letter | None) -> Reply:
        """Write the body of `letter`, and the announcement of the one `behind` it; the answer to the body.

        Raises Lost: then nobody can know whether the relay has taken it.
        """
        self._wire.say((letter.data, b".\r\n" if letter.data.endswith(b"\r\n") else b"\r\n.\r\n"))
        if behind:
            self.announce(behind)
        reply = self._wire.hear()
        self.usable = reply.code // 100 in {2, 4, 5} and not reply.closes
        self.concluded += 1
        return reply

    def close(self) -> None:
        """Say goodbye, if the relay is listening."""
        if self.usable and self._wire.idle:
            with suppress(Lost):
                self._wire.wait(_GOODBYE)
                self._wire.say((b"QUIT\r\n",))
                self._wire.hear()
        self.usable = False
        self.connection.close()

    def _commands(self, letter: Letter) -> tuple[Command, ...]:
        sender, address = letter.sender, letter.recipient.address
        size = f" SIZE={len(letter.data)}" if self._announces_size else ""
        international = "" if address.isascii() and sender.isascii() else " SMTPUTF8"
        return (
            (f"MAIL FROM:<{sender}>{size}{international}\r\n".encode(),),
            (f"RCPT TO:<{address}>\r\n".encode(),),
            (b"DATA\r\n",),
        )

    def _refused(self, letter: Letter, command: str, reply: Reply) -> Refused | Lost:
        """What `reply` to `command` means for `letter`, once the relay has said all; raises ProviderError.

        Whatever it says or does then, it has refused.
        """
        if reply.closes:
            self.usable = False
            return Lost(reply)
        self._stop_for_all(command, letter, reply)
        self._wire.keep_quiet()
        at_sender, taken, last = command == "MAIL", command == "DATA", reply
        try:
            while self._wire.unanswered and not last.closes:
                last = self._wire.hear()
                taken = taken or (at_sender and last.code in _OK)
            self._clear(last, for_somebody=taken)
        except Lost:
            self.usable = False
        self.concluded += 1
        return Refused(reply, at_sender=at_sender)

    def _stop_for_all(self, command: str, letter: Letter, reply: Reply) -> None:
        """Raises ProviderError if it is not the recipient who is refused."""
        if reply.code in _WHO_ARE_YOU:
            self.usable = False
            raise ProviderError(
                f"the relay wants to know who sends: {reply}",
                hint=f"set `username` in [providers.smtp] and {PASSWORD} in the environment",
            )
        if command == "MAIL" and reply.code // 100 == 5 and reply.code != _TOO_LARGE:
            self.usable = False
            raise ProviderError(
                f"the relay refuses the sender {letter.sender}: {reply}",
                hint="`from` in newsletter.toml must be an address that the relay lets this username send from",
            )

    def _clear(self, last: Reply, *, for_somebody: bool) -> None:
        """End what the relay, which said this `last`, has begun with somebody whom it refuses.

        It may wait for a body though it has taken no recipient: it gets a lone dot (RFC 2920 section 3.1). Had it taken
        one, the dot would be an empty mail to them.
        """
        waits = last.code in _GO_AHEAD
        if last.closes or (waits and for_somebody):
            self.usable = False
            return
        self._wire.say((b".\r\n" if waits else b"RSET\r\n",))
        reply = self._wire.hear()
        self.usable = not reply.closes and (waits or reply.code in _OK)

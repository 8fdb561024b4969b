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
import socket
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, replace

from newsletter.config import secret_variable
from newsletter.errors import ProviderError
from newsletter.message import Recipient
from newsletter.providers.base import Fault, Outcome, Result
from newsletter.providers.replies import Reply

PASSWORD = secret_variable("smtp", "password")
_OK = frozenset({250, 251})
_GO_AHEAD = frozenset({354})
_TOO_LARGE = 552
_WHO_ARE_YOU = {530, 534, 535, 538}  # RFC 4954 section 6: it is we who are refused, not the recipient
_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*))?", re.DOTALL)
_MAILMAX = re.compile(r"\bMAILMAX=([1-9]\d*)", re.IGNORECASE)
_REPLY_BYTES = 65_536
_GROUP = 4  # the end of a message, and MAIL, RCPT, DATA of the next
_GOODBYE = 5.0


@dataclass(frozen=True, slots=True)
class Letter:
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


class Lost(Exception):
    """There is no connection, or it is of no use any more: in words of ours, or of the relay."""

    def __init__(self, why: Reply | str) -> None:
        self._reply = why if isinstance(why, Reply) else Reply(0)
        super().__init__(str(why))

    def unknown(self, recipient: str) -> Result:
        """What it means for `recipient`, who has been handed over."""
        return replace(self.result(recipient), outcome=Outcome.UNCERTAIN, detail=f"no answer: {self}")

    def result(self, recipient: str) -> Result:
        """What it means for `recipient`, who has not been handed over, and whose fault it is not."""
        return Result(
            recipient=recipient,
            outcome=Outcome.LATER,
            detail=str(self),
            fault=Fault.SENDER if self._reply.fault is Fault.SENDER else Fault.SERVICE,
            retry_after=self._reply.retry_after,
        )


class TimedOut(Lost):
    """The relay does not answer."""


class Dialogue:
    """A conversation over `connection`, which stands, is encrypted and logged in as it should be.

    For each message: `announce`, `await_permission`, `hand_over`. `concluded` counts those that the relay has said its
    last word on; it takes `most`, or as many as the relay says (RFC 9422 section 4.1), and is then to be closed.
    """

    def __init__(self, connection: smtplib.SMTP, most: int) -> None:
        assert connection.sock is not None
        self.connection = connection
        self._socket = connection.sock
        # Nagle would keep the end of a body back until all before it is acknowledged: a round trip for nothing.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._window = _GROUP if connection.has_extn("pipelining") else 1
        size = connection.esmtp_features.get("size")  # RFC 1870: without a number or with 0 there is no limit
        self._announces_size = size is not None
        self._largest = int(size) if size and size.isdecimal() else 0
        self._international = connection.has_extn("smtputf8")
        limit = _MAILMAX.search(connection.esmtp_features.get("limits", ""))
        self._most = min(most, int(limit[1])) if limit else most
        self._unsaid: deque[bytes] = deque()
        self._unanswered = 0
        self._read = b""
        self.concluded = 0
        self.usable = True

    def takes(self, more: int) -> bool:
        """Whether this connection carries so many `more`."""
        return self.concluded + more <= self._most

    def refusal(self, letter: Letter) -> Refused | None:
        """What the relay would say of `letter`, as far as it has told already what it does not take."""
        address = letter.recipient.address
        if not (address + letter.sender).isprintable():
            return Refused(Reply(501, b"5.1.3 the address has control characters in it"))
        if not self._international and not (address + letter.sender).isascii():
            status = b"5.6.7" if letter.sender.isascii() else b"5.1.7"
            words = b"%s the relay does not take addresses in other than ASCII letters (SMTPUTF8)" % status
            return Refused(Reply(553, words))
        if 0 < self._largest < len(letter.data):
            words = b"5.3.4 the message has %d bytes; the relay takes %d" % (len(letter.data), self._largest)
            return Refused(Reply(_TOO_LARGE, words))
        return None

    def announce(self, letter: Letter) -> None:
        """MAIL, RCPT, DATA: they go out with the end of the message before them, or with `await_permission`."""
        self._unsaid.extend(self._commands(letter))

    def await_permission(self, letter: Letter) -> None:
        """Until the relay waits for the body of `letter`, announced before.

        Raises Refused (the dialogue goes on with the next, if it is still `usable`), Lost, ProviderError.
        """
        refused: Reply | None = None
        accepted: set[str] = set()
        last = Reply(0)
        for command, good in (("MAIL", _OK), ("RCPT", _OK), ("DATA", _GO_AHEAD)):
            last = self._answer_but_for(refused, at_sender="MAIL" not in accepted)
            if last.code in good:
                accepted.add(command)
            elif refused is None:
                refused = self._refusing(command, letter, last)
                self._unsaid.clear()
            if refused and not self._unanswered:
                self._clear(waits=last.code in _GO_AHEAD, for_somebody="RCPT" in accepted)
                raise Refused(refused, at_sender="MAIL" not in accepted)
        if self._read:
            raise self._lost(Lost("the relay says more than it was asked"))
        self.usable = False  # nobody says QUIT within a message

    def hand_over(self, letter: Letter, behind: Letter | None) -> Reply:
        """Write the body of `letter`, and the announcement of the one `behind` it; the answer to the body.

        Raises Lost: then nobody can know whether the relay has taken it.
        """
        end = b".\r\n" if letter.data.endswith(b"\r\n") else b"\r\n.\r\n"
        self._unsaid.append(letter.data + end)
        if behind:
            self.announce(behind)
        answer = self._answer()
        self.usable = answer.code // 100 in {2, 4, 5} and not answer.closes
        self.concluded += 1
        return answer

    def close(self) -> None:
        """Say goodbye, if the relay is listening."""
        if self.usable and not self._unanswered and not self._unsaid:
            with suppress(Lost, OSError):
                self._socket.settimeout(min(_GOODBYE, self._socket.gettimeout() or _GOODBYE))
                self._unsaid.append(b"QUIT\r\n")
                self._answer()
        self.usable = False
        self.connection.close()

    def _commands(self, letter: Letter) -> tuple[bytes, bytes, bytes]:
        sender, address = letter.sender, letter.recipient.address
        size = f" SIZE={len(letter.data)}" if self._announces_size else ""
        international = "" if (sender + address).isascii() else " SMTPUTF8"
        return (
            f"MAIL FROM:<{sender}>{size}{international}\r\n".encode(),
            f"RCPT TO:<{address}>\r\n".encode(),
            b"DATA\r\n",
        )

    def _answer_but_for(self, refused: Reply | None, *, at_sender: bool) -> Reply:
        """The next reply; who has been `refused` stays so if none comes."""
        try:
            answer = self._answer()
            if answer.closes:
                raise self._lost(Lost(answer))
        except Lost:
            if refused:
                raise Refused(refused, at_sender=at_sender) from None
            raise
        return answer

    def _refusing(self, command: str, letter: Letter, answer: Reply) -> Reply:
        """`answer`, unless it says that it is not the recipient who is refused: that is a ProviderError."""
        if answer.code in _WHO_ARE_YOU:
            self.usable = False
            raise ProviderError(
                f"the relay wants to know who sends: {answer}",
                hint=f"set `username` in [providers.smtp] and {PASSWORD} in the environment",
            )
        if command == "MAIL" and answer.code // 100 == 5 and answer.code != _TOO_LARGE:
            self.usable = False
            raise ProviderError(
                f"the relay refuses the sender {letter.sender}: {answer}",
                hint="`from` in newsletter.toml must be an address that the relay lets this username send from",
            )
        return answer

    def _clear(self, *, waits: bool, for_somebody: bool) -> None:
        """End what the relay has begun with somebody whom it refuses.

        It may wait for a body though it has taken no recipient: it gets a lone dot (RFC 2920 section 3.1). Had it taken
        one, the dot would be an empty mail to them.
        """
        self.concluded += 1
        if waits and for_somebody:
            self.usable = False
            return
        self._unsaid.append(b".\r\n" if waits else b"RSET\r\n")
        with suppress(Lost):  # if it is lost, it is not usable
            answer = self._answer()
            self.usable = not answer.closes and (waits or answer.code in _OK)

    def _answer(self) -> Reply:
        """The next reply, once all has been written that may be; raises Lost."""
        try:
            self._write()
            answer = self._reply()
        except TimeoutError as error:
            raise self._lost(TimedOut(f"the relay said nothing for {self._socket.gettimeout():g} seconds")) from error
        except OSError as error:
            raise self._lost(Lost(f"the connection was lost: {error.strerror or error}")) from error
        self._unanswered -= 1
        return answer

    def _write(self) -> None:
        group = [self._unsaid.popleft() for _ in range(min(len(self._unsaid), self._window - self._unanswered))]
        if group:
            self._unanswered += len(group)
            self._socket.sendall(b"".join(group))

    def _reply(self) -> Reply:
        texts: list[bytes] = []
        while True:
            line = self._line()
            found = _LINE.fullmatch(line)
            if not found:
                raise self._lost(Lost(f"the relay says what is no SMTP: {line[:80]!r}"))
            code, more, text = found.groups(b"")
            texts.append(text)
            if more != b"-":
                return Reply(int(code), b" ".join(texts))
            if sum(map(len, texts)) > _REPLY_BYTES:
                raise self._lost(Lost("the relay does not stop talking"))

    def _line(self) -> bytes:
        while (end := self._read.find(b"\n")) < 0:
            if len(self._read) > _REPLY_BYTES:
                raise self._lost(Lost("the relay does not end its line"))
            data = self._socket.recv(_REPLY_BYTES)
            if not data:
                raise self._lost(Lost("the relay closed the connection"))
            self._read += data
        line, self._read = self._read[:end], self._read[end + 1 :]
        return line.removesuffix(b"\r")

    def _lost(self, error: Lost) -> Lost:
        self.usable = False
        return error


def cut(connection: smtplib.SMTP) -> None:
    """End `connection` from another thread, whatever is under way; the one that waits for a reply is told."""
    if connection.sock:
        with suppress(OSError):  # the plain socket's own: that of TLS would let what is under way go on unencrypted
            socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)

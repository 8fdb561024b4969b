"""What of a service's words may be shown to anybody: nothing that could be about a person.

A list of what is personal is never complete; so it is the other way round. A reply's code, its status (RFC 3463), the
words that mail services refuse with and the names of the large ones pass; all else, and whatever is known of the person
whom it is about, becomes "…". A relay may say what it likes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby

HIDDEN = "…"
_LONGEST = 300
_CODE = re.compile(r"[2-5]\d\d(?=[ -]|$)")
_CODE_WITHIN = re.compile(r"[45]\d\d")
_STATUS = re.compile(r"#?[245]\.\d{1,3}\.\d{1,3}")
_EDGES = " \t.,:;!?()[]{}<>\"'`*#-=|/"
_BETWEEN = re.compile(r"[-/:=,'()\[\]]+")
_STOPS = ",.:;"
_HOST = re.compile(r"(?:[a-z0-9_-]+\.)+[a-z]{2,}")
_LETTERS = re.compile(r"\w+")


LARGE_SERVICES = frozenset(
    """
163.com amazonaws.com amazonses.com aol.com apple.com barracudacentral.org barracudanetworks.com cloudmark.com
comcast.net free.fr gmail.com gmx.de gmx.net google.com googlemail.com hotmail.com icloud.com libero.it live.com
mail.ru mailgun.net mailgun.org mailspike.org messagelabs.com microsoft.com mimecast.com office.com office365.com
orange.fr outlook.com ovh.net pphosted.com proofpoint.com proton.me protonmail.ch qq.com rackspace.com sendgrid.net
seznam.cz sorbs.net spamcop.net spamhaus.com spamhaus.org surbl.org t-online.de trendmicro.com uceprotect.net
uribl.com web.de yahoo.co.jp yahoo.com yahoodns.net yandex.net yandex.ru zoho.com
""".split()  # noqa: SIM905
)
"""Mailbox providers with so many people, and lists of blocked senders, that naming them names nobody."""

VOCABULARY = frozenset(
    """
a aborted abuse accept acceptable accepted accepting accepts access account accounts act action active actively
activity actual add added additional address addressee addresses administrative administratively administrator after
again against age alias aliases all allow allowed allows already also an and another answer answered anti any
anybody anymore anyone appear appears approved are aren as ascii ask asked at attachment attachments attempt
attempted attempts auth authenticate authenticated authentication authenticity authority authorization authorized
available aware away back backend backup bad bandwidth banned barracuda based be because been before begin being
believed below better black blacklist blacklisted blank block blocked blocking blocklist blocklisted blocks body
both bounce bounced bounces broke broken bulk busy but by byte bytes cache call came can cannot capacity catch
certainly certificate certificates change changed character characters charset check checked checking checks cipher
class client clients close closed closes closing code codes come comes command commands complained complaint
complaints complete completed complies comply condition configuration configured conform congested congestion
connect connected connecting connection connections connects consider contact contacting contain contains content
contents continue control conversation copies copy correct could couldn count counts crashed credentials currently
custom customer cut daemon daily damaged data database day days deactivated dead decode decoded default defer
deferral deferred defined delay delayed delete deleted deliver deliverable delivered deliveries delivering delivery
denied deny denying detected detection determine device did didn died different directory disabled disallowed
discarded disconnect disconnected disconnecting discontinued discussion disk dkim dmarc dns dnsbl do does doesn
domain domains don done double down drop dropped due duplicate during dynamic each early ehlo eight either email
emails empty enabled encoding encountered encrypted encryption end ended ends enforced enough entries entry envelope
error errors especially established etc everybody everything exceed exceeded exceeding exceeds except exception
excessive exchange excluded exhausted exist existent existing exists expansion expect expected expire expired expn
extension external fail failed failing fails failure false fast faster few field fields file files filter filtered
filtering filters find first flagged folder follow following for forbidden force forged format forward forwarded
forwarding forwards found frequency frequent frequently from full further future gateway generic get give given
gmail go goes gone good goodbye google got gray graylist graylisted graylisting greet greeting grey greylist
greylisted greylisting group groups guidelines had handed handing handle handling handover has hasn have having head
header headers heavy held hello helo help here high higher historically hold hop hops host hosts hour hourly hours
how html hundred i id idle if ignored illegal immediately implementation in inactive inbound include included
includes including incoming incomplete incorrect increase indicates individual information infrastructure initiate
input insufficient intended interaction internal internet interrupted invalid ip ipv4 ipv6 is isn issue issues it
item its job journal journals junk just keep kept key keys killed kind know known knows large larger last lasts
latency later lease least left legitimate length less level limit limitation limited limiting limits line lines link
links list listed listing lists literal ll load loads local locally location locked log long longer look lookup loop
loops lost low lower lowercase machine magic mail mailbox mailboxes maildrop mailer mailhost mailing mails main
maintenance make malformed malicious malware management manager many match matched matches maximum may mechanism
member members memory message messages method microsoft might mime minimum minute minutes misconfigured mismatch
missing misspelled mode moderation moment monitored more most moved much multiple must mx name named names near need
needed needs net network networks never new newsletter no nobody non none nor normal not nothing notice notification
now null number numbers object obsolete occurred of off offer offered offers often ok old on once one ones only open
operation operational operator option options or order ordinal organization origin original originating other others
our out outbound outgoing outlook over overloaded overloading overquota own p page pages parameter parameters parse
part partial particular parts pass passed passing password past path pattern pause paused peer pending people per
percentage perhaps period permanent permanently permission permissions permitted phishing phrase pipe pipelining
place plain please point policies policy pool poor port ports possible possibly post postmaster prevent prevented
previous previously privacy private probably problem problems process processed processing prohibited protect
protected protection protocol provide provided provider providers ptr public put query queue queued queueing quiet
quit quota quoted r range rate rates rather rbl rcpt re reach reachable reached read reading reason reasons receipt
receive received receiver receives receiving recent recently recipient recipients recognised recognized reconnect
record records reduce reestablish refer reference refuse refused refuses refusing regarding register registered
regular reject rejected rejecting rejection rejections rejects related relay relayed relaying released remote
removal remove removed repeat repeated repeatedly reply report reported reporting reports reputation request
requested requests require required requirement requirements requires reserved reset resolution resolve resolved
resource resources respond response responses restored restricted restriction restrictions result results resume
retried retries retry return returned reverse review rfc right rights risk root route routed router routing rset
rule rules run running s safe said same saturated says scan scanned scanner scheduled score scored script second
seconds secure security see seem seems seen self send sender senders sending sends sent sequence serve served server
servers service services session sessions set setting settings several shared short should shut shutdown signature
signed silent similar simultaneous since site size slow slowly small smtp smtputf8 so soft software solicited some
somebody someone something soon source space spaces spam spamcop spamhaus spammer spamming spamtrap speaks specific
specified spf spoofed ssl standard standards start started starttls state status still stop stopped storage stored
stream string strong sub subject submission submit submitted subscribed subscriber such suggest supplied support
supported suppressed suppression suspected suspended suspicious syntax system systems t table take taken takes
talking target telephone tell tempfail temporarily temporary terminated terminating test text than that the their
them then there therefore these they thing this those though threat threshold throttle throttled throttling through
tied time timed timely timeout times tls to today told tolerated too total tracking traffic transaction transactions
transfer transferred transient transmission transport trap tried trigger triggered true trust trusted try trying
turn twice two type typed typos un unable unacceptable unauthenticated unauthorized unavailable uncertain undefined
undeliverable under unencrypted unexpected unfortunately unknown unless unlimited unlisted unnecessary unreachable
unrecognized unrouteable unsolicited unsubscribe unsupported until unusual unusually unverified up upgrade upon
uppercase url us usage use used user username users uses using usual utf valid valued values ve verification
verified verify version very via violates violating violation violations virtual virus viruses visit vrfy wait
waited waiting waits want wanted wants warning was wasn way we web website week well were what when where whether
which whitelist whitelisted who whole whom whose why will window with within without won word words would write
writing written wrong yahoo yet you your yourself zero zone
""".split()  # noqa: SIM905
)
"""What Postfix, Exim, Exchange, Gmail, Outlook.com, Yahoo, Amazon and Mailgun refuse with, and this program itself."""


def discreet(said: str, personal: Iterable[str] = ()) -> str:
    """`said` as anybody may read it; `personal` are texts about the person: an address, a name, values."""
    known = {word for text in personal for word in _LETTERS.findall(text.casefold())}
    code = _CODE.match(said)
    rest = said[code.end() :] if code else said
    words = [code[0]] if code else []
    for hidden, row in groupby((_shown(token, known) for token in rest.split()), HIDDEN.__eq__):
        words += [HIDDEN] if hidden else row
    return " ".join(words)[:_LONGEST]


def _shown(token: str, personal: set[str]) -> str:
    shown, parts = _without_anybody(token)
    return HIDDEN if any(part in personal for part in parts) else shown


@lru_cache(maxsize=4096)
def _without_anybody(token: str) -> tuple[str, Sequence[str]]:
    """What may be shown of `token` if it is about nobody in particular, and the words in that."""
    core = token.strip(_EDGES)
    if _STATUS.fullmatch(core):
        return core, ()
    if _CODE_WITHIN.fullmatch(core):
        return core, (core,)
    if not core.isascii() or "@" in token:
        return HIDDEN, ()
    if service := _large_service(core.lower()):
        return service, ()
    parts = [part for part in _BETWEEN.split(core.lower()) if part]
    if not parts or not VOCABULARY.issuperset(parts):
        return HIDDEN, ()
    return core + (token[-1] if token[-1] in _STOPS else ""), parts


def _large_service(text: str) -> str:
    """The large service that a host or web address in `text` belongs to, by its domain alone."""
    return next((domain for host in _HOST.findall(text) for domain in _domains(host) if domain in LARGE_SERVICES), "")


def _domains(host: str) -> Iterator[str]:
    """`host` and each domain that it lies in."""
    labels = host.split(".")
    return (".".join(labels[n:]) for n in range(len(labels) - 1))

"""Files from the web: what is fetched, what it may cost, and whom nobody can make this machine ask."""

import gzip
import ipaddress
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from newsletter.errors import ContentError, Place
from newsletter.fetch import Fetched, fetch
from tests.certificates import self_signed

HERE = [ipaddress.ip_network("127.0.0.0/8")]
PNG = b"\x89PNG and more"
Answer = Callable[[socket.socket], None]


def said(body: bytes, *headers: str, status: str = "200 OK") -> Answer:
    """An answer with `body`; its length and media type, where `headers` do not say them."""
    given = "".join(f"{header}\r\n" for header in headers)
    for usual in (f"Content-Length: {len(body)}", "Content-Type: image/png"):
        if usual.partition(":")[0] not in given:
            given += f"{usual}\r\n"
    return lambda client: client.sendall(f"HTTP/1.1 {status}\r\n{given}\r\n".encode() + body)


def moved(to: str, status: str = "302 Found") -> Answer:
    return said(b"", f"Location: {to}", status=status)


@dataclass
class Server:
    """A server on a free port of 127.0.0.1 that answers by path and keeps the requests."""

    answers: dict[str, Answer]
    context: ssl.SSLContext | None = None
    requests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def url(self, path: str, host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            with client:
                try:
                    self._serve(client)
                except OSError:  # who asked has gone
                    continue

    def _serve(self, client: socket.socket) -> None:
        client.settimeout(5)
        if self.context:
            client = self.context.wrap_socket(client, server_side=True)
        request = b""
        while not request.endswith(b"\r\n\r\n"):
            piece = client.recv(4096)
            if not piece:
                return
            request += piece
        self.requests.append(request.decode())
        self.answers[request.split(b" ")[1].decode()](client)
        client.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    running: list[Server] = []

    def start(context: ssl.SSLContext | None = None, /, **answers: Answer) -> Server:
        running.append(Server({f"/{name}": answer for name, answer in answers.items()}, context))
        return running[-1]

    yield start
    for server in running:
        server.close()


def fetched(url: str, limit: int = 1000, **options: object) -> Fetched:
    return fetch(url, limit=limit, **({"trusted": HERE, "seconds": 5} | options))


def refused(url: str, **options: object) -> str:
    with pytest.raises(ContentError) as error:
        fetched(url, **options)
    return error.value.problems[0].message.removeprefix(url).strip()


# What is fetched


def test_a_file_comes_with_its_address_and_type(serve):
    server = serve(a=said(PNG, "Content-Type: Image/PNG; charset=x"))
    assert fetched(server.url("/a")) == Fetched(server.url("/a"), "image/png", PNG)


def test_nothing_is_sent_but_the_request(serve):
    server = serve(a=said(PNG, "Set-Cookie: who=you"), b=moved("/a"))
    fetched(server.url("/b"))
    fetched(server.url("/a"))
    for request in server.requests:
        lines = request.split("\r\n")
        names = {line.partition(":")[0] for line in lines[1:] if line}
        assert names == {"Host", "User-Agent", "Accept", "Accept-Encoding", "Connection"}
        assert f"Host: 127.0.0.1:{server.port}" in lines
        assert any(line.startswith("User-Agent: newsletter/") for line in lines)


def test_the_name_is_kept_for_the_server_and_the_address_is_that_which_was_looked_at(serve):
    asked = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    server = serve(a=said(PNG))
    assert fetched(server.url("/a", "pictures.example.org"), resolve=resolve).data == PNG
    assert asked == ["pictures.example.org"]
    assert f"Host: pictures.example.org:{server.port}\r\n" in server.requests[0]


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_where_it_leads_on_is_followed(serve, status):
    server = serve(a=moved("b?x=1", status), **{"b?x=1": said(PNG)})
    assert fetched(server.url("/a")) == Fetched(server.url("/b?x=1"), "image/png", PNG)


@pytest.mark.parametrize(
    ("body", "header"),
    [(gzip.compress(PNG * 50, mtime=0), "gzip"), (zlib.compress(PNG * 50), "deflate"), (PNG * 50, "identity")],
    ids=["gzip", "deflate", "identity"],
)
def test_what_is_packed_although_nobody_asked_is_unpacked(serve, body, header):
    server = serve(a=said(body, f"Content-Encoding: {header}"))
    assert fetched(server.url("/a")).data == PNG * 50


def test_a_body_in_chunks_and_one_without_a_length(serve):
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    server = serve(
        a=lambda client: client.sendall(chunked), b=lambda client: client.sendall(b"HTTP/1.0 200 OK\r\n\r\nabc")
    )
    assert fetched(server.url("/a")) == Fetched(server.url("/a"), "application/octet-stream", b"abcde")
    assert fetched(server.url("/b")).data == b"abc"


def test_an_address_with_letters_of_any_script(serve):
    server = serve(**{"%C3%BC%20x?%C3%A4": said(PNG)})
    resolve = {"xn--bcher-kva.example": ["127.0.0.1"]}
    assert fetched(server.url("/ü x?ä", "bücher.example"), resolve=lambda host, _: resolve[host]).data == PNG


def test_the_certificate_is_that_of_the_name(serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    certificate, key = self_signed(tmp_path, "pictures.example.org")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    server = serve(context, a=said(PNG))

    def ask(host: str) -> Fetched:
        return fetched(server.url("/a", host, "https"), resolve=lambda *_: ["127.0.0.1"])

    assert ask("pictures.example.org").data == PNG
    with pytest.raises(ContentError, match="certificate verify failed"):
        ask("other.example.org")
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(ContentError, match="certificate verify failed"):
        ask("pictures.example.org")


# Whom nobody can make this machine ask


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
        ),
        *("192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1"),
        *(
            "255.255.255.255",
            "192.88.99.1",
            "::1",
            "::",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::7f00:1",
            "64:ff9b::1",
        ),
        *("64:ff9b::7f00:1", "64:ff9b:1::1", "fe80::1", "fe80::1%lo", "fec0::1", "fc00::1", "fd00::1", "ff02::1"),
        *("2001::1", "2001:db8::1", "2002:7f00:1::", "3fff::1", "100::1", "4000::1", "no address"),
    ],
)
def test_addresses_that_are_not_public_are_not_asked(address):
    reason = refused("http://pictures.example.org/a", resolve=lambda *_: [address], trusted=())
    assert reason == "is on a private network, or on this machine"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_however_this_machine_is_written(serve, host):
    server = serve(a=said(PNG))
    assert "is on a private network" in refused(server.url("/a", host), trusted=())
    assert server.requests == []


def test_public_addresses_are_asked_and_only_they(monkeypatch):
    asked = []

    def connect(address, timeout):
        asked.append(address[0])
        raise ConnectionRefusedError("refused")

    monkeypatch.setattr(socket, "create_connection", connect)
    mixed = ["10.0.0.1", "8.8.8.8", "::1", "2606:4700::1111", "127.0.0.1"]
    assert refused("http://mixed.example.org/", resolve=lambda *_: mixed, trusted=()) == "cannot be fetched: refused"
    assert asked == ["8.8.8.8", "2606:4700::1111"]


def test_a_name_that_is_public_and_then_private_is_not_asked_again(serve):
    """What a page says of where it leads on is looked at like the first address."""
    secret = serve(secret=said(b"secret"))
    public = serve(a=moved(secret.url("/secret", "inner.example.org")))
    names = {"outer.example.org": ["127.0.0.1"], "inner.example.org": ["10.0.0.1", "::1"]}
    inner = secret.url("/secret", "inner.example.org")
    reason = refused(public.url("/a", "outer.example.org"), resolve=lambda host, _: names[host])
    assert reason == f"leads to {inner}, which is on a private network, or on this machine"
    assert secret.requests == []


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://127.0.0.1/a", "gopher://x/", "//me:you@x/"])
def test_it_leads_to_nothing_but_the_web(serve, to):
    reason = refused(serve(a=moved(to)).url("/a"))
    assert reason.startswith("leads to ")
    assert reason.endswith(("which is no address on the web", "which holds a name or a password"))
    assert "Invalid" in refused(serve(a=moved("http://[x/")).url("/a"))


def test_redirects_end(serve):
    server = serve(a=moved("/a"))
    assert refused(server.url("/a")) == "leads on more than 5 times"
    assert len(server.requests) == 6
    assert refused(serve(a=said(b"", status="302 Found")).url("/a")) == "leads on more than 5 times"


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.org/",
        "//example.org/x",
        "x.png",
        "",
        "http:///x",
        "http://x:99999/",
        "http://[::1/",
    ],
)
def test_what_is_no_address_on_the_web(url):
    assert refused(url) == "is no address on the web"


def test_passwords_are_not_sent_and_not_shown():
    with pytest.raises(ContentError) as error:
        fetched("http://me:secret@pictures.example.org/a")
    assert error.value.problems[0].message == "http://pictures.example.org/a holds a name or a password"


# What it may cost


def test_a_file_that_is_too_large(serve):
    endless = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 2_000_000
    server = serve(a=said(b"x" * 1001), b=said(b"x" * 1000), c=lambda client: client.sendall(endless))
    assert refused(server.url("/a")) == "has more than 1,000 bytes"
    assert len(fetched(server.url("/b")).data) == 1000
    assert refused(server.url("/c")) == "has more than 1,000 bytes"


def test_a_file_that_unpacks_to_too_much(serve):
    bomb = gzip.compress(b"\0" * 50_000_000)
    server = serve(a=said(bomb, "Content-Encoding: gzip"), b=said(bomb, "Content-Encoding: gzip, gzip"))
    assert refused(server.url("/a"), limit=100_000) == "has more than 100,000 bytes"
    assert refused(server.url("/b"), limit=100_000) == "is packed as gzip, gzip, which was not asked for"


DROPS = 100


def drip(beginning: bytes, dropped: list[bytes]) -> Answer:
    def slowly(client: socket.socket) -> None:
        client.sendall(beginning)
        for _ in range(DROPS):
            time.sleep(0.05)
            client.sendall(b"x")
            dropped.append(b"x")

    return slowly


@pytest.mark.parametrize(
    "beginning",
    [b"", b"HTTP/1.1 200 OK\r\nX-", b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"],
)
def test_a_server_that_drips(serve, beginning):
    dropped: list[bytes] = []
    server = serve(a=drip(beginning, dropped))
    assert refused(server.url("/a"), seconds=0.4) == "takes too long"
    assert len(dropped) < DROPS  # it was not waited for


def test_time_is_for_all_redirects_together(serve):
    def late(client: socket.socket) -> None:
        time.sleep(0.2)
        moved("/a")(client)

    assert "takes too long" in refused(serve(a=late).url("/a"), seconds=0.5)


def test_a_file_that_ends_too_early(serve):
    packed = gzip.compress(PNG * 50)[:-20]
    server = serve(a=said(b"abc", "Content-Length: 5"), b=said(packed, "Content-Encoding: gzip"))
    assert refused(server.url("/a")) == refused(server.url("/b")) == "cannot be fetched: it ends before its end"


def test_a_file_of_another_kind(serve):
    server = serve(a=said(b"<html>", "Content-Type: text/html"), b=said(PNG, status="404 Not Found"))
    assert refused(server.url("/a"), kinds=("image/",)) == "is text/html"
    assert fetched(server.url("/a"), kinds=("image/", "text/")).data == b"<html>"
    assert refused(server.url("/b")) == "answers 404, not 200"


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n"])
def test_a_server_that_speaks_no_http(serve, answer):
    assert refused(serve(a=lambda client: client.sendall(answer)).url("/a")).startswith("cannot be fetched: ")


def test_nobody_is_there():
    def nowhere(host: str, port: int) -> list[str]:
        raise socket.gaierror("Name or service not known")

    assert refused("http://nobody.example.org/", resolve=nowhere) == "cannot be fetched: Name or service not known"
    assert "cannot be fetched" in refused(f"http://{'a' * 70}.example.org/")
    free = socket.create_server(("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()
    assert "cannot be fetched: " in refused(f"http://127.0.0.1:{port}/")


def test_the_reason_comes_with_the_place(serve):
    place = Place(Path("01-a.md"), 3, 1)
    with pytest.raises(ContentError) as error:
        fetched(serve(a=said(b"", status="500 No")).url("/a"), where=place)
    assert error.value.problems[0].where == place

"""A proxy with TLS, as one stands before `newsletter serve` on the web: mailboxes take only https for one click."""

from __future__ import annotations

import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import requests

from tests.certificates import self_signed

_PASSED_ON = {"content-type", "location", "cache-control"}


@dataclass
class Front:
    """Answers at `url` (https) with what `behind` answers. `requests` are those that it was asked: method and path."""

    url: str
    certificate: Path
    behind: str = ""
    requests: list[tuple[str, str]] = field(default_factory=list)

    @contextmanager
    def before(self, port: int, process: subprocess.Popen[bytes]) -> Iterator[None]:
        """Stand before the server that `process` is about to run at `port`, until the end of the block."""
        self.behind = f"http://127.0.0.1:{port}"
        for _ in range(1000):
            assert process.poll() is None, "the server ended before it began"
            try:
                requests.get(f"{self.behind}/health", timeout=5).raise_for_status()
                break
            except requests.ConnectionError:
                time.sleep(0.02)
        try:
            yield
        finally:
            self.behind = ""


@contextmanager
def tls_front(folder: Path) -> Iterator[Front]:
    """A front at a free port of 127.0.0.1; its certificate lies in `folder`."""
    certificate, key = self_signed(folder)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._pass_on(b"")

        def do_POST(self) -> None:
            self._pass_on(self.rfile.read(int(self.headers["Content-Length"])))

        def _pass_on(self, body: bytes) -> None:
            front.requests.append((self.command, self.path))
            answer = requests.request(
                self.command,
                front.behind + self.path,
                data=body,
                headers={"Content-Type": self.headers.get("Content-Type", "")},
                allow_redirects=False,
                timeout=10,
            )
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name.lower() in _PASSED_ON:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_: object) -> None:
            pass

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        front = Front(f"https://127.0.0.1:{server.server_port}", certificate)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield front
        finally:
            server.shutdown()
            thread.join()

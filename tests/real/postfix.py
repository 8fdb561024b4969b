"""A real Postfix on loopback with a configuration, a queue and a mailbox of its own; the system's is left alone.

Postfix starts as root only, and wants its folders below others that only root can write to.
"""

from __future__ import annotations

import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.real.sink import free_port

DOMAIN = "mailbox.example"

_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log/mail.log
maillog_file_prefixes = {folder}/log
syslog_name = postfix-of-a-test
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = relay.example
mydestination =
mynetworks = 127.0.0.1/32
alias_maps =
alias_database =
default_transport = error:this relay delivers to {domain} only
virtual_mailbox_domains = {domain}
virtual_mailbox_maps = static:mailbox/
virtual_mailbox_base = {folder}
virtual_uid_maps = static:{user.pw_uid}
virtual_gid_maps = static:{user.pw_gid}
smtpd_recipient_restrictions = check_recipient_access texthash:{folder}/answers, permit_mynetworks, reject
"""
_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr    unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce  unix - - n - 0 bounce
defer   unix - - n - 0 bounce
error   unix - - n - - error
virtual unix - n n - - virtual
anvil   unix - - n - 1 anvil
proxymap unix - - n - - proxymap
tlsmgr  unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True, slots=True)
class Postfix:
    """A running Postfix that takes mail at `port` and delivers what is for DOMAIN into one Maildir.

    `command` is how it is told something.
    """

    port: int
    folder: Path
    command: tuple[str, ...]

    def answers(self, recipients: Mapping[str, str]) -> None:
        """From now on say this to RCPT for these addresses ("550 5.1.1 Unknown"), and yes to all others."""
        lines = [f"{address} {answer}\n" for address, answer in recipients.items()]
        (self.folder / "answers").write_text("".join(lines), "ascii")
        subprocess.run([*self.command, "reload"], check=True, capture_output=True, timeout=60)

    def delivered(self, number: int, patience: float = 20) -> list[bytes]:
        """The first `number` messages in the mailbox, waited for so many seconds at most."""
        end = time.monotonic() + patience
        while len(found := [*self.folder.glob("mailbox/new/*")]) < number:
            assert time.monotonic() < end, self.log()
            time.sleep(0.05)
        return [path.read_bytes() for path in found]

    def log(self) -> str:
        return (self.folder / "log" / "mail.log").read_text("utf-8")


@contextmanager
def running_postfix(program: Path) -> Iterator[Postfix]:
    """Postfix, running until the end of the block."""
    folder = Path(tempfile.mkdtemp(prefix="newsletter-postfix-"))
    try:
        port = _configure(folder)
        postfix = (str(program), "-c", str(folder / "configuration"))
        subprocess.run([*postfix, "start"], check=True, capture_output=True, text=True, timeout=60)
        try:
            yield Postfix(port, folder, postfix)
        finally:
            subprocess.run([*postfix, "stop"], check=True, capture_output=True, timeout=60)
            running = subprocess.run([*postfix, "status"], check=False, capture_output=True, timeout=60)
            assert running.returncode != 0, "Postfix goes on running"
    finally:
        shutil.rmtree(folder)


def _configure(folder: Path) -> int:
    """Returns the port."""
    folder.chmod(0o755)
    for name in ("configuration", "queue", "log"):
        (folder / name).mkdir()
    for name, owner in (("data", "postfix"), ("mailbox", "nobody")):
        (folder / name).mkdir()
        shutil.chown(folder / name, owner)
    (folder / "answers").touch()
    port = free_port()
    main = _MAIN.format(folder=folder, domain=DOMAIN, user=pwd.getpwnam("nobody"))
    (folder / "configuration" / "main.cf").write_text(main, "ascii")
    (folder / "configuration" / "master.cf").write_text(_MASTER.format(port=port), "ascii")
    return port

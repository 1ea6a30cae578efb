"""A Dovecot of the tests' own, on loopback: one mailbox, whose mails are files in a Maildir."""

import grp
import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from provisioning.practice.ports import free_port

USER, PASSWORD = "desk@yunshan.example", "only-for-tests"

_READY_S = 60.0
_CONFIGURATION = """\
protocols = imap
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {login_user}
ssl = {ssl}
{certificate}
disable_plaintext_auth = no
mail_location = maildir:{folder}/mail
first_valid_uid = 0
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}
}}
"""


@dataclass(frozen=True, slots=True)
class Dovecot:
    """A running server; `port` speaks STARTTLS or plain, `tls_port` TLS from the start."""

    folder: Path
    port: int
    tls_port: int

    def deliver(self, mail: bytes, *, name: str) -> None:
        """Put a message into the mailbox, as a delivery agent does."""
        waiting = self.folder / "mail" / "tmp" / name
        waiting.write_bytes(mail)
        waiting.chmod(0o644)
        waiting.rename(self.folder / "mail" / "new" / name)

    def flags(self) -> list[str]:
        """Return the flags of every message, as the Maildir keeps them in names: S is seen, F is flagged."""
        kept = [*(self.folder / "mail" / "cur").iterdir(), *(self.folder / "mail" / "new").iterdir()]
        return sorted(file.name.partition(":2,")[2] for file in kept)


@contextmanager
def running_dovecot(folder: Path, *, certificate: tuple[Path, Path] | None = None) -> Iterator[Dovecot]:
    """Yield a running server that keeps everything in `folder`, which whoever it works as must be able to reach."""
    reader = _reader()
    for part in (".", "mail", "mail/tmp", "mail/new", "mail/cur"):
        (folder / part).mkdir(parents=True, exist_ok=True)
        shutil.chown(folder / part, reader.pw_uid, reader.pw_gid)
    port, tls_port = free_port(), free_port()
    lines = f"ssl_cert = <{certificate[0]}\nssl_key = <{certificate[1]}" if certificate else ""
    configuration = folder / "dovecot.conf"
    configuration.write_text(
        _CONFIGURATION.format(
            folder=folder,
            user=reader.pw_name,
            group=grp.getgrgid(reader.pw_gid).gr_name,
            login_user="dovenull" if os.geteuid() == 0 else reader.pw_name,
            uid=reader.pw_uid,
            gid=reader.pw_gid,
            port=port,
            tls_port=tls_port if certificate else 0,
            password=PASSWORD,
            ssl="yes" if certificate else "no",
            certificate=lines,
        )
    )
    with (folder / "out.log").open("ab") as log:
        process = subprocess.Popen([_program(), "-F", "-c", str(configuration)], stdout=log, stderr=log)
    try:
        for listener in (port, tls_port) if certificate else (port,):
            _wait_until_ready(process, listener, folder)
        yield Dovecot(folder, port, tls_port)
    finally:
        process.terminate()
        process.wait(_READY_S)


def _reader() -> pwd.struct_passwd:
    """Return as whom the server works: it refuses to be root, and brings a user of its own for that."""
    return pwd.getpwnam("dovecot") if os.geteuid() == 0 else pwd.getpwuid(os.getuid())


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    deadline_s = time.monotonic() + _READY_S
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if time.monotonic() > deadline_s or process.poll() is not None:
            raise RuntimeError(((folder / "out.log").read_text(), (folder / "dovecot.log").read_text()))
        time.sleep(0.05)


def _program() -> str:
    program = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        raise FileNotFoundError("no Dovecot found: run `make setup-system`, or install dovecot-imapd")
    return program

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from cloud.core.database import Database
from cloud.reception.intake import MailIntake
from cloud.reception.letters import MAXIMUM_BYTES
from cloud.reception.mail_tables import MailState
from cloud.reception.mailbox import Mailbox, MailboxReader, MailboxUnavailable, Security
from tests.clocks import FixedClock
from tests.cloud.reception.mails import written
from tests.servers.certificates import make_certificate
from tests.servers.dovecot import PASSWORD, USER, Dovecot, running_dovecot


class Taken(MailIntake):
    """An intake that notes what it is given, and fails when it is told to: a fault that a database rarely has."""

    def __init__(self) -> None:
        self.subjects: list[bytes] = []
        self.left_out: list[int] = []
        self.fails = False

    async def take(self, raw: bytes, *, left_out: int = 0) -> MailState | None:
        if self.fails:
            raise RuntimeError("the disk is full")
        self.subjects += [line for line in raw.splitlines() if line.startswith(b"Subject:")]
        self.left_out.append(left_out)
        return MailState.NEW


@pytest.fixture
def server() -> Iterator[Dovecot]:
    with tempfile.TemporaryDirectory(prefix="gh-dc-") as folder:
        Path(folder).chmod(0o755)
        with running_dovecot(Path(folder), certificate=make_certificate(Path(folder))) as running:
            yield running


def _reader(
    server: Dovecot, intake: MailIntake, *, security: Security = "tls", password: str = PASSWORD
) -> MailboxReader:
    mailbox = Mailbox(
        host="127.0.0.1",
        port=server.tls_port if security == "tls" else server.port,
        security=security,
        user=USER,
        password=SecretStr(password),
        authority=server.folder / "certificate.pem",
        folder="INBOX",
    )
    return MailboxReader(mailbox, intake)


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_what_is_new_is_taken_once_and_marked_as_seen(
    server: Dovecot, database: Database, clock: FixedClock, security: Security
) -> None:
    intake = Taken()
    reader = _reader(server, intake, security=security)
    for number in range(3):
        server.deliver(written(subject=f"mail {number}"), name=f"{number}.a.example")
    await reader.run(database, clock)
    await reader.run(database, clock)
    assert sorted(intake.subjects) == [b"Subject: mail 0", b"Subject: mail 1", b"Subject: mail 2"]
    assert server.flags() == ["S", "S", "S"]


async def test_a_mail_that_could_not_be_kept_stays_new(server: Dovecot, database: Database, clock: FixedClock) -> None:
    intake = Taken()
    server.deliver(written(), name="1.a.example")
    intake.fails = True
    with pytest.raises(RuntimeError):
        await _reader(server, intake).run(database, clock)
    assert "S" not in "".join(server.flags())
    intake.fails = False
    await _reader(server, intake).run(database, clock)
    assert len(intake.subjects) == 1


async def test_of_a_mail_that_is_too_large_only_the_head_is_fetched(
    server: Dovecot, database: Database, clock: FixedClock
) -> None:
    intake = Taken()
    server.deliver(written(subject="film", text="x\n" * (MAXIMUM_BYTES // 2)), name="1.a.example")
    await _reader(server, intake).run(database, clock)
    assert (intake.subjects, intake.left_out) == ([b"Subject: film"], [1])


async def test_a_mailbox_that_lets_nobody_in_says_so(server: Dovecot, database: Database, clock: FixedClock) -> None:
    with pytest.raises(MailboxUnavailable, match="Authentication failed"):
        await _reader(server, Taken(), password="wrong").run(database, clock)

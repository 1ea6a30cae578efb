"""The desk's mailbox, emptied by IMAP: a message is marked as seen only once it is durable here.

The standard library's imaplib, in a thread: five commands are all that is needed, and a mailbox is looked at once a
minute. What is marked and what is not is the mailbox's own, so that nothing is kept here about it.
"""

import asyncio
import imaplib
import logging
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import SecretStr

from cloud.core.clock import Clock
from cloud.core.database import Database
from cloud.core.errors import GatehouseError, Malformed
from cloud.reception.intake import MailIntake
from cloud.reception.letters import MAXIMUM_BYTES

Security = Literal["tls", "starttls", "none"]

_TIMEOUT_S = 30.0
_AT_ONCE = 50
_SEEN, _SEEN_AND_FLAGGED = r"(\Seen)", r"(\Seen \Flagged)"
_FAILURES = (imaplib.IMAP4.error, OSError)

_log = logging.getLogger(__name__)

Part = TypeVar("Part")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """Where mails to the desk arrive.

    Attributes:
        security: `tls` from the start, `starttls` insists on it after the greeting.
        authority: file of the certificates (PEM) that the server's is checked against; None for the system's.
    """

    host: str
    port: int
    security: Security
    user: str
    password: SecretStr
    authority: Path | None
    folder: str


class MailboxUnavailable(GatehouseError):
    """The mailbox can't be reached or does not let us in; its mails wait there."""

    status = 503
    code = "mailbox_unavailable"


class MailboxReader:
    """Fetches what is new in a mailbox and takes it in."""

    def __init__(self, mailbox: Mailbox, intake: MailIntake) -> None:
        self._mailbox = mailbox
        self._intake = intake
        self._context = ssl.create_default_context(cafile=mailbox.authority)

    async def run(self, _database: Database, _clock: Clock) -> None:
        """Take in what is new, for as long as there is more; a job, whose transactions are the intake's.

        Raises:
            MailboxUnavailable: the mailbox can't be reached, or does not let us in.
        """
        with self._connection() as connection:
            await self._at(connection, self._enter)
            while uids := await self._at(connection, self._new):
                for uid in uids[:_AT_ONCE]:
                    await self._take(connection, uid)

    async def _take(self, connection: "_Connection", uid: str) -> None:
        raw, left_out = await self._at(connection, lambda imap: self._fetch(imap, uid))
        flags = _SEEN
        try:
            await self._intake.take(raw, left_out=left_out)
        except Malformed as error:
            _log.warning("mail %s of the mailbox can't be read and stays there, flagged: %s", uid, error)
            flags = _SEEN_AND_FLAGGED
        await self._at(connection, lambda imap: _answer(imap.uid("STORE", uid, "+FLAGS", flags)))

    async def _at(self, connection: "_Connection", work: Callable[[imaplib.IMAP4], Result]) -> Result:
        try:
            async with asyncio.timeout(_TIMEOUT_S * 2):
                return await asyncio.to_thread(connection.do, work)
        except _FAILURES as error:
            sentence = "The mailbox %(host)s can't be read: %(reason)s"
            raise MailboxUnavailable(sentence, host=self._mailbox.host, reason=str(error)) from error

    @contextmanager
    def _connection(self) -> Iterator["_Connection"]:
        connection = _Connection(self._open)
        try:
            yield connection
        finally:
            connection.close()

    def _open(self) -> imaplib.IMAP4:
        box = self._mailbox
        if box.security == "tls":
            return imaplib.IMAP4_SSL(box.host, box.port, ssl_context=self._context, timeout=_TIMEOUT_S)
        plain = imaplib.IMAP4(box.host, box.port, timeout=_TIMEOUT_S)
        if box.security == "starttls":
            plain.starttls(self._context)
        return plain

    def _enter(self, imap: imaplib.IMAP4) -> None:
        imap.login(self._mailbox.user, self._mailbox.password.get_secret_value())
        _answer(imap.select(_quoted(self._mailbox.folder)))

    def _new(self, imap: imaplib.IMAP4) -> list[str]:
        found = _answer(imap.uid("SEARCH", "UNSEEN"))
        return found[0].decode().split() if isinstance(found[0], bytes) else []

    def _fetch(self, imap: imaplib.IMAP4, uid: str) -> tuple[bytes, int]:
        """Return a message without marking it; of one that is too large only its head."""
        size = _answer(imap.uid("FETCH", uid, "(RFC822.SIZE)"))[0]
        digits = size.rpartition(b"RFC822.SIZE ")[2].partition(b")")[0] if isinstance(size, bytes) else b""
        is_whole = digits.isdigit() and int(digits) <= MAXIMUM_BYTES
        part = _answer(imap.uid("FETCH", uid, "(BODY.PEEK[])" if is_whole else "(BODY.PEEK[HEADER])"))[0]
        if not isinstance(part, tuple):
            raise imaplib.IMAP4.error(f"message {uid} is gone")
        return part[1], int(not is_whole)


class _Connection:
    """One connection, opened in the thread that first works with it, used by one at a time."""

    def __init__(self, opened: Callable[[], imaplib.IMAP4]) -> None:
        self._opened = opened
        self._imap: imaplib.IMAP4 | None = None

    def do(self, work: Callable[[imaplib.IMAP4], Result]) -> Result:
        if self._imap is None:
            self._imap = self._opened()
        return work(self._imap)

    def close(self) -> None:
        """Let go of the line; the mailbox notices."""
        if self._imap is not None:
            self._imap.shutdown()


def _answer(said: tuple[str, list[Part]]) -> list[Part]:
    """Return what a command found.

    Raises:
        imaplib.IMAP4.error: the server says no.
    """
    status, found = said
    if status != "OK":
        raise imaplib.IMAP4.error(f"the server says {status}: {found[:1]!r}")
    return found


def _quoted(folder: str) -> str:
    escaped = folder.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

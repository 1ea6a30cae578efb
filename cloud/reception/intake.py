"""A mail's way in, from its bytes to its row: it is read, its files are looked at and stored, then it is taken in."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import PurePath
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts.organisations import desk_organisation
from cloud.core.clock import Clock
from cloud.core.database import Database
from cloud.core.errors import Refused
from cloud.core.files import FileStore
from cloud.reception.letters import Enclosed, Letter, read_letter
from cloud.reception.mail import StoredFile, receive, wants_files
from cloud.reception.mail_tables import MailState

_LARGEST_FILE_BYTES = 10 * 1024 * 1024


class Looked(Protocol):
    """A file whose content was looked at and is safe to show."""

    @property
    def content(self) -> bytes: ...
    @property
    def media_type(self) -> str: ...
    @property
    def suffix(self) -> str: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...


Check = Callable[[bytes], Awaitable[Looked]]
"""Looks at a file, whatever it is called; raises Refused for one that is not taken."""


class MailIntake:
    """Takes in mails for one organisation's desk, from wherever they come.

    `organisation_id` may be None where there is one organisation alone. `note_change` is called in the transaction
    of every mail that is taken in.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        store: FileStore,
        *,
        check: Check,
        note_change: Callable[[AsyncSession, int], None],
        organisation_id: int | None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._store = store
        self._check = check
        self._note_change = note_change
        self._organisation_id = organisation_id

    async def take(self, raw: bytes, *, left_out: int = 0) -> MailState | None:
        """Return where a mail stands that is now durable; None when it was here before.

        `left_out` are files that the caller left out already.

        Raises:
            Malformed: it is no mail that can be read, or too large.
            NotFound: there is no organisation for it.
        """
        letter = await asyncio.to_thread(read_letter, raw)
        async with self._database.reading() as session:
            organisation_id = await desk_organisation(session, self._organisation_id)
            is_wanted = await wants_files(session, self._clock, organisation_id, letter)
        stored = await self._keep(letter) if is_wanted else []
        missing = left_out + letter.left_out + len(letter.files) - len(stored)
        async with self._database.transaction() as session:
            state = await receive(session, self._clock, organisation_id, letter, stored=stored, left_out=missing)
            if state is not None:
                self._note_change(session, organisation_id)
        return state

    async def _keep(self, letter: Letter) -> list[StoredFile]:
        kept = [await self._keep_one(file) for file in letter.files]
        return [file for file in kept if file is not None]

    async def _keep_one(self, file: Enclosed) -> StoredFile | None:
        """Return a file that is durable; None for one that is too large or no photo and no document."""
        if len(file.content) > _LARGEST_FILE_BYTES:
            return None
        try:
            looked = await self._check(file.content)
        except Refused:
            return None
        return StoredFile(
            saved=await self._store.save(looked.content),
            name=(PurePath(file.name).stem[:80] or "file") + looked.suffix,
            media_type=looked.media_type,
            width=looked.width,
            height=looked.height,
        )

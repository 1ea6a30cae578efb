"""Photos, stills and documents: bytes in a folder or an S3-compatible store, what they are in rows.

Bytes are named by their SHA-256, so the same bytes are stored once and damage shows. They are saved before the
transaction that adds their row, since that one may not wait for a network; a crash between the two leaves bytes that
no row names, which costs room and nothing else.
"""

import asyncio
import hashlib
import io
import os
import shutil
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

import fsspec
from fsspec.implementations.local import LocalFileSystem
from sqlalchemy import Index, String, delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, aliased, mapped_column

from cloud.core.clock import Clock
from cloud.core.database import Base, Database, hold
from cloud.core.errors import Conflict, GatehouseError, NotFound, TooLarge
from cloud.core.principal import Principal

MAXIMUM_BYTES = 25 * 1024 * 1024
REMOVED_KEPT = timedelta(days=7)
"""How long the bytes of a removed file can still be fetched back by hand."""

_TIMEOUT_S = 60.0
_LONG_TIMEOUT_S = 600.0  # for a file that we made ourselves, however large
_PIECE_BYTES = 1024 * 1024
_SWEPT_AT_ONCE = 100


class FileState(StrEnum):
    """Whether a file is there."""

    KEPT = "kept"
    REMOVED = "removed"  # gone for everybody; its bytes are swept later
    SWEEPING = "sweeping"  # its bytes are being deleted, so nobody may rely on them any more


class FileDamaged(GatehouseError):
    """The stored bytes are not those that were saved, or are gone."""

    status = 500
    code = "file_damaged"


class StoredFile(Base):
    """A file of an organisation; two rows may name the same bytes."""

    __tablename__ = "files"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int]
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    size_bytes: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    state: Mapped[FileState]
    added_at: Mapped[datetime]
    added_by: Mapped[int | None]
    removed_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_files_removed", "state", "removed_at"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """Bytes that are durable in the store and that no row names yet."""

    sha256: str
    size_bytes: int


class FileStore:
    """The bytes, behind one fsspec URL: `file:///folder` or `s3://bucket/folder`."""

    def __init__(self, url: str) -> None:
        self._filesystem, self._root = fsspec.url_to_fs(url)

    async def save(self, content: bytes) -> Saved:
        """Return once `content` is durable; before the transaction that adds its row.

        Raises:
            TooLarge: it has more than MAXIMUM_BYTES.
        """
        if len(content) > MAXIMUM_BYTES:
            raise TooLarge("A file may have at most %(megabytes)s MB.", megabytes=MAXIMUM_BYTES // 1024**2)
        sha256 = hashlib.sha256(content).hexdigest()
        async with asyncio.timeout(_TIMEOUT_S):
            await asyncio.to_thread(self._write, self._path(sha256), content)
        return Saved(sha256=sha256, size_bytes=len(content))

    async def load(self, sha256: str) -> bytes:
        """Return the bytes.

        Raises:
            FileDamaged: they are gone, or not the same any more.
        """
        async with asyncio.timeout(_TIMEOUT_S):
            try:
                content: bytes = await asyncio.to_thread(self._filesystem.cat_file, self._path(sha256))
            except FileNotFoundError as error:
                raise FileDamaged("The file's content is missing from the store.") from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise FileDamaged("The file's content was damaged in the store.")
        return content

    async def save_file(self, file: Path) -> Saved:
        """Return once a file of our own making, of any size, is durable; it is read piece by piece."""
        async with asyncio.timeout(_LONG_TIMEOUT_S):
            saved = await asyncio.to_thread(_looked_at, file)
            await asyncio.to_thread(self._copy, file, self._path(saved.sha256))
        return saved

    async def pieces(self, sha256: str) -> AsyncIterator[bytes]:
        """Yield the bytes piece by piece, for a file that is too large to be held.

        Raises:
            FileDamaged: they are gone; or, at the end, they were not the same any more.
        """
        digest = hashlib.sha256()
        try:
            opened = await asyncio.to_thread(self._filesystem.open, self._path(sha256), "rb")
        except FileNotFoundError as error:
            raise FileDamaged("The file's content is missing from the store.") from error
        with opened:
            while piece := await asyncio.wait_for(asyncio.to_thread(opened.read, _PIECE_BYTES), _TIMEOUT_S):
                digest.update(piece)
                yield piece
        if digest.hexdigest() != sha256:
            raise FileDamaged("The file's content was damaged in the store.")

    async def delete(self, sha256: str) -> None:
        """Delete the bytes if they are there."""
        async with asyncio.timeout(_TIMEOUT_S):
            await asyncio.to_thread(self._delete, self._path(sha256))

    def _path(self, sha256: str) -> str:
        return f"{self._root}/{sha256[:2]}/{sha256}"

    def _write(self, path: str, content: bytes) -> None:
        if isinstance(self._filesystem, LocalFileSystem):
            self._write_durably(path, io.BytesIO(content))
        else:
            self._filesystem.pipe_file(path, content)

    def _copy(self, file: Path, path: str) -> None:
        if isinstance(self._filesystem, LocalFileSystem):
            with file.open("rb") as source:
                self._write_durably(path, source)
        else:
            self._filesystem.put_file(str(file), path)

    def _write_durably(self, path: str, source: BinaryIO) -> None:
        part = f"{path}.{uuid.uuid4().hex}"  # a crash or a full disk must not leave half a file under the whole's name
        self._filesystem.makedirs(path.rpartition("/")[0], exist_ok=True)
        with self._filesystem.open(part, "wb") as opened:
            shutil.copyfileobj(source, opened, _PIECE_BYTES)
            opened.flush()
            os.fsync(opened.f.fileno())
        self._filesystem.mv(part, path)

    def _delete(self, path: str) -> None:
        if self._filesystem.exists(path):
            self._filesystem.rm_file(path)


def _looked_at(file: Path) -> Saved:
    with file.open("rb") as opened:
        return Saved(sha256=hashlib.file_digest(opened, "sha256").hexdigest(), size_bytes=opened.tell())


async def add(
    session: AsyncSession, clock: Clock, principal: Principal, saved: Saved, *, name: str, media_type: str
) -> int:
    """Return the id of a new file of the principal's organisation.

    Raises:
        Conflict: the same bytes are just being deleted; save them again.
    """
    await hold(session, f"file {saved.sha256}")
    being_swept = exists().where(StoredFile.sha256 == saved.sha256, StoredFile.state == FileState.SWEEPING)
    if await session.scalar(select(being_swept)):
        raise Conflict("The same file is just being deleted: send it again in a minute.")
    file = StoredFile(
        organisation_id=principal.organisation_id,
        name=name[:200],
        media_type=media_type,
        size_bytes=saved.size_bytes,
        sha256=saved.sha256,
        state=FileState.KEPT,
        added_at=clock.now(),
        added_by=principal.person_id,
    )
    session.add(file)
    await session.flush()
    return file.id


async def find(session: AsyncSession, principal: Principal, file_id: int) -> StoredFile:
    """Return a file of the principal's organisation.

    Raises:
        NotFound: there is none, or no longer.
    """
    file = await session.scalar(
        select(StoredFile).where(
            StoredFile.id == file_id,
            StoredFile.organisation_id == principal.organisation_id,
            StoredFile.state == FileState.KEPT,
        )
    )
    if file is None:
        raise NotFound("There is no such file.")
    return file


async def remove(session: AsyncSession, clock: Clock, principal: Principal, file_id: int) -> None:
    """Take a file away; its bytes follow after REMOVED_KEPT when no other file has the same.

    Raises:
        NotFound: there is none, or no longer.
    """
    file = await find(session, principal, file_id)
    file.state = FileState.REMOVED
    file.removed_at = clock.now()


async def sweep(database: Database, clock: Clock, store: FileStore) -> None:
    """Delete the bytes that only files removed more than REMOVED_KEPT ago name; a job with its own transactions."""
    async with database.transaction() as session:
        candidates = await _sweepable(session, removed_before=clock.now() - REMOVED_KEPT)
    for sha256 in candidates:
        async with database.transaction() as session:
            is_free = await _claim_sweeping(session, sha256)
        if is_free:
            await store.delete(sha256)
            async with database.transaction() as session:
                await session.execute(delete(StoredFile).where(StoredFile.sha256 == sha256))


async def _sweepable(session: AsyncSession, *, removed_before: datetime) -> list[str]:
    sweeping = select(StoredFile.sha256).where(StoredFile.state == FileState.SWEEPING)  # left over by a crash
    other = aliased(StoredFile)
    removed = select(StoredFile.sha256).where(
        StoredFile.state == FileState.REMOVED,
        StoredFile.removed_at < removed_before,
        ~exists().where(other.sha256 == StoredFile.sha256, other.state == FileState.KEPT),
    )
    return list((await session.scalars(sweeping.union(removed).limit(_SWEPT_AT_ONCE))).all())


async def _claim_sweeping(session: AsyncSession, sha256: str) -> bool:
    await hold(session, f"file {sha256}")
    if await session.scalar(select(exists().where(StoredFile.sha256 == sha256, StoredFile.state == FileState.KEPT))):
        return False
    await session.execute(update(StoredFile).where(StoredFile.sha256 == sha256).values(state=FileState.SWEEPING))
    return True

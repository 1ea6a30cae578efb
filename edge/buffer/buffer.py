"""The buffer's async face: one file, owned by one thread; nothing here blocks the event loop."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from edge.buffer.database import is_damage, put_aside
from edge.buffer.growth import Statistics
from edge.buffer.rows import Row
from edge.buffer.store import Bounds, Drawn, Flow, Store
from edge.buffer.thread import OwnThread
from edge.clock import Clock
from edge.errors import BufferFull, BufferUnusable
from protocols.ranges import Range
from protocols.readings import RowClass

log = logging.getLogger(__name__)

WAITING_ROWS = 200_000
"""Samples held in memory while the disk stalls (an SD card may take half a minute); what comes above is not taken."""

_TIDY_S = 60.0

_T = TypeVar("_T")


class Opened(StrEnum):
    """What was found where the buffer's file should be."""

    FRESH = "fresh"  # nothing: a new store began
    RESUMED = "resumed"  # the store of before
    REPLACED_CORRUPT = "replaced_corrupt"  # a damaged file, put aside: its unsent rows are lost and a new store began


@dataclass(slots=True)
class _Group:
    """Rows that will be committed together: samples, or registers and events."""

    rows: list[Row] = field(default_factory=list)
    samples: int = 0
    committed: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Buffer:
    """Readings, durable on the box until the cloud holds them.

    `append` for whoever must know that the rows are safe, `append_soon` for samples that come again anyway;
    `draw`, `settle` and `release` for the uploader; `hold` and `learn_offset` for what the cloud says.
    """

    def __init__(
        self, path: Path, *, clock: Clock, bounds: Bounds, gather_s: float = 1.0, gather_watched_s: float = 0.25
    ) -> None:
        """Remember what to open; use `Buffer.open`.

        Args:
            path: The file; its folder must exist.
            clock: The box's clocks.
            bounds: How much is kept.
            gather_s: Samples are committed together this often.
            gather_watched_s: And this often when one of a watched point is among them, for the alarm's sake.
        """
        self._path = path
        self._clock = clock
        self._bounds = bounds
        self._gather_s = gather_s
        self._gather_watched_s = gather_watched_s
        self._store: Store | None = None  # None only while a damaged file can't be replaced
        self._store_id = ""
        self._head = 0
        self._offset_us: int | None = None
        self._thread = OwnThread("buffer")
        self._urgent: _Group | None = None
        self._samples: _Group | None = None
        self._samples_due: asyncio.TimerHandle | None = None
        self._queue: list[_Group] = []
        self._waiting_rows = 0
        self._committing: asyncio.Future[None] | None = None
        self._tidying: asyncio.Task[None] | None = None
        self._waking: asyncio.Handle | None = None
        self._takes = True
        self.samples_not_taken = 0
        """Samples that the disk or the memory had no room for since the start; they have no number and no gap."""
        self.watched: frozenset[str] = frozenset()
        """Keys of points whose rows the uploader must hear of at once."""
        self.watched_committed = asyncio.Event()
        """Set after a commit that holds rows of a watched point; the uploader clears it."""
        self.opened = Opened.FRESH
        """What was found; becomes REPLACED_CORRUPT when damage shows later on."""

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        clock: Clock,
        bounds: Bounds | None = None,
        gather_s: float = 1.0,
        gather_watched_s: float = 0.25,
    ) -> Self:
        """Return the buffer of the file, which is made if it is not there and put aside if it is damaged.

        Raises:
            BufferUnusable: the folder can't be written, or another process holds the file.
        """
        buffer = cls(path, clock=clock, bounds=bounds or Bounds(), gather_s=gather_s, gather_watched_s=gather_watched_s)
        try:
            await buffer._thread.run(buffer._opened_store)
        except BaseException:
            buffer._thread.stop()
            raise
        buffer._tidying = asyncio.create_task(buffer._tidy(), name="buffer-tidy")
        return buffer

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Commit what is still gathered and close the file; safe to call twice."""
        if self._tidying is None:
            return
        self._tidying.cancel()
        self._tidying = None
        self._flush_samples()
        self._start_commit()
        while self._committing:
            await asyncio.wait([self._committing])
        if self._store:
            await self._run(Store.close)
        self._thread.stop()

    # --- for the poller ---

    async def append(self, rows: Sequence[Row], *, at_once: bool = False) -> None:
        """Return when the rows are durable: registers and events at once, samples with their second's.

        A caller that is cancelled leaves its rows behind, and they are committed.

        Args:
            rows: What was taken.
            at_once: Samples too: for a source that sends on only when it has been told that they are safe.

        Raises:
            BufferFull: the disk took no more; none of the rows of that class group count as taken.
        """
        groups = []
        if urgent := [row for row in rows if row.row_class is not RowClass.SAMPLE]:
            self._urgent = self._urgent or _Group()
            self._urgent.rows += urgent
            groups.append(self._urgent)
            self._wake()
        if samples := [row for row in rows if row.row_class is RowClass.SAMPLE]:
            groups.append(self._gather(samples))
            if at_once:
                self._flush_samples()
        for group in groups:
            await asyncio.shield(group.committed)

    def append_soon(self, rows: Sequence[Row]) -> None:
        """Take samples and return at once; they are committed with their second's, or counted as not taken."""
        if self._waiting_rows + len(rows) > WAITING_ROWS:
            self.samples_not_taken += len(rows)
        elif rows:
            self._gather(rows)

    def _gather(self, samples: Sequence[Row]) -> _Group:
        self._samples = self._samples or _Group()
        self._samples.rows += samples
        self._samples.samples += len(samples)
        self._waiting_rows += len(samples)
        watched = self.watched and any(row.point in self.watched for row in samples)
        due_s = self._gather_watched_s if watched else self._gather_s
        loop = asyncio.get_running_loop()
        if self._samples_due is None or self._samples_due.when() > loop.time() + due_s:
            if self._samples_due:
                self._samples_due.cancel()
            self._samples_due = loop.call_later(due_s, self._flush_samples)
        return self._samples

    def _flush_samples(self) -> None:
        if self._samples_due:
            self._samples_due.cancel()
            self._samples_due = None
        if self._samples:
            self._queue.append(self._samples)
            self._samples = None
            self._wake()

    def _wake(self) -> None:
        """Begin a commit soon, so that what is appended in this turn of the loop shares it."""
        if not self._committing and not self._waking:
            self._waking = asyncio.get_running_loop().call_soon(self._start_commit)

    def _start_commit(self) -> None:
        """Commit the next group; what comes meanwhile makes the one after."""
        self._waking = None
        if self._committing:
            return
        if self._urgent:
            group, self._urgent = self._urgent, None
        elif self._queue:
            group = self._queue.pop(0)
        else:
            return
        self._committing = self._thread.run(lambda: self._do(lambda store: store.commit(group.rows)))
        self._committing.add_done_callback(lambda done: self._committed(group, done.exception()))

    def _committed(self, group: _Group, error: BaseException | None) -> None:
        self._committing = None
        self._waiting_rows -= group.samples
        if error is None:
            self._say_takes(None)
            group.committed.set_result(None)
            if self.watched and not self.watched.isdisjoint([row.point for row in group.rows]):
                self.watched_committed.set()
        else:
            self._refuse(group, error)
        self._start_commit()

    def _refuse(self, group: _Group, error: BaseException) -> None:
        self.samples_not_taken += group.samples
        if isinstance(error, BufferFull):
            self._say_takes(error)
        else:  # a row that can't be packed must not end the commits
            log.error("%s rows could not be stored", len(group.rows), exc_info=error)
        group.committed.set_exception(error)
        group.committed.exception()  # nobody may be waiting for samples

    def _say_takes(self, error: BufferFull | None) -> None:
        if self._takes and error:
            log.error("%s; readings are not taken until then", error)
        if not self._takes and not error:
            log.warning("the buffer's disk takes readings again; %s samples were not taken", self.samples_not_taken)
        self._takes = error is None

    # --- for the uploader and the channel ---

    @property
    def store_id(self) -> str:
        """The store's id, 32 hexadecimal digits; another one after a damaged file was put aside."""
        return self._store_id

    @property
    def head(self) -> int:
        """The newest row's number; 0 before the first."""
        return self._head

    async def draw(self, flow: Flow, *, max_rows: int) -> Drawn | None:
        """Return the oldest rows of the flow that are neither held nor in flight, ready for the wire; None if none.

        A batch of the backlog may hold lost ranges and no rows. Each batch must be settled or released.
        """
        return await self._run(lambda store: store.draw(flow, max_rows))

    async def settle(self, drawn: Drawn, *, held: Sequence[Range]) -> None:
        """Take the cloud's answer to a batch: all that it holds of the store.

        Raises:
            ValueError: `held` is no set of ranges.
        """
        await self._run(lambda store: store.settle(drawn, held))

    async def release(self, drawn: Drawn) -> None:
        """Take back a batch that the cloud did not take: its rows may be drawn again."""
        await self._run(lambda store: store.release([drawn]))

    async def release_all(self) -> None:
        """Take back every batch in flight, those too whose drawing was cancelled."""
        await self._run(lambda store: store.release(store.in_flight))

    async def hold(self, held: Sequence[Range], *, store_id: str) -> None:
        """Take what the cloud says at its hello that it holds; what it no longer holds is unsent again.

        Does nothing when `store_id`, which the hello named, is no longer this buffer's.

        Raises:
            ValueError: `held` is no set of ranges.
        """
        await self._run(lambda store: store.hold(held, store_id=store_id))

    def watch(self, points: frozenset[str]) -> None:
        """Let `watched_committed` be set by rows of these points from now on."""
        self.watched = points

    @property
    def offset_us(self) -> int | None:
        """Wall time minus monotonic time as the running boot has learnt it; None before."""
        return self._offset_us

    async def learn_offset(self, offset_us: int) -> None:
        """Attach wall time = monotonic + `offset_us` to the running boot's rows; a row's time is never revised.

        The first call of a boot places all of its rows, and those of earlier boots that never learnt an offset,
        between their neighbours (flagged TIME_ESTIMATED). A later, different offset holds for rows committed from
        then on.
        """
        await self._run(lambda store: store.learn_offset(offset_us))

    async def statistics(self) -> Statistics:
        """Return what the box tells of its buffer."""
        return await self._run(lambda store: store.statistics())

    # --- the thread ---

    async def _tidy(self) -> None:
        while True:
            await asyncio.sleep(_TIDY_S)
            try:
                await self._run(lambda store: store.tidy())
            except BufferUnusable as error:
                log.debug("the buffer could not be tidied: %s", error)

    async def _run(self, work: Callable[[Store], _T]) -> _T:
        return await self._thread.run(lambda: self._do(work))

    def _do(self, work: Callable[[Store], _T]) -> _T:
        store = self._opened_store()
        try:
            done = work(store)
        except sqlite3.OperationalError as error:
            raise BufferUnusable(f"{self._path}: {error}; check the disk") from error
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            self._put_aside(error)
            done = work(self._opened_store())
        self._head, self._offset_us = store.head, store.offset_us
        return done

    def _opened_store(self) -> Store:
        if self._store is None:
            try:
                self._store = Store(self._path, clock=self._clock, bounds=self._bounds)
            except sqlite3.DatabaseError as error:
                self._put_aside(error)
                self._store = Store(self._path, clock=self._clock, bounds=self._bounds)
            self._store_id, self._head = self._store.store_id, self._store.head
            self._offset_us = self._store.offset_us
            if self._store.resumed and self.opened is Opened.FRESH:
                self.opened = Opened.RESUMED
        return self._store

    def _put_aside(self, error: sqlite3.DatabaseError) -> None:
        aside = put_aside(self._path)
        log.error("the buffer %s is damaged (%s): put aside as %s, a new store begins", self._path, error, aside.name)
        self.opened = Opened.REPLACED_CORRUPT
        if self._store:
            self._store.close()
            self._store = None

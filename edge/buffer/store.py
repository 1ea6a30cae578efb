"""The rules of one buffer file: numbering, wall times, what may be sent, what is evicted. Synchronous, one thread."""

import logging
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from edge.buffer import database
from edge.buffer.drawing import first_of, gather
from edge.buffer.eviction import Eviction, enough
from edge.buffer.growth import Growth, Statistics
from edge.buffer.packing import chunks_of
from edge.buffer.placing import placed
from edge.buffer.rows import Row
from edge.buffer.tables import Tables, Victim
from edge.buffer.timeline import Anchor, Stretch, stretch_of
from edge.clock import Clock
from edge.errors import BufferFull
from protocols.ranges import Range, intersect, normalise, subtract, union
from protocols.readings import RowClass
from protocols.wire import WIRE_VERSION, Batch

log = logging.getLogger(__name__)

LOST_RANGES = 1_000
"""Lost ranges declared in one batch, so that a long outage's declaration does not fill a request."""

_ROOM_BYTES = 1 << 18
"""Evicted at once when the disk itself is full."""

_DAY_US = 86_400_000_000


class Flow(StrEnum):
    """The two ways to the cloud; neither waits for the other."""

    LIVE = "live"  # committed within the last few seconds
    BACKLOG = "backlog"  # all that is older and unsent


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much the buffer keeps, and what counts as new."""

    max_bytes: int = 2 * 1024**3
    """Of the file; what is held by the cloud is evicted first, then unsent samples, then registers and events."""
    keep_held_days: float = 90.0
    """Rows that the cloud holds are let go after this; unsent rows only ever for want of room."""
    live_s: float = 10.0
    """Rows committed this long ago are backlog; longer than the pause between two live batches."""


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A batch in flight; its rows are not drawn again until it is settled or released."""

    batch: Batch


class Store:
    """One buffer file. Every method may raise sqlite3.DatabaseError when the file turns out to be damaged."""

    def __init__(self, path: Path, *, clock: Clock, bounds: Bounds) -> None:
        """Open the file, made if it is not there. Nothing is written to a file that is.

        Raises:
            BufferUnusable: see database.connect.
            sqlite3.DatabaseError: the file is damaged.
        """
        self.resumed = path.exists() and path.stat().st_size > 0
        self._clock = clock
        self._bounds = bounds
        self._connection = database.connect(path)
        try:
            self._load()
        except BaseException:
            self._connection.close()
            raise

    def _load(self) -> None:
        self._tables = Tables(self._connection)
        self.store_id = self._tables.store_id()
        self._keys = self._tables.points()
        self._numbers = {key: number for number, key in enumerate(self._keys)}
        self._coverage = self._saved_coverage = self._tables.coverage()
        self._stretches = self._saved_stretches = self._tables.stretches()
        if not self._stretches or self._stretches[-1].boot != self._clock.boot_id:
            self._begin_stretch(None)
        self._recent: deque[tuple[int, int]] = deque()
        self._in_flight: dict[Drawn, list[Range]] = {}  # and what other answers have said since
        self._growth = Growth(now_us=self._clock.monotonic_us(), head=self._coverage.head)
        self._eviction = Eviction(self._tables)
        self._loses_rows = False

    def close(self) -> None:
        """Close the file; what SQLite still has in its log is written back."""
        self._connection.close()

    @property
    def head(self) -> int:
        """The newest number committed; 0 in an empty store."""
        return self._coverage.head

    @property
    def unsent_rows(self) -> int:
        """Rows here that the cloud is not known to hold."""
        return self._coverage.unsent_rows()

    @property
    def offset_us(self) -> int | None:
        """What the running boot has learnt; None before."""
        anchor = self._stretches[-1].anchor
        return None if anchor is None else anchor.wall_us - anchor.mono_us

    # --- taking rows ---

    def commit(self, rows: Sequence[Row]) -> None:
        """Make the rows durable and give them the next numbers; all or none. Samples come with samples only.

        Raises:
            BufferFull: the disk took no more, and evicting what may be evicted for these rows did not help.
        """
        try:
            self._commit(rows)
        except sqlite3.OperationalError:
            # registers and events may push out unsent samples; samples only what the cloud holds
            samples = [] if rows[0].row_class is RowClass.SAMPLE else [self._eviction.samples]
            try:
                self._evict([self._held, *samples], size_bytes=_ROOM_BYTES)
                self._commit(rows)
            except sqlite3.OperationalError as error:
                raise BufferFull(f"the buffer's disk took no more ({error}); make room on it") from error
        self._keep_bounds()

    def _commit(self, rows: Sequence[Row]) -> None:
        new_keys = [key for key in dict.fromkeys([row.point for row in rows]) if key not in self._numbers]
        numbers = self._numbers | {key: at for at, key in enumerate(new_keys, len(self._keys))} if new_keys else None
        first = self._coverage.head + 1
        chunks = list(chunks_of(rows, first_seq=first, numbers=numbers or self._numbers))
        with database.transaction(self._connection):
            self._write_state()
            self._tables.add_points(new_keys, first_number=len(self._keys))
            for chunk in chunks:
                self._tables.add_chunk(chunk)
        if numbers:
            self._numbers = numbers
            self._keys += new_keys
        self._state_is_written()
        self._coverage = self._saved_coverage = replace(self._coverage, head=first + len(rows) - 1)
        self._recent.append((self._clock.monotonic_us(), first))
        log.debug("committed rows %s..%s of store %s", first, self._coverage.head, self.store_id)

    # --- sending rows ---

    def draw(self, flow: Flow, max_rows: int) -> Drawn | None:
        """Return the oldest rows of the flow that are neither held nor in flight; None where there are none.

        Rows whose wall time is not known yet are not drawn: without the cloud's time there is no token to send with.
        Lost ranges travel with the backlog, if need be in a batch without rows.
        """
        while True:
            wanted = first_of(self._free(flow), max_rows)
            lost = self._coverage.undeclared()[:LOST_RANGES] if flow is Flow.BACKLOG else []
            if not wanted and not lost:
                return None
            rows, unreadable = gather(self._tables, wanted, stretches=self._stretches, keys=self._keys)
            if not unreadable:
                break
            self._forget(unreadable)
        batch = Batch(
            v=WIRE_VERSION,
            store=self.store_id,
            rows=rows,
            lost=lost,
            head=self._coverage.head,
            pending=self._coverage.unsent_rows() - len(rows.point),
        )
        drawn = Drawn(batch)
        self._in_flight[drawn] = []
        return drawn

    def _free(self, flow: Flow) -> list[Range]:
        horizon_us = self._clock.monotonic_us() - round(self._bounds.live_s * 1e6)
        while self._recent and self._recent[0][0] < horizon_us:
            self._recent.popleft()
        head = self._coverage.head
        live_from = self._recent[0][1] if self._recent else head + 1
        first, last = (live_from, head) if flow is Flow.LIVE else (1, live_from - 1)
        if last < first:
            return []
        free = intersect(self._coverage.unsent(), [(first, last)])
        for taken in [drawn.batch.rows.ranges for drawn in self._in_flight] + [self._unplaced()]:
            free = subtract(free, taken)
        return free

    def _forget(self, unreadable: Sequence[Range]) -> None:
        """Let go of rows whose chunk is damaged: the rest of the file is good, and their loss will be declared."""
        log.error("rows %s of store %s are damaged and lost", unreadable, self.store_id)
        with database.transaction(self._connection):
            for first, last in unreadable:
                self._tables.delete_chunks(
                    [chunk_first for chunk_first, _, _ in list(self._tables.chunks(first, last))]
                )
            self._coverage = self._coverage.without(unreadable)
            self._write_state()
        self._state_is_written()

    def settle(self, drawn: Drawn, held: Sequence[Range]) -> None:
        """Take the cloud's answer to a batch: all that it holds of this store.

        Other answers that came while this one was under way may have known more, and hold all the same.

        Raises:
            ValueError: `held` is no set of ranges.
        """
        since = self._in_flight.pop(drawn, None)
        if since is None:
            return
        for other, known in self._in_flight.items():
            self._in_flight[other] = union(known, held)
        self._hold(union(held, since), declared=drawn.batch.lost)

    @property
    def in_flight(self) -> list[Drawn]:
        """Batches that were drawn and are neither settled nor released."""
        return list(self._in_flight)

    def release(self, batches: Sequence[Drawn]) -> None:
        """Take back batches that were not answered: their rows may be drawn again."""
        for drawn in batches:
            self._in_flight.pop(drawn, None)

    def hold(self, held: Sequence[Range], *, store_id: str) -> None:
        """Take what the cloud says at its hello; where it says less than before, the rows are unsent again.

        What it says of another store than this one is left alone.

        Raises:
            ValueError: `held` is no set of ranges.
        """
        if store_id == self.store_id:
            self._in_flight = dict.fromkeys(self._in_flight, normalise(held))
            self._hold(held, declared=())

    def _hold(self, held: Sequence[Range], *, declared: Sequence[Range]) -> None:
        before = self._coverage
        self._coverage = before.holding(held).declaring(declared)
        if self._coverage.head > before.head:
            log.warning(
                "the cloud holds rows of store %s up to %s, above its newest %s: numbering goes on after them",
                self.store_id,
                self._coverage.head,
                before.head,
            )
        self._save_state()
        log.debug("held ranges stored for store %s: %s", self.store_id, self._coverage.held)

    # --- wall time ---

    def learn_offset(self, offset_us: int) -> None:
        """Attach wall time = monotonic time + `offset_us` to the running boot's rows.

        The first offset of a boot places all of its rows, and the boots before it that never learnt one. A later,
        different offset holds for the rows that are committed after it and moves none that stands.
        """
        running = self._stretches[-1]
        anchor = Anchor(mono_us=0, wall_us=offset_us)
        if running.anchor == anchor:
            return
        if running.anchor is None:
            self._stretches = placed(
                self._tables,
                [*self._stretches[:-1], replace(running, anchor=anchor)],
                head=self._coverage.head,
                now_us=anchor.wall_of(self._clock.monotonic_us()),
            )
        else:
            self._begin_stretch(anchor)
        self._save_state()

    def _begin_stretch(self, anchor: Anchor | None) -> None:
        first = self._coverage.head + 1
        kept = [stretch for stretch in self._stretches if stretch.first_seq < first]
        self._stretches = [*kept, Stretch(first_seq=first, boot=self._clock.boot_id, anchor=anchor)]

    def _unplaced(self) -> list[Range]:
        ends = [stretch.first_seq - 1 for stretch in self._stretches[1:]] + [self._coverage.head]
        spans = zip(self._stretches, ends, strict=True)
        return [
            (stretch.first_seq, end) for stretch, end in spans if stretch.anchor is None and end >= stretch.first_seq
        ]

    # --- room ---

    def tidy(self) -> None:
        """Let go of held rows past their days, and note how fast the buffer fills; to be called every minute or so."""
        self._growth.note(now_us=self._clock.monotonic_us(), head=self._coverage.head)
        try:
            while self._evict([self._expired], size_bytes=self._bounds.max_bytes):
                pass
        except sqlite3.OperationalError as error:
            log.debug("expired rows could not be evicted now: %s", error)

    def _keep_bounds(self) -> None:
        try:
            while (excess_bytes := self._tables.used_bytes() - self._bounds.max_bytes) > 0:
                if not self._evict([self._held, self._eviction.samples, self._eviction.any], size_bytes=excess_bytes):
                    break
        except sqlite3.OperationalError as error:
            log.debug("rows could not be evicted now: %s", error)

    def _held(self) -> Sequence[Victim]:
        return self._eviction.held(self._coverage)

    def _expired(self) -> Sequence[Victim]:
        anchor = self._stretches[-1].anchor
        if anchor is None:
            return []
        before_us = anchor.wall_of(self._clock.monotonic_us()) - round(self._bounds.keep_held_days * _DAY_US)
        return self._eviction.expired(self._coverage, stretches=self._stretches, before_us=before_us)

    def _evict(self, sources: Sequence[Callable[[], Sequence[Victim]]], *, size_bytes: int) -> bool:
        """Delete chunks of the first source that has any; return whether there were any."""
        victims = next((found for source in sources if (found := enough(source(), size_bytes))), [])
        if not victims:
            return False
        ranges = normalise((victim.first_seq, victim.last_seq) for victim in victims)
        before = self._coverage
        self._coverage = before.without(ranges)
        try:
            with database.transaction(self._connection):
                self._tables.delete_chunks([victim.first_seq for victim in victims])
                self._write_state()
        except sqlite3.DatabaseError:
            self._coverage = before
            raise
        self._state_is_written()
        loses_rows = bool(subtract(ranges, before.held))
        if loses_rows and not self._loses_rows:
            log.warning("the buffer is full: unsent rows of store %s are lost from %s on", self.store_id, ranges[0][0])
        self._loses_rows = loses_rows
        return True

    # --- what is known of the file ---

    def statistics(self) -> Statistics:
        """Return what the box tells of its buffer."""
        used_bytes = self._tables.used_bytes()
        return Statistics(
            rows=self._coverage.rows(),
            unsent_rows=self._coverage.unsent_rows(),
            head=self._coverage.head,
            used_bytes=used_bytes,
            oldest_unsent_age_s=self._oldest_unsent_age_s(),
            hours_left=self._hours_left(used_bytes),
        )

    def _oldest_unsent_age_s(self) -> float | None:
        unsent = self._coverage.unsent()
        taken_us = self._tables.last_us(1, unsent[0][0]) if unsent else None
        if taken_us is None:
            return None
        running, stretch = self._stretches[-1], stretch_of(self._stretches, unsent[0][0])
        now_us = self._clock.monotonic_us()
        if stretch.boot == running.boot:
            return (now_us - taken_us) / 1e6
        if stretch.anchor is None or running.anchor is None:
            return None
        return (running.anchor.wall_of(now_us) - stretch.anchor.wall_of(taken_us)) / 1e6

    def _hours_left(self, used_bytes: int) -> float | None:
        rows = self._coverage.rows()
        if rows <= 0:
            return None
        room_rows = self._bounds.max_bytes / (used_bytes / rows) - self._coverage.unsent_rows()
        return self._growth.hours_for(room_rows, now_us=self._clock.monotonic_us(), head=self._coverage.head)

    def _save_state(self) -> None:
        """Write what has changed outside a commit; on a disk that takes no more it goes with the next commit."""
        try:
            with database.transaction(self._connection):
                self._write_state()
        except sqlite3.OperationalError as error:
            log.debug("the buffer's state could not be stored now: %s", error)
        else:
            self._state_is_written()

    def _write_state(self) -> None:
        self._tables.save_coverage(self._saved_coverage, self._coverage)
        if self._stretches is not self._saved_stretches:
            self._tables.save_stretches(self._stretches)

    def _state_is_written(self) -> None:
        self._saved_coverage, self._saved_stretches = self._coverage, self._stretches

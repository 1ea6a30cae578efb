"""The rows of the buffer's file and all of its SQL; no rules. Callers own the transactions."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from edge.buffer.coverage import Coverage
from edge.buffer.timeline import Anchor, Stretch
from protocols.ranges import Range
from protocols.readings import RowClass


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Rows that were committed together: one class, one stretch."""

    first_seq: int
    last_seq: int
    row_class: RowClass
    first_us: int
    """Monotonic time of its earliest row."""
    last_us: int
    packed: bytes


class Victim(NamedTuple):
    """A chunk that might be evicted."""

    first_seq: int
    last_seq: int
    last_us: int
    size_bytes: int


_VICTIM = "SELECT first_seq, last_seq, last_us, length(packed) FROM chunks"


class Tables:
    """Read and write the tables of one open file."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        (self._page_bytes,) = connection.execute("PRAGMA page_size").fetchone()

    def store_id(self) -> str:
        """Return the id that the file drew when it was made."""
        (store_id,) = self._connection.execute("SELECT store_id FROM store").fetchone()
        return str(store_id)

    def points(self) -> list[str]:
        """Return the points' keys; a point's number is its place."""
        return [key for (key,) in self._connection.execute("SELECT key FROM points ORDER BY number")]

    def add_points(self, keys: Iterable[str], *, first_number: int) -> None:
        """Give the keys numbers from `first_number` on."""
        self._connection.executemany("INSERT INTO points VALUES (?, ?)", enumerate(keys, first_number))

    def stretches(self) -> list[Stretch]:
        """Return all stretches, oldest first."""
        rows = self._connection.execute("SELECT * FROM stretches ORDER BY first_seq")
        return [Stretch(first_seq=first, boot=boot, anchor=_anchor(*anchor)) for first, boot, *anchor in rows]

    def save_stretches(self, stretches: Sequence[Stretch]) -> None:
        """Make the file hold these stretches and no other."""
        self._connection.execute("DELETE FROM stretches")
        self._connection.executemany(
            "INSERT INTO stretches VALUES (?, ?, ?, ?, ?, ?)",
            [(stretch.first_seq, stretch.boot, *_anchor_columns(stretch.anchor)) for stretch in stretches],
        )

    def coverage(self) -> Coverage:
        """Return the ranges; the head is the newest number that is here or has gone."""
        ranges: dict[str, list[Range]] = {"held": [], "gone": [], "declared": []}
        for kind, first, last in self._connection.execute("SELECT * FROM coverage ORDER BY kind, first_seq"):
            ranges[kind].append((first, last))
        newest = self._connection.execute("SELECT last_seq FROM chunks ORDER BY first_seq DESC LIMIT 1").fetchone()
        head = max(newest[0] if newest else 0, ranges["gone"][-1][1] if ranges["gone"] else 0)
        return Coverage(head=head, held=ranges["held"], gone=ranges["gone"], declared=ranges["declared"])

    def save_coverage(self, before: Coverage, after: Coverage) -> None:
        """Write what has changed between two coverages."""
        for kind, old, new in (
            ("held", before.held, after.held),
            ("gone", before.gone, after.gone),
            ("declared", before.declared, after.declared),
        ):
            if old is new:
                continue
            kept = set(old) & set(new)
            self._connection.executemany(
                "DELETE FROM coverage WHERE kind = ? AND first_seq = ?",
                [(kind, first) for first, last in old if (first, last) not in kept],
            )
            self._connection.executemany(
                "INSERT INTO coverage VALUES (?, ?, ?)",
                [(kind, first, last) for first, last in new if (first, last) not in kept],
            )

    def add_chunk(self, chunk: Chunk) -> None:
        """Write a chunk behind all others."""
        self._connection.execute(
            "INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?)",
            (chunk.first_seq, chunk.last_seq, chunk.row_class, chunk.first_us, chunk.last_us, chunk.packed),
        )

    def chunks(self, first: int, last: int) -> Iterator[tuple[int, int, bytes]]:
        """Yield first number, last number and columns of the chunks that hold any of first..last, ascending."""
        return self._connection.execute(
            """SELECT first_seq, last_seq, packed FROM chunks
               WHERE first_seq BETWEEN coalesce((SELECT max(first_seq) FROM chunks WHERE first_seq <= ?1), ?1) AND ?2
                 AND last_seq >= ?1
               ORDER BY first_seq""",
            (first, last),
        )

    def first_us(self, first: int, last: int) -> int | None:
        """Return the monotonic time of the oldest chunk that begins in first..last; None where none does."""
        row = self._connection.execute(
            "SELECT first_us FROM chunks WHERE first_seq BETWEEN ? AND ? ORDER BY first_seq LIMIT 1", (first, last)
        ).fetchone()
        return row[0] if row else None

    def last_us(self, first: int, last: int) -> int | None:
        """Return the monotonic time of the newest chunk that begins in first..last; None where none does."""
        row = self._connection.execute(
            "SELECT last_us FROM chunks WHERE first_seq BETWEEN ? AND ? ORDER BY first_seq DESC LIMIT 1", (first, last)
        ).fetchone()
        return row[0] if row else None

    def whole_within(self, first: int, last: int, *, limit: int) -> list[Victim]:
        """Return the oldest chunks that stand wholly in first..last."""
        rows = self._connection.execute(
            f"{_VICTIM} WHERE first_seq BETWEEN ?1 AND ?2 AND last_seq <= ?2 ORDER BY first_seq LIMIT ?3",
            (first, last, limit),
        )
        return [Victim(*row) for row in rows]

    def oldest(self, row_classes: Sequence[RowClass], *, from_seq: int, limit: int) -> list[Victim]:
        """Return the oldest chunks of the classes that begin at `from_seq` or later."""
        marks = ", ".join("?" * len(row_classes))
        rows = self._connection.execute(
            f"{_VICTIM} WHERE first_seq >= ? AND row_class IN ({marks}) ORDER BY first_seq LIMIT ?",
            (from_seq, *row_classes, limit),
        )
        return [Victim(*row) for row in rows]

    def delete_chunks(self, first_seqs: Iterable[int]) -> None:
        """Delete the chunks that begin with these numbers."""
        self._connection.executemany("DELETE FROM chunks WHERE first_seq = ?", [(seq,) for seq in first_seqs])

    def used_bytes(self) -> int:
        """Return the file's size without its free pages."""
        (pages,) = self._connection.execute("PRAGMA page_count").fetchone()
        (free,) = self._connection.execute("PRAGMA freelist_count").fetchone()
        return int((pages - free) * self._page_bytes)


def _anchor(mono_us: int | None, wall_us: int | None, rate: float | None, estimated: int | None) -> Anchor | None:
    if mono_us is None or wall_us is None or rate is None:
        return None
    return Anchor(mono_us=mono_us, wall_us=wall_us, rate=rate, estimated=bool(estimated))


def _anchor_columns(anchor: Anchor | None) -> tuple[int | float | None, ...]:
    if anchor is None:
        return (None, None, None, None)
    return (anchor.mono_us, anchor.wall_us, anchor.rate, int(anchor.estimated))

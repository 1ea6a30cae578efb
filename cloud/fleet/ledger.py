"""The ledger of a store's rows: what is held, and what its gaps say of time.

The cloud keeps sequence numbers, not times, of what it holds. Rows are numbered in the order of their commit, so the
rows of a gap were committed between those of its neighbours: a held range therefore carries the times of its first
and last row. Two things blur that, and each has its margin: clocks and slow devices (MARGIN, for every point), and
devices that send old timestamps of their own (a point's `late_us`, learnt from what it has sent).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from itertools import pairwise

from protocols.ranges import Range, intersect, size, subtract

MARGIN = timedelta(minutes=10)
"""How far a reading's time may stand from the time of its commit without more ado; intake takes no row that is
further ahead of the cloud's clock."""

MARGIN_US = MARGIN // timedelta(microseconds=1)
FOR_EVER_US = 2**62
"""Where a gap has no end, or minus this no beginning: after whatever time a row could bear."""


@dataclass(frozen=True, slots=True)
class HeldRange:
    """Consecutive rows that the cloud holds, with the times at its ends."""

    first: int
    last: int
    first_us: int
    last_us: int

    @property
    def numbers(self) -> Range:
        """Return the sequence numbers alone."""
        return self.first, self.last


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreHistory:
    """All that is known of one buffer file.

    Attributes:
        head: the newest number that the box told of, at `head_us` of the cloud's clock.
        began_us: when the cloud first heard of the store.
        lost: declared as evicted unsent; what came nevertheless counts as held.
    """

    held: Sequence[HeldRange]
    lost: Sequence[Range]
    head: int
    head_us: int
    began_us: int


class Absence(StrEnum):
    """Why a stretch of time is not surely complete."""

    MISSING = "missing"  # rows of it are on the box and may still come
    LOST = "lost"  # rows of it were evicted before they were sent: they will not come
    UNTOLD = "untold"  # the box has not spoken since, so nobody knows


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A stretch in which readings of the point may be absent.

    Attributes:
        rows: how many rows of the box, of whichever points, are absent; None where nobody knows.
    """

    absence: Absence
    start_us: int
    end_us: int
    rows: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What the ledger says of a period: `complete` and `gaps` together are the whole period; gaps may overlap."""

    complete: tuple[tuple[int, int], ...] = ()
    gaps: tuple[Gap, ...] = field(default=())


def hold(held: Sequence[HeldRange], received: Iterable[HeldRange]) -> list[HeldRange]:
    """Return the union, its touching or overlapping ranges joined and each end with the time of its row."""
    joined: list[HeldRange] = []
    for part in sorted([*held, *received], key=lambda part: part.numbers):
        if joined and part.first <= joined[-1].last + 1:
            left = joined[-1]
            if part.last > left.last:
                joined[-1] = HeldRange(left.first, part.last, left.first_us, part.last_us)
        else:
            joined.append(part)
    return joined


def gaps(stores: Sequence[StoreHistory]) -> Iterator[Gap]:
    """Yield what is absent of a box's stores, the oldest store first, each gap from neighbour to neighbour."""
    for number, store in enumerate(stores):
        yield from _gaps_within(store)
        following_us = stores[number + 1].began_us if number + 1 < len(stores) else FOR_EVER_US
        if store.head_us < following_us:
            yield Gap(absence=Absence.UNTOLD, start_us=store.head_us, end_us=following_us, rows=None)


def coverage(stores: Sequence[StoreHistory], *, late_us: int, start_us: int, end_us: int) -> Coverage:
    """Return which parts of the period are surely complete for a point of the box that wrote `stores`.

    Args:
        stores: all of the box, the oldest first.
        late_us: the point's own; see the module.
        start_us: the period's first instant.
        end_us: the instant after the period.
    """
    margin_us = max(MARGIN_US, late_us)
    found = [
        Gap(
            absence=gap.absence,
            start_us=max(gap.start_us - margin_us, start_us),
            end_us=min(gap.end_us + margin_us, end_us),
            rows=gap.rows,
        )
        for gap in gaps(stores)
    ]
    inside = tuple(sorted((gap for gap in found if gap.start_us < gap.end_us), key=lambda gap: gap.start_us))
    return Coverage(complete=tuple(_between(inside, start_us, end_us)), gaps=inside)


def _gaps_within(store: StoreHistory) -> Iterator[Gap]:
    before_the_first = HeldRange(0, 0, -FOR_EVER_US, -FOR_EVER_US)
    after_the_last = HeldRange(store.head + 1, store.head + 1, store.head_us, store.head_us)
    for left, right in pairwise([before_the_first, *store.held, after_the_last]):
        gap = [(left.last + 1, right.first - 1)] if left.last + 1 < right.first else []
        lost = intersect(gap, store.lost)
        for absence, ranges in ((Absence.LOST, lost), (Absence.MISSING, subtract(gap, lost))):
            if ranges:
                start_us, end_us = sorted((left.last_us, right.first_us))
                yield Gap(absence=absence, start_us=start_us, end_us=end_us, rows=size(ranges))


def _between(inside: Sequence[Gap], start_us: int, end_us: int) -> Iterator[tuple[int, int]]:
    reached_us = start_us
    for gap in inside:
        if gap.start_us > reached_us:
            yield reached_us, gap.start_us
        reached_us = max(reached_us, gap.end_us)
    if reached_us < end_us:
        yield reached_us, end_us

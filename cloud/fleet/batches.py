"""A batch as it came: whether it can be read, and which of its rows can be taken. Plain arithmetic on columns."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate, repeat
from math import isfinite
from operator import sub

from cloud.core.clock import to_us
from cloud.core.errors import Malformed, TooLarge
from cloud.fleet.domain import SeriesRow, SetAsideReason
from cloud.fleet.ledger import MARGIN_US, HeldRange
from cloud.fleet.versions import check_version
from protocols.ranges import Range, size
from protocols.wire import MAXIMUM_ROWS, Batch, Rows

KEY_LENGTH = 200
MAXIMUM_LOST_RANGES = 1_000
"""A box evicts in order, so its losses are few ranges; more in one batch is no box of ours."""

EARLIEST_US = to_us(datetime(2000, 1, 1, tzinfo=UTC))
"""No device that could be read by a box is older; what says so has lost its clock."""

_SEQ_LIMIT = 2**62
_TIME_LIMIT = 2**63
_FLAGS_LIMIT = 0b1000
_STORE = re.compile(r"[0-9a-f]{32}")
_UNKNOWN = -1

Place = tuple[int, int]
"""A stretch of a batch's columns: its first position, and the one after its last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sifted:
    """A batch's rows, each at its position, and why some of them can't be taken.

    Attributes:
        rows: for the series; what stands at a position of `untakeable` means nothing.
        times_us: of each row or, where a row before it has a later one, that one's: the time of the commit, as far
            as times tell it.
        late_us: by point, the furthest that a row of its stood behind `times_us`, where it is more than MARGIN.
    """

    rows: list[SeriesRow]
    untakeable: dict[int, SetAsideReason]
    times_us: list[int]
    late_us: dict[int, int]
    is_by_time: bool
    """No row is older than one before it."""


def check(batch: Batch) -> None:
    """Let pass a batch that can be read.

    Raises:
        VersionRefused: another version of the wire.
        TooLarge: more rows or lost ranges than one batch may carry.
        Malformed: its parts contradict each other or themselves.
    """
    check_version(batch.v)
    _demand("store", _STORE.fullmatch(batch.store) is not None, "must be 32 lower-case hexadecimal digits")
    rows = batch.rows
    if len(rows.point) > MAXIMUM_ROWS:
        raise TooLarge(
            "rows: %(count)s is more than %(most)s: send less at a time.",
            "rows",
            count=len(rows.point),
            most=MAXIMUM_ROWS,
        )
    if len(batch.lost) > MAXIMUM_LOST_RANGES:
        raise TooLarge(
            "lost: %(count)s is more than %(most)s: send less at a time.",
            "lost",
            count=len(batch.lost),
            most=MAXIMUM_LOST_RANGES,
        )
    _check_ranges("rows.ranges", rows.ranges)
    _check_ranges("lost", batch.lost)
    _check_columns(rows)
    newest = max((part[1] for part in (*rows.ranges[-1:], *batch.lost[-1:])), default=0)
    _demand(
        "head", newest <= batch.head < _SEQ_LIMIT, "must be at least the newest number in the batch, and below 2^62"
    )
    _demand("pending", 0 <= batch.pending < _SEQ_LIMIT, "must be 0 or more, and below 2^62")


def sift(rows: Rows, points: Mapping[str, int], *, now_us: int) -> Sifted:
    """Return the rows of a checked batch with the ids of their points.

    Args:
        rows: the batch's.
        points: point ids by key, of the box that sent it.
        now_us: the cloud's clock.
    """
    ids = [points.get(key, _UNKNOWN) for key in rows.points]
    latest_us = now_us + MARGIN_US
    # A zero has no sign: not every store could give it back.
    values = [value + 0.0 for value in rows.value]
    sifted = list(zip([ids[index] for index in rows.point], rows.time_us, values, rows.flags or repeat(0)))  # noqa: B905  checked, and repeat has no end
    untakeable: dict[int, SetAsideReason] = {}
    times_us = rows.time_us
    if sifted and not (
        _UNKNOWN not in ids
        and all(map(isfinite, values))
        and min(times_us) >= EARLIEST_US
        and max(times_us) <= latest_us
    ):
        untakeable = {place: reason for place, row in enumerate(sifted) if (reason := _why_not(row, latest_us))}
        times_us = _plausible(times_us, latest_us)
    reached_us = list(accumulate(times_us, max))
    late_us: dict[int, int] = {}
    if reached_us != times_us and max(map(sub, reached_us, times_us)) > MARGIN_US:
        late_us = _lateness(sifted, reached_us, untakeable)
    is_by_time = reached_us == rows.time_us
    return Sifted(rows=sifted, untakeable=untakeable, times_us=reached_us, late_us=late_us, is_by_time=is_by_time)


def places(ranges: Sequence[Range], wanted: Sequence[Range]) -> list[Place]:
    """Return where the numbers of `wanted`, each of which must be in `ranges`, stand in a batch's columns."""
    starts = list(accumulate((last - first + 1 for first, last in ranges), initial=0))
    firsts = [first for first, _ in ranges]
    found = []
    for first, last in wanted:
        part = bisect_right(firsts, first) - 1
        start = starts[part] + first - firsts[part]
        found.append((start, start + last - first + 1))
    return found


def numbers(ranges: Sequence[Range], positions: Sequence[int]) -> list[int]:
    """Return the sequence number of each of `positions` of a batch's columns."""
    starts = list(accumulate((last - first + 1 for first, last in ranges), initial=0))
    parts = [bisect_right(starts, position) - 1 for position in positions]
    return [ranges[part][0] + position - starts[part] for part, position in zip(parts, positions, strict=True)]


def received(ranges: Sequence[Range], times_us: Sequence[int]) -> Iterator[HeldRange]:
    """Yield the ranges of a batch with the times at their ends."""
    start = 0
    for first, last in ranges:
        end = start + last - first
        yield HeldRange(first, last, times_us[start], times_us[end])
        start = end + 1


def _check_ranges(name: str, ranges: Sequence[Range]) -> None:
    before = 0
    for first, last in ranges:
        _demand(name, before < first <= last < _SEQ_LIMIT, "must be ascending and disjoint, from 1 to below 2^62")
        before = last


def _check_columns(rows: Rows) -> None:
    count = size(rows.ranges)
    columns: dict[str, Sized] = {"point": rows.point, "time_us": rows.time_us, "value": rows.value, "flags": rows.flags}
    for name, column in columns.items():
        fits = len(column) == count or (name == "flags" and not column)
        _demand(f"rows.{name}", fits, f"must have as many entries as rows.ranges has numbers, {count}")
    _demand(
        "rows.points", all(len(key) <= KEY_LENGTH for key in rows.points), f"must be {KEY_LENGTH} characters or less"
    )
    if not count:
        return
    _demand("rows.point", min(rows.point) >= 0 and max(rows.point) < len(rows.points), "must index rows.points")
    in_64_bits = min(rows.time_us) >= -_TIME_LIMIT and max(rows.time_us) < _TIME_LIMIT
    _demand("rows.time_us", in_64_bits, "must fit in 64 bits")
    in_flags = not rows.flags or (min(rows.flags) >= 0 and max(rows.flags) < _FLAGS_LIMIT)
    _demand("rows.flags", in_flags, "must be flags of protocols.readings")


def _demand(field: str, holds: bool, demand: str) -> None:  # noqa: FBT001  the one thing it is about
    if not holds:
        raise Malformed("%(name)s %(demand)s.", field, name=field, demand=demand)


def _why_not(row: SeriesRow, latest_us: int) -> SetAsideReason | None:
    point_id, time_us, value, _ = row
    if point_id == _UNKNOWN:
        return SetAsideReason.UNKNOWN_POINT
    if not isfinite(value):
        return SetAsideReason.NOT_A_NUMBER
    if time_us > latest_us:
        return SetAsideReason.FAR_FUTURE
    return SetAsideReason.FAR_PAST if time_us < EARLIEST_US else None


def _plausible(times_us: Sequence[int], latest_us: int) -> list[int]:
    """Return the times with each impossible one replaced by the one before it, or by the first that is possible."""
    possible = [time_us for time_us in times_us if EARLIEST_US <= time_us <= latest_us]
    before = possible[0] if possible else latest_us - MARGIN_US
    replaced = []
    for time_us in times_us:
        before = time_us if EARLIEST_US <= time_us <= latest_us else before
        replaced.append(before)
    return replaced


def _lateness(rows: Sequence[SeriesRow], reached_us: Sequence[int], untakeable: Mapping[int, object]) -> dict[int, int]:
    late_us: dict[int, int] = {}
    for position, (row, time_us) in enumerate(zip(rows, reached_us, strict=True)):
        behind_us = time_us - row[1]
        if behind_us > MARGIN_US and position not in untakeable:
            late_us[row[0]] = max(behind_us, late_us.get(row[0], 0))
    return late_us

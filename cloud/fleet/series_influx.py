"""The series in InfluxDB.

InfluxDB overwrites what stands at a point and instant, so this store looks before it writes. That is one step within
a process; two workers that write different values to one instant at the same moment both believe to be the first.
"""

from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

import msgspec

from cloud.fleet.domain import FirstAndLast, Hour, Reading, SeriesRow
from cloud.fleet.influxdb import InfluxDatabase
from cloud.fleet.series import HOUR_US, Held, HeldValues, compare
from cloud.fleet.together import Together

_ROUND_ROWS = 20_000
_PAUSE_US = 24 * HOUR_US
"""A pause that makes two windows of one: between a recording's timestamps and today's lie years of other readings."""

_EARLIEST_US, _LATEST_US = -9_223_372_036_854_775, 9_223_372_036_854_775
"""InfluxDB's own limits: 64 bits of nanoseconds."""

_READ = "SELECT value, flags FROM readings WHERE {chosen} ORDER BY time {order}"
_HELD = "SELECT value, flags FROM readings WHERE {chosen} GROUP BY point"
_ONE_OF_EACH = "SELECT value, flags FROM readings WHERE {chosen} GROUP BY point ORDER BY time {order} LIMIT 1"
_HOURLY = """
    SELECT count(value), min(value), max(value), mean(value), first(value), last(value) FROM readings
    WHERE {chosen} GROUP BY time(1h) fill(none)"""


class _Value(msgspec.Struct, array_like=True):
    time_us: int
    value: float
    flags: int

    def to_reading(self) -> Reading:
        return Reading(time_us=self.time_us, value=self.value, flags=self.flags)


class _HourValue(msgspec.Struct, array_like=True):
    start_us: int
    count: int
    minimum: float
    maximum: float
    mean: float
    first: float
    last: float


class InfluxSeries:
    """The series in one measurement: a tag `point`, and the fields `value`, always a float, and `flags`."""

    def __init__(self, url: str) -> None:
        self._database = InfluxDatabase(url)
        self._append = Together(self._append_round, weight=len, limit=_ROUND_ROWS)

    async def prepare(self) -> None:
        await self._database.prepare()

    async def append(self, rows: Sequence[SeriesRow]) -> list[int]:
        return await self._append(rows) if rows else []

    async def holds(self, rows: Sequence[SeriesRow]) -> list[Held]:
        held = await self._held([rows])
        return [compare(held, row) for row in rows]

    async def read(
        self, point_id: int, *, start_us: int, end_us: int, limit: int | None = None, newest_first: bool = False
    ) -> list[Reading]:
        order = f"{'DESC' if newest_first else 'ASC'}{'' if limit is None else f' LIMIT {limit}'}"
        chosen = f"{_any_of([point_id])} AND {_within(start_us, end_us)}"
        (found,) = await self._database.query(_READ.format(chosen=chosen, order=order), values=_Value)
        return [value.to_reading() for series in found for value in series.values]

    async def hourly(self, point_id: int, *, start_us: int, end_us: int) -> list[Hour]:
        chosen = f"{_any_of([point_id])} AND {_within(start_us, end_us)}"
        (found,) = await self._database.query(_HOURLY.format(chosen=chosen), values=_HourValue)
        return [Hour(**msgspec.structs.asdict(value)) for series in found for value in series.values]

    async def last_minus_first(
        self, point_ids: Collection[int], *, start_us: int, end_us: int
    ) -> dict[int, FirstAndLast]:
        within = _within(start_us, end_us)
        first = await self._one_of_each(point_ids, within, order="ASC")
        last = await self._one_of_each(first, within, order="DESC")
        return {point_id: FirstAndLast(first=first[point_id], last=last[point_id]) for point_id in last}

    async def newest(self, point_ids: Collection[int]) -> dict[int, Reading]:
        return await self._one_of_each(point_ids, _ALWAYS, order="DESC")

    async def close(self) -> None:
        await self._database.close()

    async def _append_round(self, parts: Sequence[Sequence[SeriesRow]]) -> list[list[int]]:
        held = await self._held(parts)
        lines = []
        clashes: list[list[int]] = [[] for _ in parts]
        for number, part in enumerate(parts):
            for position, row in enumerate(part):
                found = compare(held, row)
                if found is Held.DIFFERENT:
                    clashes[number].append(position)
                elif found is Held.ABSENT:
                    point_id, time_us, value, flags = row
                    held[point_id, time_us] = (value, flags)
                    # An integer in place of a float, even once, would make InfluxDB refuse the field's other type.
                    lines.append(f"readings,point={point_id} value={float(value)!r},flags={flags}i {time_us}")
        if lines:
            await self._database.write("\n".join(lines))
        return clashes

    async def _held(self, parts: Sequence[Sequence[SeriesRow]]) -> HeldValues:
        # Part by part: what a question costs grows with its points times those of its answer.
        questions = [
            _HELD.format(chosen=f"{_within(start_us, end_us)} AND {_any_of(points)}")
            for part in parts
            for start_us, end_us, points in _windows(part)
        ]
        if not questions:
            return {}
        found = await self._database.query("; ".join(questions), values=_Value)
        return {
            (int(series.tags["point"]), value.time_us): (value.value, value.flags)
            for result in found
            for series in result
            for value in series.values
        }

    async def _one_of_each(self, point_ids: Collection[int], within: str, *, order: str) -> dict[int, Reading]:
        if not point_ids:
            return {}
        chosen = f"{_any_of(point_ids)} AND {within}"
        (found,) = await self._database.query(_ONE_OF_EACH.format(chosen=chosen, order=order), values=_Value)
        return {int(series.tags["point"]): series.values[0].to_reading() for series in found}


def _within(start_us: int, end_us: int) -> str:
    return f"time >= {max(start_us, _EARLIEST_US)}u AND time < {min(end_us, _LATEST_US)}u"


def _any_of(point_ids: Collection[int]) -> str:
    return "(" + " OR ".join(f"point = '{point_id}'" for point_id in point_ids) + ")"


_ALWAYS = _within(_EARLIEST_US, _LATEST_US)


def _windows(rows: Sequence[SeriesRow]) -> Iterator[tuple[int, int, set[int]]]:
    """Yield (start_us, end_us, points) windows that hold all rows and no pause between them."""
    by_time = sorted(rows, key=lambda row: row[1])
    breaks = [place for place, (a, b) in enumerate(pairwise(by_time), start=1) if b[1] - a[1] > _PAUSE_US]
    for start, end in pairwise([0, *breaks, len(by_time)] if by_time else []):
        part = by_time[start:end]
        yield part[0][1], part[-1][1] + 1, {row[0] for row in part}

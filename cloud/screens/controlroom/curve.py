"""The readings around an alarm, or of a point's last time, few enough to be drawn and read as a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cloud.alarms.service import Alarm
from cloud.core.clock import from_us, to_us
from cloud.fleet.domain import Hour, Reading
from cloud.fleet.series import SeriesStore
from protocols.readings import Quality

MOST_ROWS = 400
"""Rows of the table beside the curve: what a page may weigh."""

_AROUND_LEAST = timedelta(hours=1)
_AROUND_MOST = timedelta(days=2)
_FEWEST = 24
"""Readings that make a curve out of a line between two dots: a slow point is drawn from further back."""
_RAW_MOST = timedelta(days=1)
"""A longer stretch of a fast point is drawn by its hours."""

Row = tuple[datetime, float | None, Quality]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """What is drawn: instants with values, and None where a gap is to be seen."""

    rows: Sequence[Row]
    is_hourly: bool
    """The values are the means of their hours."""


async def around(store: SeriesStore, alarm: Alarm, *, now: datetime) -> Curve:
    """Return the alarm's point from before it was raised until after it returned, or until now."""
    if alarm.point_id is None:
        return Curve(rows=(), is_hourly=False)
    end = alarm.returned_at or now
    margin = min(max((end - alarm.raised_at) / 2, _AROUND_LEAST), _AROUND_MOST)
    start_us, end_us = to_us(alarm.raised_at - margin), to_us(min(end + margin, max(now, end))) + 1
    limit = MOST_ROWS + 1 if from_us(end_us) - from_us(start_us) > _RAW_MOST else None
    raw = await store.read(alarm.point_id, start_us=start_us, end_us=end_us, limit=limit)
    if len(raw) < _FEWEST:
        earliest_us = to_us(alarm.raised_at - _AROUND_MOST)
        earlier = await store.read(
            alarm.point_id, start_us=earliest_us, end_us=start_us, limit=_FEWEST - len(raw), newest_first=True
        )
        raw = [*reversed(earlier), *raw]
    if limit is None or len(raw) <= MOST_ROWS:
        return Curve(rows=[_row(reading) for reading in thinned(raw)], is_hourly=False)
    hours = await store.hourly(alarm.point_id, start_us=start_us, end_us=end_us)
    return Curve(rows=[_mean(hour) for hour in _every(hours)], is_hourly=True)


async def of_late(store: SeriesStore, point_id: int, *, now: datetime, span: timedelta) -> Curve:
    """Return the point's last `span`: its readings up to a day, above that the means of its hours."""
    start_us, end_us = to_us(now - span), to_us(now) + 1
    if span <= _RAW_MOST:
        raw = await store.read(point_id, start_us=start_us, end_us=end_us)
        return Curve(rows=[_row(reading) for reading in thinned(raw)], is_hourly=False)
    hours = await store.hourly(point_id, start_us=start_us, end_us=end_us)
    means = thinned([Reading(hour.start_us, hour.mean) for hour in hours])
    return Curve(rows=[_row(reading) for reading in means], is_hourly=True)


def thinned(readings: Sequence[Reading]) -> Sequence[Reading]:
    """Return at most MOST_ROWS readings that still touch every peak and every trough: two of each stretch."""
    if len(readings) <= MOST_ROWS:
        return readings
    stretch = -(-len(readings) * 2 // MOST_ROWS)
    kept: list[Reading] = []
    for start in range(0, len(readings), stretch):
        part = readings[start : start + stretch]
        ends = {min(part, key=_value), max(part, key=_value)}
        kept += sorted(ends, key=lambda reading: reading.time_us)
    return kept


def _every(hours: Sequence[Hour]) -> Sequence[Hour]:
    return hours[:: -(-len(hours) // MOST_ROWS) or 1]


def _value(reading: Reading) -> float:
    return reading.value


def _row(reading: Reading) -> Row:
    return reading.time, reading.value, reading.quality


def _mean(hour: Hour) -> Row:
    return from_us(hour.start_us), hour.mean, Quality.GOOD

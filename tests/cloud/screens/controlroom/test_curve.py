from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cloud.alarms.domain import Priority, Side
from cloud.alarms.service import Alarm
from cloud.alarms.terms import Kind
from cloud.core.clock import to_us
from cloud.fleet.domain import Reading
from cloud.fleet.series import SeriesStore
from cloud.fleet.series_url import open_series
from cloud.screens.controlroom.curve import MOST_ROWS, around, thinned

RAISED_AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
POINT = 7


@pytest.fixture
async def series(tmp_path: Path) -> AsyncIterator[SeriesStore]:
    store = open_series(f"sqlite+aiosqlite:///{tmp_path / 'series.db'}")
    await store.prepare()
    yield store
    await store.close()


def alarm_at(raised_at: datetime, *, point_id: int) -> Alarm:
    return Alarm(
        id=1,
        priority=Priority.HIGH,
        cause=None,
        kind=Kind.LIMITS,
        side=Side.LOW,
        name=None,
        consequence=None,
        first_action=None,
        rule_id=1,
        point_id=point_id,
        box_id=1,
        community_id=1,
        place_id=None,
        place="",
        label="office-probe/temperature",
        unit="[degF]",
        raised_at=raised_at,
        raised_value=59.0,
        limit=60.0,
        returned_at=None,
        returned_value=None,
        acknowledged_at=None,
        acknowledged_by=None,
        announced_at=raised_at,
        withdrawn_at=None,
        occurrences=1,
    )


async def _held(series: SeriesStore, *, every: timedelta, count: int) -> None:
    times = [RAISED_AT - every * number for number in range(count)]
    await series.append([(POINT, to_us(time), 59.0, 0) for time in times])


async def test_a_slow_points_curve_reaches_back_to_enough_readings(series: SeriesStore) -> None:
    await _held(series, every=timedelta(hours=1), count=100)
    curve = await around(series, alarm_at(RAISED_AT, point_id=POINT), now=RAISED_AT + timedelta(minutes=1))
    assert [row[0] for row in curve.rows] == [RAISED_AT - timedelta(hours=hours) for hours in range(23, -1, -1)]


async def test_a_fast_points_curve_shows_the_hour_before(series: SeriesStore) -> None:
    await _held(series, every=timedelta(minutes=1), count=300)
    curve = await around(series, alarm_at(RAISED_AT, point_id=POINT), now=RAISED_AT + timedelta(minutes=1))
    assert curve.rows[0][0] == RAISED_AT - timedelta(hours=1)
    assert len(curve.rows) == 61


async def test_a_curve_reaches_no_further_back_than_two_days(series: SeriesStore) -> None:
    await _held(series, every=timedelta(hours=10), count=20)
    curve = await around(series, alarm_at(RAISED_AT, point_id=POINT), now=RAISED_AT)
    assert curve.rows[0][0] == RAISED_AT - timedelta(hours=40)


async def test_a_curve_ends_some_time_after_the_return(series: SeriesStore) -> None:
    await series.append([(POINT, to_us(RAISED_AT + timedelta(hours=hours)), 59.0, 0) for hours in range(12)])
    returned = replace(alarm_at(RAISED_AT, point_id=POINT), returned_at=RAISED_AT + timedelta(hours=4))
    curve = await around(series, returned, now=RAISED_AT + timedelta(days=3))
    assert curve.rows[-1][0] == RAISED_AT + timedelta(hours=6)


def test_thinning_keeps_every_peak_and_every_trough() -> None:
    readings = [Reading(time_us=number, value=0.0, flags=0) for number in range(10_000)]
    readings[4_321] = Reading(time_us=4_321, value=9.0, flags=0)
    readings[7_777] = Reading(time_us=7_777, value=-9.0, flags=0)
    kept = thinned(readings)
    assert len(kept) <= MOST_ROWS
    assert {9.0, -9.0} <= {reading.value for reading in kept}
    assert list(kept) == sorted(kept, key=lambda reading: reading.time_us)

import asyncio
import math
import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloud.fleet.domain import FirstAndLast, Hour, Reading, SeriesRow
from cloud.fleet.series import HOUR_US, Held, SeriesStore
from cloud.fleet.series_url import open_series

_T = 1_772_438_400_000_000  # 2026-03-02T08:00Z
_ALL = {"start_us": 0, "end_us": 2**61}


async def test_what_was_appended_is_read_by_time(series: SeriesStore) -> None:
    assert await series.append([(1, _T + 5, 21.5, 0), (1, _T, 20.5, 2), (2, _T, 1.0, 0)]) == []
    assert await series.read(1, **_ALL) == [
        Reading(time_us=_T, value=20.5, flags=2),
        Reading(time_us=_T + 5, value=21.5),
    ]


async def test_a_period_begins_with_its_start_and_ends_before_its_end(series: SeriesStore) -> None:
    await series.append([(1, _T + step, float(step), 0) for step in range(5)])
    assert [row.value for row in await series.read(1, start_us=_T + 1, end_us=_T + 4)] == [1.0, 2.0, 3.0]


async def test_the_newest_come_first_when_asked_for_that(series: SeriesStore) -> None:
    await series.append([(1, _T + step, float(step), 0) for step in range(5)])
    assert [row.value for row in await series.read(1, **_ALL, limit=2, newest_first=True)] == [4.0, 3.0]
    assert [row.value for row in await series.read(1, **_ALL, limit=2)] == [0.0, 1.0]


async def test_the_same_row_again_is_no_change(series: SeriesStore) -> None:
    rows = [(1, _T, 20.5, 0), (1, _T + 1, 21.0, 1)]
    await series.append(rows)
    assert await series.append([*rows, (1, _T + 2, 22.0, 0)]) == []
    assert [row.value for row in await series.read(1, **_ALL)] == [20.5, 21.0, 22.0]


@pytest.mark.parametrize("other", [(1, _T, 20.6, 0), (1, _T, 20.5, 1)], ids=["value", "flags"])
async def test_a_held_instant_keeps_what_it_has_and_the_other_row_is_returned(
    series: SeriesStore, other: SeriesRow
) -> None:
    await series.append([(1, _T, 20.5, 0)])
    assert await series.append([(1, _T - 1, 1.0, 0), other, (2, _T, 20.6, 0)]) == [1]
    assert await series.read(1, **_ALL) == [Reading(time_us=_T - 1, value=1.0), Reading(time_us=_T, value=20.5)]
    assert await series.read(2, **_ALL) == [Reading(time_us=_T, value=20.6)]


async def test_two_rows_of_one_instant_count_in_their_order(series: SeriesStore) -> None:
    assert await series.append([(1, _T, 1.0, 0), (1, _T, 2.0, 0), (1, _T, 1.0, 0)]) == [1]
    assert await series.read(1, **_ALL) == [Reading(time_us=_T, value=1.0)]


async def test_appends_at_the_same_time_each_learn_of_their_own_clashes(series: SeriesStore) -> None:
    rows = [[(1, _T, 1.0, 0), (2, _T + step, 5.0, 0), (1, _T, 2.0 + step, 0)] for step in range(8)]
    assert await asyncio.gather(*map(series.append, rows)) == [[2]] * 8
    assert len(await series.read(2, **_ALL)) == 8


async def test_a_row_is_held_equal_different_or_absent(series: SeriesStore) -> None:
    await series.append([(1, _T, 1.0, 0), (1, _T + 7, 2.0, 0)])
    asked = [(1, _T, 1.0, 0), (1, _T + 7, 2.5, 0), (1, _T + 7, 2.0, 3), (1, _T + 3, 1.0, 0), (2, _T, 1.0, 0)]
    assert await series.holds(asked) == [Held.EQUAL, Held.DIFFERENT, Held.DIFFERENT, Held.ABSENT, Held.ABSENT]


async def test_nothing_appended_and_nothing_asked_is_nothing(series: SeriesStore) -> None:
    assert await series.append([]) == []
    assert await series.holds([]) == []
    assert await series.newest([]) == {}
    assert await series.last_minus_first([], **_ALL) == {}
    assert await series.read(1, **_ALL) == []
    assert await series.hourly(1, **_ALL) == []


async def test_rows_years_apart_in_one_append_are_each_known_again(series: SeriesStore) -> None:
    rows = [(1, 1_373_000_000_000_000, 60.0, 0), (1, _T, 70.0, 0), (2, _T, 1.0, 0)]
    await series.append(rows)
    assert await series.holds(rows) == [Held.EQUAL] * 3


async def test_more_rows_than_one_statement_takes_are_all_kept(series: SeriesStore) -> None:
    rows = [(point, _T + step, step / 7, 0) for step in range(500) for point in range(1, 6)]
    await series.append(rows)
    assert await series.append([*rows, (3, _T + 499, 0.0, 0)]) == [2500]
    assert [row.value for row in await series.read(5, **_ALL)] == [step / 7 for step in range(500)]


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=50, unique=True))
async def test_values_come_back_bit_for_bit(series: SeriesStore, values: list[float]) -> None:
    values = [value + 0.0 for value in values]  # a zero has no sign
    point = abs(hash(tuple(values))) % 2**31
    await series.append([(point, _T + step, value, 0) for step, value in enumerate(values)])
    found = [row.value for row in await series.read(point, **_ALL)]
    assert struct.pack(f"{len(values)}d", *found) == struct.pack(f"{len(values)}d", *values)


async def test_the_widest_floats_come_back(series: SeriesStore) -> None:
    values = [5e-324, -5e-324, 1.7976931348623157e308, 2.2250738585072014e-308, 0.1 + 0.2, 1e22, 123456789012345680.0]
    await series.append([(1, _T + step, value, 0) for step, value in enumerate(values)])
    assert [row.value for row in await series.read(1, **_ALL)] == values


async def test_a_whole_number_stays_a_float_beside_others(series: SeriesStore) -> None:
    await series.append([(1, _T, 20, 0)])
    await series.append([(1, _T + 1, 20.5, 0)])
    assert [(row.value, type(row.value)) for row in await series.read(1, **_ALL)] == [(20.0, float), (20.5, float)]


async def test_an_hour_in_short_counts_what_lies_in_the_period(series: SeriesStore) -> None:
    minute = 60_000_000
    await series.append(
        [
            (1, _T - 1, 99.0, 0),
            (1, _T, 4.0, 0),
            (1, _T + 10 * minute, 1.0, 0),
            (1, _T + 59 * minute, 2.5, 0),
            (1, _T + 2 * HOUR_US, 7.0, 0),
            (1, _T + 3 * HOUR_US, 99.0, 0),
            (2, _T, 99.0, 0),
        ]
    )
    assert await series.hourly(1, start_us=_T, end_us=_T + 3 * HOUR_US) == [
        Hour(start_us=_T, count=3, minimum=1.0, maximum=4.0, mean=2.5, first=4.0, last=2.5),
        Hour(start_us=_T + 2 * HOUR_US, count=1, minimum=7.0, maximum=7.0, mean=7.0, first=7.0, last=7.0),
    ]


async def test_a_period_that_begins_within_an_hour_leaves_the_rest_of_it_out(series: SeriesStore) -> None:
    await series.append([(1, _T, 1.0, 0), (1, _T + HOUR_US // 2, 3.0, 0)])
    (hour,) = await series.hourly(1, start_us=_T + 1, end_us=_T + HOUR_US)
    assert hour == Hour(start_us=_T, count=1, minimum=3.0, maximum=3.0, mean=3.0, first=3.0, last=3.0)


async def test_the_first_and_last_of_a_period_are_found_for_many_points(series: SeriesStore) -> None:
    await series.append([(point, _T + step, point * 100.0 + step, 0) for point in (1, 2, 3) for step in range(10)])
    found = await series.last_minus_first([1, 2, 9], start_us=_T + 2, end_us=_T + 8)
    assert found == {
        1: FirstAndLast(first=Reading(time_us=_T + 2, value=102.0), last=Reading(time_us=_T + 7, value=107.0)),
        2: FirstAndLast(first=Reading(time_us=_T + 2, value=202.0), last=Reading(time_us=_T + 7, value=207.0)),
    }
    assert math.isclose(found[1].difference, 5.0)


async def test_the_newest_of_many_points_are_found(series: SeriesStore) -> None:
    await series.append([(point, _T + point * step, float(step), point) for point in (1, 2) for step in range(10)])
    assert await series.newest([1, 2, 9]) == {
        1: Reading(time_us=_T + 9, value=9.0, flags=1),
        2: Reading(time_us=_T + 18, value=9.0, flags=2),
    }


async def test_preparing_again_keeps_what_is_there(series: SeriesStore) -> None:
    await series.append([(1, _T, 1.0, 0)])
    await series.prepare()
    assert await series.read(1, **_ALL) == [Reading(time_us=_T, value=1.0)]


def test_a_url_that_names_no_store_is_refused() -> None:
    with pytest.raises(ValueError, match=r"series store mysql://\.\.\.: begin with"):
        open_series("mysql://user:secret@host/db")


def test_an_influxdb_url_without_a_database_is_refused() -> None:
    with pytest.raises(ValueError, match="write it as influxdb://host:8086/database"):
        open_series("influxdb://127.0.0.1:8086")

from math import inf, nan

import msgspec
import pytest

from cloud.core.errors import GatehouseError, Malformed, TooLarge
from cloud.fleet.batches import EARLIEST_US, check, numbers, places, received, sift
from cloud.fleet.domain import SetAsideReason
from cloud.fleet.ledger import MARGIN_US, HeldRange
from cloud.fleet.versions import VersionRefused
from protocols.wire import Batch
from tests.cloud.fleet.boxes import batch

_NOW = 1_772_438_400_000_000
_HOUR = 3_600_000_000
_POINTS = {"probe/temperature": 1, "probe/humidity": 2}


def _good() -> Batch:
    return batch(
        [(1, 1), (4, 5)], [("a/t", _NOW, 1.0), ("a/h", _NOW, 2.0), ("a/t", _NOW + 1, 3.0)], pending=2, lost=[(2, 2)]
    )


def _changed(**changes: object) -> Batch:
    return msgspec.structs.replace(_good(), **changes)


def _rows(**changes: object) -> Batch:
    return _changed(rows=msgspec.structs.replace(_good().rows, **changes))


def test_a_batch_that_fits_together_passes() -> None:
    check(_good())


def test_a_batch_without_rows_passes() -> None:
    check(batch([], [], head=7, lost=[(1, 7)]))


@pytest.mark.parametrize(
    ("wrong", "error", "said"),
    [
        (_changed(v=0), VersionRefused, "v is 0: this cloud speaks versions 1 to 1"),
        (_changed(v=2), VersionRefused, "v is 2: this cloud speaks versions 1 to 1"),
        (_changed(store="0123"), Malformed, "store must be 32 lower-case hexadecimal digits"),
        (_changed(store="0123456789ABCDEF0123456789ABCDEF"), Malformed, "store must be 32 lower-case"),
        (_changed(head=4), Malformed, "head must be at least the newest number in the batch"),
        (_changed(lost=[(6, 9)]), Malformed, "head must be at least the newest number in the batch"),
        (_changed(head=2**62), Malformed, r"head must be .* below 2\^62"),
        (_changed(pending=-1), Malformed, "pending must be 0 or more"),
        (_changed(lost=[(3, 2)]), Malformed, "lost must be ascending and disjoint"),
        (_changed(lost=[(n, n) for n in range(1, 2_003, 2)]), TooLarge, "lost: 1001 is more than 1000"),
        (_rows(ranges=[(0, 2)]), Malformed, "rows.ranges must be ascending and disjoint, from 1"),
        (_rows(ranges=[(4, 5), (1, 1)]), Malformed, "rows.ranges must be ascending"),
        (_rows(ranges=[(1, 2), (2, 2)]), Malformed, "rows.ranges must be ascending and disjoint"),
        (_rows(ranges=[(3, 1)]), Malformed, "rows.ranges must be ascending"),
        (_rows(ranges=[(1, 2**60)]), Malformed, "rows.point must have as many entries as rows.ranges has numbers"),
        (_rows(ranges=[(2**62, 2**62 + 2)]), Malformed, r"from 1 to below 2\^62"),
        (_rows(ranges=[(1, 2)]), Malformed, "rows.point must have as many entries as rows.ranges has numbers, 2"),
        (_rows(time_us=[_NOW]), Malformed, "rows.time_us must have as many entries"),
        (_rows(value=[1.0] * 4), Malformed, "rows.value must have as many entries"),
        (_rows(flags=[0]), Malformed, "rows.flags must have as many entries"),
        (_rows(point=[0, 1, 2]), Malformed, "rows.point must index rows.points"),
        (_rows(point=[0, 1, -1]), Malformed, "rows.point must index rows.points"),
        (_rows(points=["a/h", "x" * 201]), Malformed, "rows.points must be 200 characters or less"),
        (_rows(time_us=[_NOW, _NOW, 2**63]), Malformed, "rows.time_us must fit in 64 bits"),
        (_rows(flags=[0, 0, 8]), Malformed, "rows.flags must be flags"),
        (_rows(flags=[0, 0, -1]), Malformed, "rows.flags must be flags"),
    ],
)
def test_a_batch_that_contradicts_itself_is_refused_by_its_field(
    wrong: Batch, error: type[GatehouseError], said: str
) -> None:
    with pytest.raises(error, match=said):
        check(wrong)


def test_more_rows_than_a_batch_may_carry_are_too_large() -> None:
    with pytest.raises(TooLarge, match="rows: 5001 is more than 5000"):
        check(batch([(1, 5_001)], [("a/t", _NOW + step, 1.0) for step in range(5_001)]))


def test_rows_get_their_points_ids_and_flags() -> None:
    sifted = sift(
        batch([(1, 2)], [("probe/temperature", _NOW, 21.5), ("probe/humidity", _NOW, 40.0)], flags=[0, 2]).rows,
        _POINTS,
        now_us=_NOW,
    )
    assert sifted.rows == [(1, _NOW, 21.5, 0), (2, _NOW, 40.0, 2)]
    assert (sifted.untakeable, sifted.late_us, sifted.is_by_time) == ({}, {}, True)


def test_a_zero_has_no_sign() -> None:
    sifted = sift(batch([(1, 1)], [("probe/temperature", _NOW, -0.0)]).rows, _POINTS, now_us=_NOW)
    assert str(sifted.rows[0][2]) == "0.0"


@pytest.mark.parametrize(
    ("key", "time_us", "value", "reason"),
    [
        ("probe/pressure", _NOW, 1.0, SetAsideReason.UNKNOWN_POINT),
        ("probe/temperature", _NOW, nan, SetAsideReason.NOT_A_NUMBER),
        ("probe/temperature", _NOW, inf, SetAsideReason.NOT_A_NUMBER),
        ("probe/temperature", _NOW, -inf, SetAsideReason.NOT_A_NUMBER),
        ("probe/temperature", _NOW + MARGIN_US, 1.0, None),
        ("probe/temperature", _NOW + MARGIN_US + 1, 1.0, SetAsideReason.FAR_FUTURE),
        ("probe/temperature", 2**62, 1.0, SetAsideReason.FAR_FUTURE),
        ("probe/temperature", EARLIEST_US, 1.0, None),
        ("probe/temperature", EARLIEST_US - 1, 1.0, SetAsideReason.FAR_PAST),
        ("probe/temperature", 0, 1.0, SetAsideReason.FAR_PAST),
        ("probe/temperature", 1_322_200_800_000_000, 1.0, None),
    ],
    ids=[
        "unknown",
        "nan",
        "inf",
        "-inf",
        "ahead",
        "too far ahead",
        "aeons ahead",
        "2000",
        "before 2000",
        "1970",
        "2011",
    ],
)
def test_a_row_that_cant_be_taken_has_its_reason_and_its_neighbours_are_taken(
    key: str, time_us: int, value: float, reason: SetAsideReason | None
) -> None:
    rows = [("probe/humidity", _NOW, 40.0), (key, time_us, value), ("probe/humidity", _NOW + 1, 41.0)]
    sifted = sift(batch([(1, 3)], rows).rows, _POINTS, now_us=_NOW)
    assert sifted.untakeable == ({1: reason} if reason else {})
    assert (sifted.rows[0], sifted.rows[2]) == ((2, _NOW, 40.0, 0), (2, _NOW + 1, 41.0, 0))


def test_an_impossible_time_says_nothing_about_when_rows_were_committed() -> None:
    rows = [("probe/humidity", 0, 1.0), ("probe/humidity", _NOW, 2.0), ("probe/humidity", 2**62, 3.0)]
    sifted = sift(batch([(1, 3)], rows).rows, _POINTS, now_us=_NOW)
    assert sifted.times_us == [_NOW, _NOW, _NOW]
    assert sifted.late_us == {}


def test_a_row_far_behind_the_ones_before_it_shows_its_points_lateness() -> None:
    rows = [
        ("probe/humidity", _NOW, 1.0),
        ("probe/temperature", _NOW - 9 * _HOUR, 2.0),
        ("probe/temperature", _NOW - 5 * _HOUR, 3.0),
        ("probe/humidity", _NOW - 1, 1.0),
    ]
    sifted = sift(batch([(1, 4)], rows).rows, _POINTS, now_us=_NOW)
    assert sifted.late_us == {1: 9 * _HOUR}
    assert (sifted.times_us, sifted.is_by_time) == ([_NOW] * 4, False)


def test_numbers_and_places_of_a_batchs_columns_are_found() -> None:
    ranges = [(3, 5), (10, 10), (20, 24)]
    assert places(ranges, [(4, 5), (10, 10), (21, 22)]) == [(1, 3), (3, 4), (5, 7)]
    assert numbers(ranges, [0, 2, 3, 4, 8]) == [3, 5, 10, 20, 24]


def test_a_batchs_ranges_bear_the_times_of_their_ends() -> None:
    found = list(received([(3, 5), (10, 10)], [30, 40, 50, 100]))
    assert found == [HeldRange(3, 5, 30, 50), HeldRange(10, 10, 100, 100)]

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.fleet.ledger import MARGIN_US, Absence, Coverage, Gap, HeldRange, StoreHistory, coverage, hold
from protocols.ranges import normalise

_T = 1_772_438_400_000_000
_HOUR = 3_600_000_000
_LAST = 2**40 * 1_000_000


def _history(*held: HeldRange, head: int, head_us: int, **changes: object) -> StoreHistory:
    return StoreHistory(held=held, head=head, head_us=head_us, **{"lost": [], "began_us": 0, **changes})


def _coverage(*stores: StoreHistory, late_us: int = 0) -> Coverage:
    return coverage(stores, late_us=late_us, start_us=_T, end_us=_T + 24 * _HOUR)


def test_a_range_that_touches_another_joins_it_and_keeps_the_outer_times() -> None:
    joined = hold([HeldRange(1, 5, 100, 500)], [HeldRange(6, 9, 600, 900)])
    assert joined == [HeldRange(1, 9, 100, 900)]


def test_a_range_between_two_others_makes_one_of_all() -> None:
    held = [HeldRange(1, 5, 100, 500), HeldRange(8, 9, 800, 900)]
    assert hold(held, [HeldRange(6, 7, 600, 700)]) == [HeldRange(1, 9, 100, 900)]


def test_what_is_held_already_changes_nothing() -> None:
    held = [HeldRange(1, 9, 100, 900)]
    assert hold(held, [HeldRange(3, 4, 7, 8), HeldRange(1, 9, 7, 8)]) == held


def test_an_overlap_goes_on_where_the_held_range_ends() -> None:
    assert hold([HeldRange(3, 5, 300, 500)], [HeldRange(1, 4, 100, 400)]) == [HeldRange(1, 5, 100, 500)]
    assert hold([HeldRange(3, 5, 300, 500)], [HeldRange(4, 7, 400, 700)]) == [HeldRange(3, 7, 300, 700)]


@given(parts=st.lists(st.tuples(st.integers(1, 60), st.integers(0, 9)), max_size=12))
def test_the_numbers_held_are_the_union_of_what_came_in_any_order(parts: list[tuple[int, int]]) -> None:
    ranges = [(first, first + more) for first, more in parts]
    held: list[HeldRange] = []
    for first, last in ranges:
        held = hold(held, [HeldRange(first, last, first * 100, last * 100)])
    assert [part.numbers for part in held] == normalise(ranges)
    assert [(part.first_us, part.last_us) for part in held] == [(part.first * 100, part.last * 100) for part in held]


def test_a_period_that_a_store_covers_whole_is_complete() -> None:
    whole = _history(HeldRange(1, 900, _T - _HOUR, _T + 30 * _HOUR), head=900, head_us=_T + 30 * _HOUR)
    assert _coverage(whole) == Coverage(complete=((_T, _T + 24 * _HOUR),), gaps=())


def test_a_box_that_never_sent_has_nothing_that_could_be_missing() -> None:
    assert _coverage() == Coverage(complete=((_T, _T + 24 * _HOUR),), gaps=())


def test_a_gap_lies_between_its_neighbours_and_a_margin() -> None:
    store = _history(
        HeldRange(1, 10, _T - _HOUR, _T + 4 * _HOUR),
        HeldRange(15, 90, _T + 5 * _HOUR, _T + 30 * _HOUR),
        head=90,
        head_us=_T + 30 * _HOUR,
    )
    start_us, end_us = _T + 4 * _HOUR - MARGIN_US, _T + 5 * _HOUR + MARGIN_US
    assert _coverage(store) == Coverage(
        complete=((_T, start_us), (end_us, _T + 24 * _HOUR)),
        gaps=(Gap(absence=Absence.MISSING, start_us=start_us, end_us=end_us, rows=4),),
    )


def test_what_was_declared_lost_is_told_apart_from_what_may_still_come() -> None:
    store = _history(
        HeldRange(1, 10, _T - _HOUR, _T + 4 * _HOUR),
        HeldRange(15, 90, _T + 5 * _HOUR, _T + 30 * _HOUR),
        head=90,
        head_us=_T + 30 * _HOUR,
        lost=[(9, 12)],
    )
    assert [(gap.absence, gap.rows) for gap in _coverage(store).gaps] == [(Absence.LOST, 2), (Absence.MISSING, 2)]


def test_rows_that_the_box_still_has_are_missing_until_it_was_last_heard() -> None:
    store = _history(HeldRange(1, 10, _T, _T + 4 * _HOUR), head=90, head_us=_T + 6 * _HOUR)
    found = _coverage(store)
    assert [(gap.absence, gap.start_us, gap.end_us, gap.rows) for gap in found.gaps] == [
        (Absence.MISSING, _T + 4 * _HOUR - MARGIN_US, _T + 6 * _HOUR + MARGIN_US, 80),
        (Absence.UNTOLD, _T + 6 * _HOUR - MARGIN_US, _T + 24 * _HOUR, None),
    ]
    assert found.complete == ((_T, _T + 4 * _HOUR - MARGIN_US),)


def test_rows_before_the_first_that_came_may_be_of_any_earlier_time() -> None:
    store = _history(HeldRange(5, 90, _T + 2 * _HOUR, _T + 30 * _HOUR), head=90, head_us=_T + 30 * _HOUR)
    assert _coverage(store).gaps == (
        Gap(absence=Absence.MISSING, start_us=_T, end_us=_T + 2 * _HOUR + MARGIN_US, rows=4),
    )


def test_between_the_last_word_of_a_store_and_the_first_of_the_next_nobody_knows() -> None:
    old = _history(HeldRange(1, 10, _T - _HOUR, _T + 2 * _HOUR), head=10, head_us=_T + 2 * _HOUR)
    new = _history(
        HeldRange(1, 50, _T + 3 * _HOUR, _T + 30 * _HOUR), head=50, head_us=_T + 30 * _HOUR, began_us=_T + 3 * _HOUR
    )
    start_us, end_us = _T + 2 * _HOUR - MARGIN_US, _T + 3 * _HOUR + MARGIN_US
    assert _coverage(old, new).gaps == (Gap(absence=Absence.UNTOLD, start_us=start_us, end_us=end_us, rows=None),)


def test_a_gap_is_as_wide_as_the_points_own_timestamps_are_late() -> None:
    store = _history(
        HeldRange(1, 10, _T - _HOUR, _T + 20 * _HOUR),
        HeldRange(15, 90, _T + 21 * _HOUR, _T + 90 * _HOUR),
        head=90,
        head_us=_T + 90 * _HOUR,
    )
    (gap,) = _coverage(store, late_us=12 * _HOUR).gaps
    assert (gap.start_us, gap.end_us) == (_T + 8 * _HOUR, _T + 24 * _HOUR)


@pytest.mark.timeout(60)
def test_a_ledger_of_many_pieces_is_read_in_one_walk() -> None:
    pieces = [HeldRange(number, number, _T + number, _T + number) for number in range(1, 8_000, 2)]
    assert len(coverage([_history(*pieces, head=8_000, head_us=_T)], late_us=0, start_us=0, end_us=_LAST).gaps) == 4_001

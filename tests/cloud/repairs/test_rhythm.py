from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.calendars.domain import BusinessCalendar, Window
from cloud.repairs.rhythm import Rhythm, next_mark, turn, worked_day

HOURS = (Window(540, 1080),)
OFFICE = BusinessCalendar(
    time_zone="Asia/Shanghai",
    week=dict.fromkeys(range(5), HOURS),
    days={date(2026, 10, day): () for day in range(1, 8)} | {date(2026, 10, 10): HOURS},
)


@pytest.mark.parametrize(
    ("rhythm", "every", "number", "day"),
    [
        (Rhythm.WEEKS, 2, 0, date(2026, 1, 31)),
        (Rhythm.WEEKS, 2, 3, date(2026, 3, 14)),
        (Rhythm.MONTHS, 1, 1, date(2026, 2, 28)),
        (Rhythm.MONTHS, 1, 2, date(2026, 3, 31)),
        (Rhythm.MONTHS, 6, 2, date(2027, 1, 31)),
        (Rhythm.MONTHS, 1, 25, date(2028, 2, 29)),
    ],
    ids=["the first day", "six weeks on", "a shorter month", "the 31st comes back", "a year on", "a leap year"],
)
def test_turns_are_reckoned_from_the_first_day(rhythm: Rhythm, every: int, number: int, day: date) -> None:
    assert turn(date(2026, 1, 31), rhythm, every, number) == day


def test_a_meter_has_no_days() -> None:
    with pytest.raises(ValueError, match="next_mark"):
        turn(date(2026, 1, 31), Rhythm.METER, 1, 1)


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        (date(2026, 3, 2), date(2026, 3, 2)),
        (date(2026, 3, 7), date(2026, 3, 9)),
        (date(2026, 10, 1), date(2026, 10, 8)),
        (date(2026, 10, 10), date(2026, 10, 10)),
    ],
    ids=["a Monday stays", "Saturday waits for Monday", "a holiday is waited out", "a make-up Saturday is worked"],
)
def test_what_is_due_on_a_day_off_waits_for_the_next_one_that_is_worked(day: date, worked: date) -> None:
    assert worked_day(OFFICE, day) == worked


@given(st.integers(0, 10**6), st.integers(1, 10**4), st.integers(0, 10**6))
def test_the_next_mark_is_the_first_of_its_steps_above_the_meter(due: int, every: int, above: int) -> None:
    value = Decimal(due + above)
    mark = next_mark(Decimal(due), Decimal(every), value)
    assert mark > value
    assert mark - every <= value
    assert (mark - due) % every == 0

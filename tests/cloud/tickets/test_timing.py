from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.calendars.domain import ALWAYS, BusinessCalendar, Window
from cloud.tickets.timing import (
    BREACH,
    LEVELS,
    Crossing,
    Timer,
    begun,
    due_at,
    judged,
    next_at,
    resumed,
    retargeted,
    stopped,
)

ZONE = "Asia/Shanghai"
NINE_TO_FIVE = BusinessCalendar(ZONE, {day: (Window(9 * 60, 17 * 60),) for day in range(5)})
OFFICE = BusinessCalendar(
    ZONE,
    {day: (Window(9 * 60, 12 * 60), Window(13 * 60 + 30, 18 * 60)) for day in range(5)},
    {date(2026, 10, 1): (), date(2026, 10, 10): (Window(9 * 60, 12 * 60),)},
)
CALENDARS = st.sampled_from([ALWAYS, NINE_TO_FIVE, OFFICE])
HOUR = timedelta(hours=1)
FRIDAY = datetime(2026, 3, 6, 8, 30, tzinfo=UTC)  # 16:30 in Shanghai
LIMITS = st.integers(1, 3 * 450).map(lambda minutes: timedelta(minutes=minutes))
INSTANTS = st.integers(0, 21 * 24 * 60).map(lambda minutes: FRIDAY + timedelta(minutes=minutes))


def local(day: int, hour: int, minute: int = 0, month: int = 3) -> datetime:
    """Return an instant of 2026 by the clock in Shanghai, which is eight hours ahead."""
    return datetime(2026, month, day, hour, minute, tzinfo=UTC) - 8 * HOUR


def test_an_hour_from_friday_half_past_four_ends_on_monday_at_half_past_nine() -> None:
    assert due_at(begun(HOUR, FRIDAY, runs=True), NINE_TO_FIVE) == local(9, 9, 30)


@pytest.mark.parametrize(
    ("start", "limit", "due"),
    [
        pytest.param(local(6, 11, 30), HOUR, local(6, 14, 0), id="over lunch"),
        pytest.param(local(6, 11, 0), HOUR, local(6, 12, 0), id="to closing time, not to the next opening"),
        pytest.param(
            local(9, 17, 0, month=10), 2 * HOUR, local(10, 10, 0, month=10), id="a make-up Saturday is worked"
        ),
        pytest.param(local(30, 17, 0, month=9), 2 * HOUR, local(2, 10, 0, month=10), id="a holiday is not"),
    ],
)
def test_a_deadline_is_counted_on_the_calendar(start: datetime, limit: timedelta, due: datetime) -> None:
    assert due_at(begun(limit, start, runs=True), OFFICE) == due


def test_round_the_clock_is_exact_over_midnights() -> None:
    timer = begun(timedelta(days=30), FRIDAY, runs=True)
    assert due_at(timer, ALWAYS) == FRIDAY + timedelta(days=30)


def test_a_pause_over_night_uses_nothing_and_costs_nothing() -> None:
    timer = begun(8 * HOUR, local(2, 16, 0), runs=True)
    standing, _ = stopped(timer, NINE_TO_FIVE, local(2, 17, 0))
    assert standing.used == HOUR
    assert due_at(standing, NINE_TO_FIVE) is None
    assert due_at(resumed(standing, local(3, 9, 0)), NINE_TO_FIVE) == due_at(timer, NINE_TO_FIVE)


def test_what_passes_while_it_stands_is_no_breach() -> None:
    standing, crossings = stopped(begun(HOUR, local(2, 9, 0), runs=True), NINE_TO_FIVE, local(2, 9, 10))
    assert crossings == []
    assert judged(standing, NINE_TO_FIVE, local(20, 9, 0)) == (standing, [])
    assert next_at(standing, NINE_TO_FIVE) is None


def test_a_deadline_that_passed_before_the_pause_is_said_by_the_pause() -> None:
    standing, crossings = stopped(begun(HOUR, local(2, 9, 0), runs=True), NINE_TO_FIVE, local(2, 11, 0))
    assert crossings == [
        Crossing(level=50, at=local(2, 9, 30)),
        Crossing(level=80, at=local(2, 9, 48)),
        Crossing(level=BREACH, at=local(2, 10, 0)),
    ]
    assert standing.level == BREACH


def test_what_is_done_at_its_deadline_is_done_in_time() -> None:
    timer = begun(HOUR, local(2, 9, 0), runs=True)
    assert [crossing.level for crossing in judged(timer, NINE_TO_FIVE, local(2, 10, 0))[1]] == [50, 80]


def test_warnings_are_counted_on_the_calendar_too() -> None:
    timer = begun(2 * HOUR, local(6, 16, 30), runs=True)
    assert next_at(timer, NINE_TO_FIVE) == local(9, 9, 30)
    said, crossings = judged(timer, NINE_TO_FIVE, local(8, 0, 0))
    assert (said, crossings) == (timer, [])


def test_what_begins_while_it_must_wait_stands_from_the_start() -> None:
    timer = begun(HOUR, FRIDAY, runs=False)
    assert due_at(timer, NINE_TO_FIVE) is None
    assert due_at(resumed(timer, local(9, 9, 0)), NINE_TO_FIVE) == local(9, 10, 0)


def test_a_new_target_keeps_what_was_used_and_warns_anew_where_it_is_further_off() -> None:
    timer = begun(2 * HOUR, local(2, 9, 0), runs=True)
    wider, crossings = retargeted(timer, NINE_TO_FIVE, local(2, 10, 15), limit=8 * HOUR)
    assert [crossing.level for crossing in crossings] == [50]
    assert (wider.used, wider.level) == (timedelta(minutes=75), 0)
    assert due_at(wider, NINE_TO_FIVE) == local(2, 17, 0)
    narrower, _ = retargeted(wider, NINE_TO_FIVE, local(2, 10, 15), limit=HOUR)
    assert next_at(narrower, NINE_TO_FIVE) == local(2, 10, 15)


def test_a_breach_stays_one_whatever_comes_after() -> None:
    broken, _ = judged(begun(HOUR, local(2, 9, 0), runs=True), NINE_TO_FIVE, local(2, 12, 0))
    wider, crossings = retargeted(broken, NINE_TO_FIVE, local(2, 12, 0), limit=100 * HOUR)
    assert (wider.level, crossings, next_at(wider, NINE_TO_FIVE)) == (BREACH, [], None)


@given(calendar=CALENDARS, limit=LIMITS, start=INSTANTS)
def test_the_target_lies_between_start_and_deadline_exactly(
    calendar: BusinessCalendar, limit: timedelta, start: datetime
) -> None:
    deadline = due_at(begun(limit, start, runs=True), calendar)
    assert deadline is not None
    assert calendar.between(start, deadline) == limit


@given(calendar=CALENDARS, limit=LIMITS, instants=st.lists(INSTANTS, min_size=2, max_size=9).map(sorted))
def test_pauses_put_the_deadline_off_by_the_business_time_in_them(
    calendar: BusinessCalendar, limit: timedelta, instants: list[datetime]
) -> None:
    timer = begun(limit, instants[0], runs=True)
    worked = timedelta()
    for number, at in enumerate(instants[1:]):
        if number % 2:
            timer = resumed(timer, at)
        else:
            worked += calendar.between(instants[number], at)
            timer, _ = stopped(timer, calendar, at)
    timer = timer if timer.since else resumed(timer, instants[-1])
    assert timer.used == worked
    deadline = due_at(timer, calendar)
    assert deadline is not None
    assert timer.since is not None
    assert calendar.between(timer.since, deadline) == max(limit - worked, timedelta())


@given(calendar=CALENDARS, limit=LIMITS, start=INSTANTS, looks=st.lists(INSTANTS, max_size=12).map(sorted))
def test_however_often_one_looks_each_level_is_said_once_at_its_instant(
    calendar: BusinessCalendar, limit: timedelta, start: datetime, looks: list[datetime]
) -> None:
    timer = begun(limit, start, runs=True)
    _, at_once = judged(timer, calendar, max([start, *looks]))
    said: list[Crossing] = []
    for now in [look for look in looks if look >= start]:
        following = next_at(timer, calendar)
        timer, crossings = judged(timer, calendar, now)
        assert bool(crossings) is (following is not None and following < now)
        said += crossings
    assert said == at_once
    assert [crossing.level for crossing in said] == list(LEVELS[: len(said)])


@given(calendar=CALENDARS, limits=st.lists(LIMITS, min_size=2, max_size=6), start=INSTANTS)
def test_new_targets_at_one_moment_change_nothing_of_what_was_used(
    calendar: BusinessCalendar, limits: list[timedelta], start: datetime
) -> None:
    now = start + timedelta(hours=30)
    timer = begun(limits[0], start, runs=True)
    for limit in limits[1:]:
        timer, _ = retargeted(timer, calendar, now, limit=limit)
    assert replace(timer, level=0) == Timer(limit=limits[-1], used=calendar.between(start, now), since=now)

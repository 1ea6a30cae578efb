"""The arithmetic of business time: cases of the trade, cases of the clock, and what holds for every calendar."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.calendars.domain import ALWAYS, DAY_MIN, ROUND_THE_CLOCK, BusinessCalendar, Window, overlap

_HOUR = timedelta(hours=1)
_MINUTE = timedelta(minutes=1)
_ZONES = (
    "Asia/Shanghai",
    "America/New_York",  # the clock jumps at 2:00
    "Australia/Lord_Howe",  # by half an hour
    "America/Havana",  # at midnight
    "Africa/Casablanca",  # twice in spring
    "Asia/Kathmandu",  # 5 h 45 min
)


def _hours(text: str) -> tuple[Window, ...]:
    """Return the windows of "9:00-12:00 13:30-18:00"."""
    return tuple(Window(*(int(h) * 60 + int(m) for h, m in (p.split(":") for p in w.split("-")))) for w in text.split())


def _week(text: str) -> dict[int, tuple[Window, ...]]:
    return dict.fromkeys(range(5), _hours(text))


def _at(text: str, zone: str = "Asia/Shanghai") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


NINE_TO_FIVE = BusinessCalendar("Asia/Shanghai", _week("9:00-17:00"))
WITH_LUNCH = BusinessCalendar("Asia/Shanghai", _week("9:00-12:00 13:30-18:00"))
NIGHTS = BusinessCalendar("Asia/Shanghai", _week("22:00-30:00"))
MAKING_UP = BusinessCalendar(
    "Asia/Shanghai",
    _week("9:00-17:00"),
    {date(2026, 10, day): () for day in range(1, 8)} | {date(2026, 10, 10): _hours("9:00-17:00")},
)
EVERY_DAY = BusinessCalendar("America/New_York", dict.fromkeys(range(7), ROUND_THE_CLOCK))
NEW_YORK_NIGHTS = BusinessCalendar("America/New_York", dict.fromkeys(range(7), _hours("22:00-30:00")))


@pytest.mark.parametrize(
    ("calendar", "start", "business", "end"),
    [
        pytest.param(NINE_TO_FIVE, "2026-03-06T16:30", _HOUR, "2026-03-09T09:30", id="over a weekend"),
        pytest.param(NINE_TO_FIVE, "2026-03-06T16:00", _HOUR, "2026-03-06T17:00", id="closing time, not the opening"),
        pytest.param(NINE_TO_FIVE, "2026-03-07T12:00", _HOUR, "2026-03-09T10:00", id="from a closed day"),
        pytest.param(NINE_TO_FIVE, "2026-03-07T12:00", 0 * _HOUR, "2026-03-07T12:00", id="nothing is at once"),
        pytest.param(WITH_LUNCH, "2026-03-04T11:30", _HOUR, "2026-03-04T14:00", id="over lunch"),
        pytest.param(WITH_LUNCH, "2026-03-04T12:45", _HOUR, "2026-03-04T14:30", id="from within lunch"),
        pytest.param(WITH_LUNCH, "2026-03-04T09:00", 15 * _HOUR, "2026-03-05T18:00", id="two whole days"),
        pytest.param(MAKING_UP, "2026-09-30T16:30", _HOUR, "2026-10-08T09:30", id="over a holiday week"),
        pytest.param(MAKING_UP, "2026-10-09T16:30", _HOUR, "2026-10-10T09:30", id="on a make-up Saturday"),
        pytest.param(MAKING_UP, "2026-10-10T16:30", _HOUR, "2026-10-12T09:30", id="after a make-up Saturday"),
        pytest.param(NIGHTS, "2026-03-06T23:00", 8 * _HOUR, "2026-03-09T23:00", id="over a night and a weekend"),
        pytest.param(NIGHTS, "2026-03-07T05:00", _HOUR, "2026-03-07T06:00", id="a night belongs to its first day"),
        pytest.param(ALWAYS, "2026-02-28T23:59", 2 * _MINUTE, "2026-03-01T00:01", id="round the clock over midnight"),
    ],
)
def test_a_deadline_is_the_earliest_instant_with_that_much_business_time(
    calendar: BusinessCalendar, start: str, business: timedelta, end: str
) -> None:
    assert calendar.add(_at(start), business) == _at(end)


@pytest.mark.parametrize(
    ("calendar", "start", "end", "business"),
    [
        pytest.param(NINE_TO_FIVE, "2026-03-05T17:00", "2026-03-06T09:00", 0 * _HOUR, id="a pause over a closed night"),
        pytest.param(NINE_TO_FIVE, "2026-03-06T17:00", "2026-03-09T09:00", 0 * _HOUR, id="a pause over a weekend"),
        pytest.param(NINE_TO_FIVE, "2026-03-05T16:00", "2026-03-06T10:00", 2 * _HOUR, id="a pause over a night"),
        pytest.param(WITH_LUNCH, "2026-03-05T11:00", "2026-03-05T14:30", 2 * _HOUR, id="over lunch"),
        pytest.param(MAKING_UP, "2026-10-01T00:00", "2026-10-12T00:00", 24 * _HOUR, id="two days and a make-up day"),
        pytest.param(ALWAYS, "2026-01-01T00:00", "2027-01-01T00:00", 365 * 24 * _HOUR, id="round the clock for a year"),
        pytest.param(NINE_TO_FIVE, "2026-03-06T10:00", "2026-03-06T09:00", -_HOUR, id="backwards"),
    ],
)
def test_business_time_between_two_instants(
    calendar: BusinessCalendar, start: str, end: str, business: timedelta
) -> None:
    assert calendar.between(_at(start), _at(end)) == business


def test_a_night_before_a_holiday_is_worked_to_its_end() -> None:
    calendar = BusinessCalendar("Asia/Shanghai", _week("22:00-30:00"), {date(2026, 10, 1): ()})
    assert calendar.between(_at("2026-09-30T20:00"), _at("2026-10-02T20:00")) == 8 * _HOUR
    assert calendar.is_open(_at("2026-10-01T05:59"))
    assert not calendar.is_open(_at("2026-10-01T06:00"))


def test_the_night_after_a_holidays_eve_is_not_worked_twice() -> None:
    days = {date(2026, 10, 2): _hours("4:00-8:00")}
    calendar = BusinessCalendar("Asia/Shanghai", _week("22:00-30:00"), days)
    assert calendar.between(_at("2026-10-01T22:00"), _at("2026-10-02T09:00")) == 10 * _HOUR


@pytest.mark.parametrize(
    ("calendar", "start", "end", "business"),
    [
        pytest.param(EVERY_DAY, "2026-03-08T00:00", "2026-03-09T00:00", 23 * _HOUR, id="the short day round the clock"),
        pytest.param(EVERY_DAY, "2026-11-01T00:00", "2026-11-02T00:00", 25 * _HOUR, id="the long day round the clock"),
        pytest.param(NEW_YORK_NIGHTS, "2026-03-07T12:00", "2026-03-08T12:00", 7 * _HOUR, id="the short night"),
        pytest.param(NEW_YORK_NIGHTS, "2026-10-31T12:00", "2026-11-01T12:00", 9 * _HOUR, id="the long night"),
    ],
)
def test_minutes_are_real_minutes_over_a_clock_change(
    calendar: BusinessCalendar, start: str, end: str, business: timedelta
) -> None:
    there = calendar.time_zone
    assert calendar.between(_at(start, there), _at(end, there)) == business
    assert calendar.add(_at(start, there), business) <= _at(end, there)


def test_a_window_in_the_hour_that_does_not_come_is_empty() -> None:
    calendar = BusinessCalendar("America/New_York", dict.fromkeys(range(7), _hours("2:00-3:00")))
    there = calendar.time_zone
    assert calendar.between(_at("2026-03-08T00:00", there), _at("2026-03-09T00:00", there)) == timedelta()
    assert calendar.add(_at("2026-03-08T00:00", there), _HOUR) == _at("2026-03-09T03:00", there)


def test_a_day_that_does_not_come_is_empty() -> None:
    """Samoa went over the date line and had no 30 December 2011."""
    calendar = BusinessCalendar("Pacific/Apia", dict.fromkeys(range(7), _hours("9:00-17:00")))
    there = calendar.time_zone
    assert calendar.between(_at("2011-12-29T00:00", there), _at("2012-01-01T00:00", there)) == 16 * _HOUR


def test_instants_before_1970_count_too() -> None:
    assert NINE_TO_FIVE.between(_at("1965-03-01T00:00"), _at("1965-03-02T00:00")) == 8 * _HOUR


def test_microseconds_are_kept() -> None:
    start = _at("2026-03-06T16:59:59.999999")
    assert NINE_TO_FIVE.add(start, timedelta(microseconds=2)) == _at("2026-03-09T09:00:00.000001")


def test_a_deadline_behind_its_start_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        NINE_TO_FIVE.add(_at("2026-03-06T16:30"), -_HOUR)


def test_a_deadline_past_all_years_is_refused() -> None:
    with pytest.raises(OverflowError):
        NINE_TO_FIVE.add(_at("9999-12-30T16:30"), 100 * _HOUR)


def test_a_calendar_that_never_opens_is_refused() -> None:
    with pytest.raises(ValueError, match="week has no window"):
        BusinessCalendar("Asia/Shanghai", {0: ()}, {date(2026, 1, 4): _hours("9:00-17:00")})


@pytest.mark.parametrize(("start_min", "end_min"), [(-1, 60), (DAY_MIN, DAY_MIN + 60), (60, 60), (60, 30), (60, 1_501)])
def test_a_window_that_can_not_be_is_refused(start_min: int, end_min: int) -> None:
    with pytest.raises(ValueError, match="must be"):
        Window(start_min, end_min)


@pytest.mark.parametrize(
    ("week", "found"),
    [
        pytest.param({0: _hours("9:00-12:00 12:00-18:00")}, None, id="touching"),
        pytest.param({0: _hours("9:00-12:00 11:00-18:00")}, (0, Window(660, 1_080)), id="in a day"),
        pytest.param({0: _hours("22:00-30:00"), 1: _hours("5:00-9:00")}, (1, Window(300, 540)), id="over midnight"),
        pytest.param({6: _hours("22:00-30:00"), 0: _hours("5:00-9:00")}, (0, Window(300, 540)), id="over Sunday night"),
        pytest.param(dict.fromkeys(range(7), ROUND_THE_CLOCK), None, id="round the clock"),
        pytest.param({}, None, id="nothing"),
    ],
)
def test_windows_that_overlap_are_found(
    week: Mapping[int, tuple[Window, ...]], found: tuple[int, Window] | None
) -> None:
    assert overlap(week) == found


_WINDOWS = st.builds(
    lambda start, length: Window(start, start + length),
    st.integers(0, DAY_MIN - 1),
    st.one_of(st.integers(1, DAY_MIN), st.just(DAY_MIN)),
)
_DAYS = st.lists(_WINDOWS, max_size=3).map(tuple)
_INSTANTS = st.datetimes(datetime(2025, 12, 20), datetime(2027, 1, 10), timezones=st.just(UTC))  # noqa: DTZ001  given one
_CALENDARS = st.builds(
    BusinessCalendar,
    st.sampled_from(_ZONES),
    st.dictionaries(st.integers(0, 6), _DAYS, min_size=1).filter(lambda week: any(week.values())),
    st.dictionaries(st.dates(date(2025, 12, 1), date(2027, 2, 1)), _DAYS, max_size=8),
)
_SPANS = st.one_of(st.timedeltas(timedelta(), timedelta(hours=100)), st.integers(0, 6_000).map(lambda n: n * _MINUTE))


@given(_CALENDARS, _INSTANTS, _SPANS)
def test_between_start_and_deadline_lies_what_was_added(
    calendar: BusinessCalendar, start: datetime, business: timedelta
) -> None:
    end = calendar.add(start, business)
    assert end >= start
    assert calendar.between(start, end) == business


@given(_CALENDARS, _INSTANTS, _SPANS)
def test_a_microsecond_before_the_deadline_a_microsecond_is_missing(
    calendar: BusinessCalendar, start: datetime, business: timedelta
) -> None:
    tick = timedelta(microseconds=1)
    end = calendar.add(start, business + tick)
    assert calendar.between(start, end - tick) == business
    assert calendar.is_open(end - tick)


@given(_CALENDARS, _INSTANTS, _INSTANTS, _INSTANTS)
def test_parts_make_the_whole(calendar: BusinessCalendar, a: datetime, b: datetime, c: datetime) -> None:
    assert calendar.between(a, b) + calendar.between(b, c) == calendar.between(a, c)


@given(_CALENDARS, _INSTANTS)
def test_the_order_in_which_it_is_asked_changes_nothing(calendar: BusinessCalendar, start: datetime) -> None:
    fresh = BusinessCalendar(calendar.time_zone, calendar.week, calendar.days)
    far = calendar.add(start, 200 * _HOUR)
    assert calendar.between(start, far) == fresh.between(start, far) == 200 * _HOUR


@settings(max_examples=30)
@given(
    _CALENDARS,
    st.sampled_from(["2026-03-08", "2026-11-01", "2026-04-05", "2026-10-04", "2026-02-15", "2026-03-22", "2026-06-10"]),
)
def test_it_is_what_a_clock_watched_minute_by_minute_says(calendar: BusinessCalendar, day: str) -> None:
    """The days on which the zones' clocks change, and one on which none does."""
    start = datetime.fromisoformat(day).replace(tzinfo=UTC) - timedelta(hours=12)
    minutes = _open_minutes(calendar, start, 48 * 60)
    assert calendar.between(start, start + timedelta(hours=48)) == sum(minutes) * _MINUTE
    assert [calendar.is_open(start + n * _MINUTE) for n in range(0, 48 * 60, 7)] == minutes[::7]


def _open_minutes(calendar: BusinessCalendar, start: datetime, count: int) -> list[bool]:
    """Return for each minute whether it is open, from a clock that is watched for four days around."""
    zone, margin = ZoneInfo(calendar.time_zone), 3 * DAY_MIN
    shown = [(start + n * _MINUTE).astimezone(zone).replace(tzinfo=None) for n in range(-margin, count + margin)]
    is_open = [False] * len(shown)
    for day in sorted({wall.date() for wall in shown}):
        for window in calendar.days.get(day, calendar.week.get(day.weekday(), ())):
            ends = (_first_shown(shown, day, window.start_min), _first_shown(shown, day, window.end_min))
            is_open[slice(*ends)] = [True] * (ends[1] - ends[0])
    return is_open[margin : margin + count]


def _first_shown(shown: list[datetime], day: date, minute: int) -> int:
    wall = datetime(day.year, day.month, day.day) + minute * _MINUTE  # noqa: DTZ001  a wall time
    return next((index for index, now in enumerate(shown) if now >= wall), len(shown))

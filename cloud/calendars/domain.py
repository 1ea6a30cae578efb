"""The one arithmetic of business time: adding it to an instant, and counting it between two.

Inside everything is whole microseconds of real time, so that nothing is lost at midnight or over a clock change. A
wall time stands for the first instant at which the zone's clock shows it or a later one: it is well defined where
the clock jumps forward and where an hour comes twice, and windows that touch on the wall touch in real time.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from cloud.core.clock import EPOCH, from_us, to_us

DAY_MIN = 24 * 60
WEEK_MIN = 7 * DAY_MIN
_DAY = timedelta(days=1)
_SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """Open hours of a day, in minutes of its wall clock.

    Attributes:
        end_min: past DAY_MIN when the window ends on the next day; it belongs to the day on which it starts.

    Raises:
        ValueError: it starts on no minute of the day, ends before it starts, or is longer than a day.
    """

    start_min: int
    end_min: int

    def __post_init__(self) -> None:
        if not 0 <= self.start_min < DAY_MIN:
            raise ValueError(f"start_min {self.start_min} must be 0 to {DAY_MIN - 1}")
        if not 0 < self.end_min - self.start_min <= DAY_MIN:
            raise ValueError(f"end_min {self.end_min} must be after {self.start_min} and at most a day later")


ROUND_THE_CLOCK = (Window(0, DAY_MIN),)


@dataclass(frozen=True)
class BusinessCalendar:
    """When work is done; `week` by weekday, 0 for Monday, and `days` for the dates that differ from their weekday.

    Windows that overlap count once. What was worked out is kept in the object: keep it where it is used often.

    Attributes:
        time_zone: IANA name of the wall clock that the windows are read from.
        days: holidays with (), make-up working days and short days with their windows.

    Raises:
        ValueError: no weekday has a window, so that a deadline might never come.
    """

    time_zone: str
    week: Mapping[int, tuple[Window, ...]]
    days: Mapping[date, tuple[Window, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not any(self.week.values()):
            raise ValueError("week has no window: at least one weekday must be worked")

    def add(self, start: datetime, business: timedelta) -> datetime:
        """Return the earliest instant with `business` time from `start` to it: closing time, not the next opening.

        Raises:
            ValueError: `business` is negative.
            OverflowError: the instant is past the year 9999.
        """
        left_us = business // timedelta(microseconds=1)
        if left_us < 0:
            raise ValueError(f"business {business} is negative: a deadline lies ahead of its start")
        if not left_us:
            return start.astimezone(UTC)
        start_us = to_us(start)
        month = self._month_before(start)
        while True:
            stretch = self._stretch(month)
            before_us = stretch.until(start_us)
            if left_us <= stretch.total_us - before_us:
                return from_us(stretch.at(before_us + left_us))
            left_us -= stretch.total_us - before_us
            month += 1

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Return how much business time lies between two instants; negative when `end` is the earlier one."""
        if end < start:
            return -self.between(end, start)
        start_us, end_us = to_us(start), to_us(end)
        months = range(self._month_before(start), self._month(end) + 1)
        stretches = [self._stretch(month) for month in months]
        return timedelta(microseconds=sum(each.until(end_us) - each.until(start_us) for each in stretches))

    def is_open(self, at: datetime) -> bool:
        """Return whether `at` is in a window; its end no longer is."""
        at_us = to_us(at)
        return any(self._stretch(month).holds(at_us) for month in range(self._month_before(at), self._month(at) + 1))

    def windows(self, day: date) -> tuple[Window, ...]:
        """Return the windows that start on a day."""
        return self.days.get(day, self.week.get(day.weekday(), ()))

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @cached_property
    def _stretches(self) -> dict[int, "_Stretch"]:
        return {}

    def _month(self, at: datetime) -> int:
        return _month_of(at.astimezone(self._zone).date())

    def _month_before(self, at: datetime) -> int:
        """Return the month of the day before: one of its windows may reach over midnight to `at`."""
        return _month_of(at.astimezone(self._zone).date() - _DAY)

    def _stretch(self, month: int) -> "_Stretch":
        found = self._stretches.get(month)
        if found is None:
            found = self._stretches[month] = _Stretch.joined(self._openings(month))
        return found

    def _openings(self, month: int) -> Iterable[tuple[int, int]]:
        """Yield in order the windows of a month's days, cut where the day before is open still."""
        day, end = _first_of(month), _first_of(month + 1)
        reached_us = max(
            (self._us(day - _DAY, window.end_min) for window in self.windows(day - _DAY)), default=self._us(day, 0)
        )
        while day < end:
            for window in sorted(self.windows(day)):
                start_us = max(self._us(day, window.start_min), reached_us)
                reached_us = max(self._us(day, window.end_min), reached_us)
                if start_us < reached_us:
                    yield start_us, reached_us
            day += _DAY

    def _us(self, day: date, minute: int) -> int:
        return _wall_us(self._zone, day, minute)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """The openings of a month's days, disjoint and in order.

    Attributes:
        sums_us: how long all openings up to and with each one last.
    """

    starts_us: Sequence[int]
    sums_us: Sequence[int]

    @classmethod
    def joined(cls, openings: Iterable[tuple[int, int]]) -> "_Stretch":
        """Return the stretch of openings that come in order; those that touch become one."""
        starts_us: list[int] = []
        sums_us: list[int] = []
        reached_us = total_us = 0
        for start_us, end_us in openings:
            total_us += end_us - start_us
            if sums_us and start_us == reached_us:
                sums_us[-1] = total_us
            else:
                starts_us.append(start_us)
                sums_us.append(total_us)
            reached_us = end_us
        return cls(starts_us, sums_us)

    @property
    def total_us(self) -> int:
        """Return how long it is open in all."""
        return self.sums_us[-1] if self.sums_us else 0

    def until(self, at_us: int) -> int:
        """Return how long it is open before an instant."""
        index = bisect_right(self.starts_us, at_us) - 1
        if index < 0:
            return 0
        return min(self._before(index) + at_us - self.starts_us[index], self.sums_us[index])

    def at(self, open_us: int) -> int:
        """Return the earliest instant before which it is open for `open_us`, which is above 0 and within the total."""
        index = bisect_left(self.sums_us, open_us)
        return self.starts_us[index] + open_us - self._before(index)

    def holds(self, at_us: int) -> bool:
        """Return whether it is open at an instant."""
        return self.until(at_us + 1) > self.until(at_us)

    def _before(self, index: int) -> int:
        return self.sums_us[index - 1] if index else 0


ALWAYS = BusinessCalendar("UTC", dict.fromkeys(range(7), ROUND_THE_CLOCK))
"""Round the clock, exact."""


def instant(zone: ZoneInfo, day: date, minute: int) -> datetime:
    """Return the first instant at which the zone's clock shows a minute of `day` or later."""
    return from_us(_wall_us(zone, day, minute))


def overlap(week: Mapping[int, tuple[Window, ...]]) -> tuple[int, Window] | None:
    """Return the weekday and the window of a week that begins before an earlier one has ended; None when none does."""
    spans = sorted(
        (weekday * DAY_MIN + window.start_min, weekday * DAY_MIN + window.end_min, weekday, window)
        for weekday, windows in week.items()
        for window in windows
    )
    if not spans:
        return None
    reached = max(end for _start, end, _weekday, _window in spans) - WEEK_MIN  # Sunday's night reaches into Monday
    for start, end, weekday, window in spans:
        if start < reached:
            return weekday, window
        reached = max(reached, end)
    return None


def _wall_us(zone: ZoneInfo, day: date, minute: int) -> int:
    wall = datetime.combine(day, time(), zone) + timedelta(minutes=minute)
    first_us, second_us = to_us(wall), to_us(wall.replace(fold=1))
    # Where an hour comes twice the earlier one counts; where one is left out, the two readings lie around the jump.
    return first_us if first_us <= second_us else _jump_us(second_us, first_us, zone)


def _month_of(day: date) -> int:
    return day.year * 12 + day.month - 1


def _first_of(month: int) -> date:
    try:
        return date(month // 12, month % 12 + 1, 1)
    except ValueError as error:
        raise OverflowError("the instant is outside the years 1 to 9999") from error


def _jump_us(early_us: int, late_us: int, zone: ZoneInfo) -> int:
    """Return the instant between two, a whole second, at which the zone's clock jumps forward."""
    offset = from_us(early_us).astimezone(zone).utcoffset()
    early, late = early_us // _SECOND_US, late_us // _SECOND_US
    while late - early > 1:
        middle = (early + late) // 2
        is_before = (EPOCH + timedelta(seconds=middle)).astimezone(zone).utcoffset() == offset
        early, late = (middle, late) if is_before else (early, middle)
    return late * _SECOND_US

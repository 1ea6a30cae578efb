"""The rules of a deadline's clock, over one calendar: what is used, what is left, what has passed.

Time used and time left are counted by the same calendar, so that `between(start, deadline)` is the target exactly.
While a timer stands it has no deadline, and what it has used is kept: through waits, new priorities and reopenings.
The time between an end and a reopening is not counted: the timer goes on with what it had used.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cloud.calendars.domain import BusinessCalendar

LEVELS = (50, 80, 100)
"""Percent of the target's business time at which something is said; the last is the breach."""

BREACH = LEVELS[-1]
_NOTHING = timedelta()


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """The clock of one target.

    Attributes:
        limit: the target, in business time.
        used: business time used before `since`.
        since: from when it runs; None while it stands.
        level: the highest of LEVELS that was said; a breach stays one, whatever comes after, unless what was asked for
            turns out to have happened in time.
    """

    limit: timedelta
    used: timedelta = _NOTHING
    since: datetime | None = None
    level: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """That so much of the target was used at an instant."""

    level: int
    at: datetime


def begun(limit: timedelta, at: datetime, *, runs: bool) -> Timer:
    """Return a new timer; what begins while nothing can be done about it stands from the start."""
    return Timer(limit=limit, since=at if runs else None)


def due_at(timer: Timer, calendar: BusinessCalendar) -> datetime | None:
    """Return the deadline; None while the timer stands."""
    return _reached(timer, calendar, BREACH)


def next_at(timer: Timer, calendar: BusinessCalendar) -> datetime | None:
    """Return when there is something to say; None when there is nothing more, or while the timer stands."""
    left = [level for level in LEVELS if level > timer.level]
    return _reached(timer, calendar, left[0]) if left else None


def judged(timer: Timer, calendar: BusinessCalendar, now: datetime) -> tuple[Timer, list[Crossing]]:
    """Return the timer once all that passed before `now` is said, each level once, and when each was reached.

    What is done at the instant of its deadline is done in time.
    """
    crossings = [
        Crossing(level=level, at=at)
        for level in LEVELS
        if level > timer.level and (at := _reached(timer, calendar, level)) is not None and at < now
    ]
    return replace(timer, level=crossings[-1].level if crossings else timer.level), crossings


def stopped(timer: Timer, calendar: BusinessCalendar, now: datetime) -> tuple[Timer, list[Crossing]]:
    """Return the timer standing, with what it used until `now`; what passed before is still said."""
    if timer.since is None:
        return timer, []
    said, crossings = judged(timer, calendar, now)
    return replace(said, used=_used(timer, calendar, now), since=None), crossings


def is_no_breach(breached_at: datetime, happened: datetime) -> bool:
    """Return whether what is told now had happened in time: at the deadline or before, however late it is told."""
    return happened <= breached_at


def unbroken(timer: Timer, calendar: BusinessCalendar, happened: datetime) -> Timer:
    """Return a timer that was said to be broken as it was at `happened`, when nothing was."""
    return replace(timer, level=_level_of(_used(timer, calendar, happened), timer.limit, at_most=LEVELS[-2]))


def resumed(timer: Timer, now: datetime) -> Timer:
    """Return the timer running again, with all that it had used; one that runs goes on as it is."""
    return timer if timer.since is not None else replace(timer, since=now)


def retargeted(
    timer: Timer, calendar: BusinessCalendar, now: datetime, *, limit: timedelta
) -> tuple[Timer, list[Crossing]]:
    """Return the timer under another target: what was used stays used, and a breach stays a breach.

    Levels that are further off than before will be said anew when they are reached.
    """
    standing, crossings = stopped(timer, calendar, now)
    level = BREACH if standing.level == BREACH else _level_of(standing.used, limit, at_most=standing.level)
    changed = replace(standing, limit=limit, level=level)
    return (changed if timer.since is None else resumed(changed, now)), crossings


def _used(timer: Timer, calendar: BusinessCalendar, now: datetime) -> timedelta:
    if timer.since is None:
        return timer.used
    return timer.used + max(calendar.between(timer.since, now), _NOTHING)


def _reached(timer: Timer, calendar: BusinessCalendar, level: int) -> datetime | None:
    if timer.since is None:
        return None
    return calendar.add(timer.since, max(timer.limit * level / 100 - timer.used, _NOTHING))


def _level_of(used: timedelta, limit: timedelta, *, at_most: int) -> int:
    return max((level for level in LEVELS if level <= at_most and used * 100 >= limit * level), default=0)

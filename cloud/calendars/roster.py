"""Who works when: weekly shifts, dated exceptions and leave, and what of them holds at an instant."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from cloud.calendars.domain import Window, instant

_DAY = timedelta(days=1)


class LeaveKind(StrEnum):
    """Why somebody is away."""

    ANNUAL = "annual"
    SICK = "sick"
    PERSONAL = "personal"
    TRAINING = "training"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftTerms:
    """What a weekly shift says.

    Attributes:
        weekdays: on which it begins, 0 for Monday.
        windows: over midnight, too; they belong to the day they start on.
        community_id: where it is worked; None for all communities.
        since, until: the days on which it holds, without `until`; None for no end.
    """

    weekdays: frozenset[int]
    windows: tuple[Window, ...]
    community_id: int | None = None
    since: date
    until: date | None = None

    def holds(self, day: date) -> bool:
        """Return whether the shift begins on a day."""
        return day.weekday() in self.weekdays and self.since <= day and (self.until is None or day < self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A person's weekly shift; a person may have several."""

    id: int
    person_id: int
    terms: ShiftTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedShift:
    """What a person works on one day in place of their weekly shifts; no windows for a free day."""

    id: int
    person_id: int
    day: date
    windows: tuple[Window, ...]
    community_id: int | None
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """Days on which a person begins no shift, without `until`; a night shift begun before is worked to its end."""

    id: int
    person_id: int
    kind: LeaveKind
    since: date
    until: date
    note: str

    def holds(self, day: date) -> bool:
        """Return whether a day is one of the leave's."""
        return self.since <= day < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """One time that a person is on shift."""

    person_id: int
    community_id: int | None
    window: Window
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """The shifts, exceptions and leave of an organisation's people over some days.

    Attributes:
        communities: ids whose duties are seen, with those for all communities; None for every one.
    """

    zone: ZoneInfo
    shifts: Sequence[Shift]
    dated: Sequence[DatedShift]
    leaves: Sequence[Leave]
    communities: Collection[int] | None = None

    def duties(self, day: date) -> Mapping[int, Sequence[Duty]]:
        """Return by person the duties that begin on a day, in order."""
        found: defaultdict[int, list[Duty]] = defaultdict(list)
        absent = {leave.person_id for leave in self.leaves if leave.holds(day)}
        dated = [each for each in self.dated if each.day == day]
        settled = absent | {each.person_id for each in dated}
        for each in dated:
            if each.person_id not in absent:
                found[each.person_id] += self._duties(each.person_id, each.community_id, day, each.windows)
        for shift in self.shifts:
            if shift.person_id not in settled and shift.terms.holds(day):
                found[shift.person_id] += self._duties(
                    shift.person_id, shift.terms.community_id, day, shift.terms.windows
                )
        return {person_id: sorted(each, key=lambda duty: duty.start) for person_id, each in found.items() if each}

    def leave(self, day: date) -> Mapping[int, Leave]:
        """Return by person the leave that a day is one of."""
        return {leave.person_id: leave for leave in self.leaves if leave.holds(day)}

    def on_duty(self, at: datetime) -> Sequence[Duty]:
        """Return the duties that go on at an instant: those of its day, and those of the day before over midnight."""
        today = at.astimezone(self.zone).date()
        return [
            duty
            for day in (today - _DAY, today)
            for duties in self.duties(day).values()
            for duty in duties
            if duty.start <= at < duty.end
        ]

    def away(self, at: datetime) -> frozenset[int]:
        """Return who is on leave at an instant and does not finish a shift begun before."""
        today = at.astimezone(self.zone).date()
        return frozenset(self.leave(today)) - {duty.person_id for duty in self.on_duty(at)}

    def _duties(self, person_id: int, community_id: int | None, day: date, windows: Sequence[Window]) -> Sequence[Duty]:
        if self.communities is not None and community_id is not None and community_id not in self.communities:
            return []
        return [
            Duty(
                person_id=person_id,
                community_id=community_id,
                window=window,
                start=instant(self.zone, day, window.start_min),
                end=instant(self.zone, day, window.end_min),
            )
            for window in windows
        ]

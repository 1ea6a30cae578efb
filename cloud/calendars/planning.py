"""Planning shifts: writing and removing weekly shifts, exceptions and leave."""

from datetime import date, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import people
from cloud.calendars import hours, leaves, shift_tables
from cloud.calendars.domain import Window, overlap
from cloud.calendars.roster import DatedShift, Leave, LeaveKind, Shift, ShiftTerms
from cloud.calendars.shift_tables import NOTE_LENGTH, DatedShiftRow, LeaveRow, ShiftRow
from cloud.calendars.tables import spans
from cloud.core import audit
from cloud.core.clock import Clock
from cloud.core.database import hold
from cloud.core.errors import NotFound, Refused
from cloud.core.principal import Principal, Role
from firmware_configs.look.words import _

_DAY = timedelta(days=1)
_LONGEST_LEAVE = timedelta(days=3 * 366)


async def find_shift(session: AsyncSession, principal: Principal, *, person_id: int, shift_id: int) -> Shift:
    """Return one of a person's weekly shifts.

    Raises:
        NotFound: there is none.
    """
    return (await _find_shift(session, principal, person_id, shift_id)).as_shift


async def find_dated(session: AsyncSession, principal: Principal, *, person_id: int, dated_id: int) -> DatedShift:
    """Return one of a person's exceptions.

    Raises:
        NotFound: there is none.
    """
    return (await _find_dated(session, principal, person_id, dated_id)).as_dated_shift


async def find_leave(session: AsyncSession, principal: Principal, *, person_id: int, leave_id: int) -> Leave:
    """Return one of a person's leaves.

    Raises:
        NotFound: there is none.
    """
    return (await _find_leave(session, principal, person_id, leave_id)).as_leave


async def add_shift(
    session: AsyncSession, clock: Clock, principal: Principal, *, person_id: int, terms: ShiftTerms
) -> int:
    """Return the id of a person's new weekly shift.

    Raises:
        Forbidden: the principal plans no shifts.
        NotFound: there is no such person.
        Refused: the terms can't be, or overlap with another of the person's shifts.
    """
    await _begin(session, principal, person_id)
    await _check_terms(session, principal, person_id, terms)
    row = ShiftRow(organisation_id=principal.organisation_id, person_id=person_id)
    _fill(row, terms)
    session.add(row)
    await session.flush()
    _record(session, clock, principal, "calendars.shift_added", person_id, after=_shift_state(terms))
    return row.id


async def change_shift(
    session: AsyncSession, clock: Clock, principal: Principal, *, person_id: int, shift_id: int, terms: ShiftTerms
) -> None:
    """Change a weekly shift; raises as add_shift does."""
    await _begin(session, principal, person_id)
    row = await _find_shift(session, principal, person_id, shift_id)
    before = _shift_state(row.as_shift.terms)
    await _check_terms(session, principal, person_id, terms, but=shift_id)
    _fill(row, terms)
    was, is_now = audit.changed(before, _shift_state(terms))
    if is_now:
        _record(session, clock, principal, "calendars.shift_changed", person_id, before=was, after=is_now)


async def remove_shift(
    session: AsyncSession, clock: Clock, principal: Principal, *, person_id: int, shift_id: int
) -> None:
    """Remove a weekly shift, and that it ever was; a shift that ends gets its last day instead.

    Raises:
        Forbidden: the principal plans no shifts.
        NotFound: there is no such person or shift.
    """
    await _begin(session, principal, person_id)
    row = await _find_shift(session, principal, person_id, shift_id)
    await session.delete(row)
    before = _shift_state(row.as_shift.terms)
    _record(session, clock, principal, "calendars.shift_removed", person_id, before=before)


async def set_day(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    *,
    person_id: int,
    day: date,
    windows: tuple[Window, ...],
    community_id: int | None = None,
    note: str = "",
) -> int:
    """Return the id of a day on which a person works `windows` in place of their weekly shifts, or not at all.

    Raises:
        Forbidden: the principal plans no shifts.
        NotFound: there is no such person.
        Refused: the windows overlap, or the day has its exception already.
    """
    await _begin(session, principal, person_id)
    hours.check(windows, field="hours")
    _check_note(note)
    if await shift_tables.dated_shifts(session, principal.organisation_id, first=day, last=day, person_id=person_id):
        sentence = _("%(day)s has its exception already. Remove it first.")
        raise Refused(sentence, "day", day=day.isoformat())
    row = DatedShiftRow(
        organisation_id=principal.organisation_id,
        person_id=person_id,
        day=day,
        windows=spans(windows),
        community_id=community_id,
        note=note,
    )
    session.add(row)
    await session.flush()
    after = _dated_state(row.as_dated_shift)
    _record(session, clock, principal, "calendars.shift_day_set", person_id, after=after)
    return row.id


async def remove_day(
    session: AsyncSession, clock: Clock, principal: Principal, *, person_id: int, dated_id: int
) -> None:
    """Let a day be like its weekday again.

    Raises:
        Forbidden: the principal plans no shifts.
        NotFound: there is no such person or exception.
    """
    await _begin(session, principal, person_id)
    row = await _find_dated(session, principal, person_id, dated_id)
    await session.delete(row)
    before = _dated_state(row.as_dated_shift)
    _record(session, clock, principal, "calendars.shift_day_removed", person_id, before=before)


async def grant_leave(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    *,
    person_id: int,
    kind: LeaveKind,
    since: date,
    until: date,
    note: str = "",
) -> int:
    """Return the id of a person's leave from `since` to the day before `until`; what has begun is told at once.

    Raises:
        Forbidden: the principal plans no shifts.
        NotFound: there is no such person.
        Refused: it ends before it begins, is too long, or meets another leave of the person.
    """
    await _begin(session, principal, person_id)
    _check_note(note)
    if not since < until <= since + _LONGEST_LEAVE:
        raise Refused(_("The last day must be the first day or later, within three years."), "last_day")
    met = await shift_tables.leaves(
        session, principal.organisation_id, first=since, last=until - _DAY, person_id=person_id
    )
    if met:
        sentence = _("There is a leave from %(first)s to %(last)s already. Remove it first, or choose other days.")
        raise Refused(sentence, "first_day", first=met[0].since.isoformat(), last=(met[0].until - _DAY).isoformat())
    row = LeaveRow(
        organisation_id=principal.organisation_id,
        person_id=person_id,
        kind=kind,
        since=since,
        until=until,
        note=note,
    )
    session.add(row)
    await session.flush()
    _record(session, clock, principal, "calendars.leave_granted", person_id, after=_leave_state(row.as_leave))
    await leaves.tell_begun(session, clock, Principal.system(principal.organisation_id), [row])
    return row.id


async def cancel_leave(
    session: AsyncSession, clock: Clock, principal: Principal, *, person_id: int, leave_id: int
) -> None:
    """Take a leave back.

    Raises:
        Forbidden: the principal plans no shifts.
        NotFound: there is no such person or leave.
    """
    await _begin(session, principal, person_id)
    row = await _find_leave(session, principal, person_id, leave_id)
    await session.delete(row)
    _record(session, clock, principal, "calendars.leave_cancelled", person_id, before=_leave_state(row.as_leave))


async def _begin(session: AsyncSession, principal: Principal, person_id: int) -> None:
    """Let pass who plans shifts, and keep others from planning for the person meanwhile."""
    principal.require(Role.MANAGER)
    await hold(session, f"shifts of {person_id}")
    await people.find_person(session, principal, person_id)


async def _find_shift(session: AsyncSession, principal: Principal, person_id: int, shift_id: int) -> ShiftRow:
    found = await shift_tables.shift_by_id(session, principal.organisation_id, person_id, shift_id)
    if found is None:
        raise NotFound(_("There is no such shift."))
    return found


async def _find_dated(session: AsyncSession, principal: Principal, person_id: int, dated_id: int) -> DatedShiftRow:
    found = await shift_tables.dated_shift_by_id(session, principal.organisation_id, person_id, dated_id)
    if found is None:
        raise NotFound(_("There is no such shift."))
    return found


async def _find_leave(session: AsyncSession, principal: Principal, person_id: int, leave_id: int) -> LeaveRow:
    found = await shift_tables.leave_by_id(session, principal.organisation_id, person_id, leave_id)
    if found is None:
        raise NotFound(_("There is no such leave."))
    return found


async def _check_terms(
    session: AsyncSession, principal: Principal, person_id: int, terms: ShiftTerms, *, but: int | None = None
) -> None:
    if not terms.weekdays <= set(range(7)) or not terms.weekdays:
        raise Refused(_("Choose at least one weekday."), "weekdays")
    if not terms.windows:
        raise Refused(_("Give the shift its hours, like 08:00-17:00 or 22:00-06:00."), "hours")
    if terms.until is not None and terms.until <= terms.since:
        raise Refused(_("The last day must be the first day or later."), "last_day")
    if overlap(dict.fromkeys(terms.weekdays, terms.windows)):
        raise Refused(_("The shift begins again before it has ended. Shorten its hours."), "hours")
    last = None if terms.until is None else terms.until - _DAY
    others = await shift_tables.shifts(
        session, principal.organisation_id, first=terms.since, last=last, person_id=person_id
    )
    for other in others:
        if other.id != but and overlap(_together(terms, other.terms)):
            sentence = _("These hours overlap with the shift %(hours)s of the same days. Change one of the two.")
            raise Refused(sentence, "hours", hours=hours.written(other.terms.windows))


def _together(one: ShiftTerms, other: ShiftTerms) -> dict[int, tuple[Window, ...]]:
    return {
        weekday: tuple(window for terms in (one, other) if weekday in terms.weekdays for window in terms.windows)
        for weekday in range(7)
    }


def _check_note(note: str) -> None:
    if len(note) > NOTE_LENGTH:
        raise Refused(_("A note has at most %(length)d characters."), "note", length=NOTE_LENGTH)


def _fill(row: ShiftRow, terms: ShiftTerms) -> None:
    row.community_id, row.weekdays = terms.community_id, sorted(terms.weekdays)
    row.windows, row.since, row.until = spans(sorted(terms.windows)), terms.since, terms.until


def _shift_state(terms: ShiftTerms) -> dict[str, object]:
    return {
        "weekdays": sorted(terms.weekdays),
        "hours": hours.written(terms.windows),
        "community_id": terms.community_id,
        "first_day": terms.since.isoformat(),
        "last_day": _last_day(terms.until),
    }


def _dated_state(dated: DatedShift) -> dict[str, object]:
    return {
        "day": dated.day.isoformat(),
        "hours": hours.written(dated.windows),
        "community_id": dated.community_id,
        "note": dated.note,
    }


def _leave_state(leave: Leave) -> dict[str, object]:
    return {
        "leave": leave.kind,
        "first_day": leave.since.isoformat(),
        "last_day": _last_day(leave.until),
        "note": leave.note,
    }


def _last_day(until: date | None) -> str | None:
    return None if until is None else (until - _DAY).isoformat()


def _record(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    action: str,
    person_id: int,
    *,
    before: audit.State | None = None,
    after: audit.State | None = None,
) -> None:
    audit.record(session, clock, principal, action=action, subject=f"person:{person_id}", before=before, after=after)

"""Preventive plans: what is inspected where and when, and the tickets that they make when it is time."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.calendars import service as calendars
from cloud.calendars.domain import instant
from cloud.core import audit
from cloud.core.clock import Clock
from cloud.core.errors import Conflict, Refused
from cloud.core.principal import Principal, Role
from cloud.core.words import Words
from cloud.fleet import service as fleet
from cloud.properties import service as properties
from cloud.repairs import announcing
from cloud.repairs import maintenance_tables as tables
from cloud.repairs.domain import MILLI, checked_quantity, from_milli, to_milli
from cloud.repairs.maintenance import find_row
from cloud.repairs.maintenance_tables import InspectionRow, MaintenanceRow
from cloud.repairs.rhythm import Rhythm, next_mark, turn, worked_day
from cloud.repairs.tables import CODE_LENGTH, NAME_LENGTH
from cloud.tickets.domain import INSPECTION, Origin
from cloud.tickets.opening import Location, open_ticket
from cloud.tickets.types import find_type
from firmware_configs.look.words import _

_CALENDAR = "office"
_MOST_ITEMS = 60
_MOST_TURNS = {Rhythm.WEEKS: 520, Rhythm.MONTHS: 120}
_OLDEST = timedelta(days=366)
_AT_ONCE = 50
_TRIED_AGAIN = timedelta(hours=1)
"""When a turn that could not begin is tried again: soon enough for its day, and behind what is due meanwhile."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A preventive plan as a manager writes it.

    Attributes:
        checklist: what is looked at, in its order.
        repair_type: the code of the type of the tickets that failed items make.
        every: weeks or months; on a meter, units of its point.
        first_on: the first turn's day; None for a meter.
        point_id: the meter's point; None for a calendar.
        next_mark: at how much on the meter the next one is due; None for `every` from now.
    """

    name: Words
    place_id: int
    checklist: tuple[Words, ...]
    repair_type: str = "repair"
    rhythm: Rhythm
    every: Decimal
    first_on: date | None = None
    point_id: int | None = None
    next_mark: Decimal | None = None


async def create_plan(session: AsyncSession, clock: Clock, principal: Principal, draft: Draft) -> int:
    """Make a preventive plan and return its id.

    Raises:
        Refused: something in it can't be; the error names the field.
        NotFound: there is no such place, point or type of ticket.
    """
    principal.require(Role.MANAGER)
    row = MaintenanceRow(organisation_id=principal.organisation_id, turn=0, is_active=True)
    await _write(session, clock, principal, row, draft)
    session.add(row)
    await session.flush()
    _record(session, clock, principal, "repairs.maintenance_created", row, before=None)
    return row.id


async def change_plan(
    session: AsyncSession, clock: Clock, principal: Principal, draft: Draft, *, plan_id: int, version: int
) -> None:
    """Change a preventive plan; inspections that are under way keep the checklist that they began with.

    Raises:
        NotFound: there is no such plan, place, point or type of ticket.
        Conflict: it changed since `version` was read.
        Refused: something in it can't be.
    """
    principal.require(Role.MANAGER)
    row = await _seen(session, principal, plan_id, version)
    before = _state(row)
    await _write(session, clock, principal, row, draft)
    row.version += 1
    await session.flush()
    _record(session, clock, principal, "repairs.maintenance_changed", row, before=before)


async def set_active(
    session: AsyncSession, clock: Clock, principal: Principal, *, plan_id: int, version: int, is_active: bool
) -> None:
    """Let a plan rest, or take it up again with the turns that come from now on.

    Raises:
        NotFound: there is no such plan.
        Conflict: it changed since `version` was read.
    """
    principal.require(Role.MANAGER)
    row = await _seen(session, principal, plan_id, version)
    before = _state(row)
    row.is_active, row.version = is_active, row.version + 1
    if is_active and row.next_at is not None and row.next_at <= clock.now():
        await _move_on(session, clock, principal, row)
    await session.flush()
    _record(session, clock, principal, "repairs.maintenance_changed", row, before=before)


async def make_due(session: AsyncSession, clock: Clock) -> set[int]:
    """Open the tickets of inspections whose time has come: one for each, however long nobody looked.

    A job: returns the organisations for which there was something, and is to be repeated until there is none.
    """
    organisations = set()
    for row in await tables.due_by_day(session, now=clock.now(), limit=_AT_ONCE):
        if await _begin(session, clock, row, partial(_begin_by_day, session, clock, row)):
            organisations.add(row.organisation_id)
        else:
            row.next_at = clock.now() + _TRIED_AGAIN
    await session.flush()
    return organisations | await _make_due_by_meter(session, clock)


async def _begin_by_day(session: AsyncSession, clock: Clock, row: MaintenanceRow) -> None:
    principal = Principal.system(row.organisation_id)
    due = turn(row.first_on or clock.now().date(), row.rhythm, row.every, row.turn)
    await _open(session, clock, principal, row, due=due.isoformat())
    await _move_on(session, clock, principal, row)


async def _make_due_by_meter(session: AsyncSession, clock: Clock) -> set[int]:
    rows = await tables.by_meter(session)
    organisations = set()
    for organisation_id in sorted({row.organisation_id for row in rows}):
        principal = Principal.system(organisation_id)
        ours = [row for row in rows if row.organisation_id == organisation_id]
        latest = await fleet.latest(session, principal, point_ids={row.point_id or 0 for row in ours})
        for row in ours:
            reading = latest.get(row.point_id or 0)
            if reading is None or row.next_milli is None:
                continue
            value, due = Decimal(str(reading.value)), Decimal(row.next_milli) / MILLI
            if value >= due and await _begin(
                session, clock, row, partial(_begin_by_meter, session, clock, row, due=due, value=value)
            ):
                organisations.add(organisation_id)
    await session.flush()
    return organisations


async def _begin_by_meter(
    session: AsyncSession, clock: Clock, row: MaintenanceRow, *, due: Decimal, value: Decimal
) -> None:
    principal = Principal.system(row.organisation_id)
    await _open(session, clock, principal, row, due=f"{from_milli(row.next_milli or 0)}/{row.version}")
    row.next_milli = to_milli(next_mark(due, Decimal(row.every) / MILLI, value))


async def _begin(
    session: AsyncSession, clock: Clock, row: MaintenanceRow, turned: Callable[[], Awaitable[None]]
) -> bool:
    """Return whether a plan's turn began; where it can't, that alone is undone, and the managers are told once."""
    plan_id, organisation_id = row.id, row.organisation_id
    try:
        async with session.begin_nested():
            await turned()
    except Exception:  # noqa: BLE001  one plan's fault must stop nobody else's: it is logged, told and tried again
        _log.exception("preventive plan %d of organisation %d can't begin its turn", plan_id, organisation_id)
        await session.refresh(row)
        which = f"{row.version}:{row.turn}:{row.next_milli}"
        await announcing.turn_failed(session, clock, row, key=f"maintenance-failed:{plan_id}:{which}")
        return False
    return True


async def _open(session: AsyncSession, clock: Clock, principal: Principal, row: MaintenanceRow, *, due: str) -> None:
    """Open the ticket of a turn, unless it has one: a plan may be changed back to a day that it had before."""
    if await tables.has_inspection(session, principal, row.id, due):
        return
    ticket_id = await open_ticket(
        session,
        clock,
        principal,
        type_code=INSPECTION,
        subject=Words(zh=row.name_zh, en=row.name_en),
        location=Location(community_id=row.community_id, place_id=row.place_id, place=row.place),
        origin=Origin.PLAN,
    )
    session.add(
        InspectionRow(
            ticket_id=ticket_id,
            organisation_id=row.organisation_id,
            plan_id=row.id,
            due=due,
            at=clock.now(),
            checklist=row.checklist,
            repair_type=row.repair_type,
        )
    )


async def _move_on(session: AsyncSession, clock: Clock, principal: Principal, row: MaintenanceRow) -> None:
    """Go on to the first turn that has not begun."""
    while row.next_at is not None and row.next_at <= clock.now():
        row.turn += 1
        row.next_at = await _begins(session, clock, principal, row)


async def _begins(session: AsyncSession, clock: Clock, principal: Principal, row: MaintenanceRow) -> datetime:
    """Return when the next turn's day begins: with its first hours, on the first day that is worked."""
    version_id = await calendars.pin(session, clock, principal, code=_CALENDAR)
    calendar = await calendars.calendar(session, principal, version_id=version_id)
    day = worked_day(calendar, turn(row.first_on or clock.now().date(), row.rhythm, row.every, row.turn))
    windows = calendar.windows(day)
    return instant(ZoneInfo(calendar.time_zone), day, windows[0].start_min if windows else 0)


async def _write(session: AsyncSession, clock: Clock, principal: Principal, row: MaintenanceRow, draft: Draft) -> None:
    _check(draft)
    place = await properties.find_place(session, principal, draft.place_id)
    await find_type(session, clock, principal, code=draft.repair_type)
    row.community_id, row.place_id = place.community_id, place.id
    row.place = await properties.place_label(session, principal, place.id)
    row.name_zh, row.name_en, row.repair_type = draft.name.zh.strip(), draft.name.en.strip(), draft.repair_type
    row.checklist = [
        {"code": f"{number:02d}", "zh": each.zh, "en": each.en} for number, each in enumerate(draft.checklist, 1)
    ]
    if draft.rhythm is Rhythm.METER:
        await _go_by_meter(session, principal, row, draft)
    else:
        await _go_by_day(session, clock, principal, row, draft)


async def _go_by_meter(session: AsyncSession, principal: Principal, row: MaintenanceRow, draft: Draft) -> None:
    every = checked_quantity(draft.every, "every")
    point = await fleet.point(session, principal, point_id=draft.point_id or 0)
    latest = (await fleet.latest(session, principal, point_ids=[point.id])).get(point.id)
    counted = Decimal(str(round(latest.value, 3))) if latest is not None else Decimal(0)
    mark = draft.next_mark if draft.next_mark is not None else counted + every
    if mark <= counted:
        raise Refused(_("The meter stands at %(value)s: the next one is due above that."), "next_mark", value=counted)
    row.rhythm, row.every, row.point_id = Rhythm.METER, to_milli(every), point.id
    row.next_milli = to_milli(mark)
    row.first_on, row.next_at = None, None


async def _go_by_day(
    session: AsyncSession, clock: Clock, principal: Principal, row: MaintenanceRow, draft: Draft
) -> None:
    every = int(draft.every)
    if every != draft.every or not 1 <= every <= _MOST_TURNS[draft.rhythm]:
        raise Refused(_("It comes round every so many whole weeks or months."), "every")
    if draft.first_on is None or not abs(draft.first_on - clock.now().date()) <= 10 * _OLDEST:
        raise Refused(_("Say on which day it is first due."), "first_on")
    is_same = (row.rhythm, row.every, row.first_on) == (draft.rhythm, every, draft.first_on)
    row.rhythm, row.every, row.first_on = draft.rhythm, every, draft.first_on
    row.point_id, row.next_milli = None, None
    if not is_same:
        row.turn = 0
        row.next_at = await _begins(session, clock, principal, row)
        await _skip_past(session, clock, principal, row)


async def _skip_past(session: AsyncSession, clock: Clock, principal: Principal, row: MaintenanceRow) -> None:
    """Leave out the turns of days that are over: what is due today still comes."""
    while row.next_at is not None and row.next_at <= clock.now() - timedelta(days=1):
        row.turn += 1
        row.next_at = await _begins(session, clock, principal, row)


def _check(draft: Draft) -> None:
    if (
        not (draft.name.zh.strip() or draft.name.en.strip())
        or max(len(draft.name.zh), len(draft.name.en)) > NAME_LENGTH
    ):
        raise Refused(_("Give it a name of at most %(length)d characters."), "name_zh", length=NAME_LENGTH)
    if not 1 <= len(draft.checklist) <= _MOST_ITEMS:
        raise Refused(_("Say what is looked at: 1 to %(most)d items."), "checklist", most=_MOST_ITEMS)
    if len(draft.repair_type) > CODE_LENGTH:
        raise Refused(_("There is no such type of ticket."), "repair_type")
    if draft.rhythm is Rhythm.METER and draft.point_id is None:
        raise Refused(_("Choose the point that counts."), "point_id")


async def _seen(session: AsyncSession, principal: Principal, plan_id: int, version: int) -> MaintenanceRow:
    row = await find_row(session, principal, plan_id)
    if row.version != version:
        raise Conflict(_("Somebody else has changed this plan meanwhile. Look at it again before you go on."))
    return row


def _state(row: MaintenanceRow) -> dict[str, object]:
    return {
        "name_zh": row.name_zh,
        "name_en": row.name_en,
        "place": row.place,
        "rhythm": str(row.rhythm),
        "every": row.every,
        "next_at": row.next_at.isoformat() if row.next_at is not None else None,
        "next_milli": row.next_milli,
        "items": len(row.checklist),
        "is_active": row.is_active,
    }


def _record(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    action: str,
    row: MaintenanceRow,
    *,
    before: audit.State | None,
) -> None:
    after = _state(row)
    was, is_now = audit.changed(before, after) if before is not None else (None, after)
    subject = f"maintenance:{row.id}"
    audit.record(session, clock, principal, action=action, subject=subject, before=was, after=is_now)

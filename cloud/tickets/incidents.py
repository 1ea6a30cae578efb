"""Incidents: one cause of many tickets, with what the desk says, what everybody may read, and a clock of its own."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.alarms.domain import Priority
from cloud.calendars import service as calendars
from cloud.core import audit
from cloud.core.clock import Clock
from cloud.core.errors import Conflict, NotFound, Refused
from cloud.core.principal import Principal, Role
from cloud.tickets.domain import TRANSITIONS, UNDONE, Act, Consent, Deed, Kind, State, Target, TicketType
from cloud.tickets.incident_area import tell_occupants
from cloud.tickets.incident_clock import WARNED_AT, note_breach
from cloud.tickets.incident_reading import Affected, visible_incidents
from cloud.tickets.moving import carry, check_text, close, locked, required
from cloud.tickets.tables import SUBJECT_LENGTH, IncidentPlaceRow, IncidentRow, TicketRow, TicketTypeRow, in_sight
from cloud.tickets.timeline import tell
from cloud.tickets.types import find_type, to_type
from firmware_configs.look.words import _


async def open_incident(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    *,
    type_code: str,
    title: str,
    script: str,
    notice: str,
    community_id: int | None = None,
    affected: Sequence[Affected] = (),
    priority: Priority | None = None,
    ticket_ids: Collection[int] = (),
) -> int:
    """Open an incident and return its id; it must be over when a ticket of its type would have to be.

    Everybody in what it concerns is told its notice.

    Raises:
        Refused: it has no title.
        NotFound: there is no such type, or a ticket is not the principal's to see.
    """
    principal.require(Role.DESK, Role.OPERATOR)
    _check(title, script, notice)
    type_row = await find_type(session, clock, principal, code=type_code)
    ticket_type = to_type(type_row)
    chosen = priority or ticket_type.default_priority
    warn_at, due_at = await _deadline(session, clock, principal, ticket_type, chosen)
    row = IncidentRow(
        organisation_id=principal.organisation_id,
        community_id=community_id,
        type_id=type_row.id,
        priority=int(chosen),
        title=title.strip(),
        script=script.strip(),
        notice=notice.strip(),
        opened_at=clock.now(),
        opened_by=principal.person_id,
        due_at=due_at,
        next_at=warn_at,
    )
    session.add(row)
    await session.flush()
    await _name(session, row, affected)
    await tell_occupants(session, clock, row, affected, is_emergency=ticket_type.is_emergency)
    _record(session, clock, principal, row, action="tickets.incident_opened")
    for ticket_id in sorted(ticket_ids):
        await add_ticket(session, clock, principal, incident_id=row.id, ticket_id=ticket_id)
    return row.id


async def change_incident(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    *,
    incident_id: int,
    version: int,
    title: str,
    script: str,
    notice: str,
    affected: Sequence[Affected],
    community_id: int | None = None,
) -> None:
    """Change an incident's words and what it concerns; a changed notice is told in each of its tickets.

    Everybody in what it concerns now is told its notice, unless they were told the same before.

    Raises:
        Conflict: it changed since `version` was read, or is over.
        Refused: it has no title.
    """
    principal.require(Role.DESK, Role.OPERATOR)
    _check(title, script, notice)
    row = await _open(session, principal, incident_id=incident_id, version=version)
    is_news = notice.strip() not in {"", row.notice}
    row.title, row.script, row.notice = title.strip(), script.strip(), notice.strip()
    row.community_id = community_id
    row.version += 1
    await _name(session, row, affected)
    type_row = await session.get_one(TicketTypeRow, row.type_id)
    await tell_occupants(session, clock, row, affected, is_emergency=type_row.is_emergency)
    _record(session, clock, principal, row, action="tickets.incident_changed")
    for ticket_row in await _tickets_of(session, principal, row) if is_news else ():
        await tell(session, clock, principal, ticket_row, Deed.INCIDENT_TOLD, text=row.notice)


async def add_ticket(
    session: AsyncSession, clock: Clock, principal: Principal, *, incident_id: int, ticket_id: int
) -> None:
    """Say that an incident explains a ticket; said again, it changes nothing.

    Raises:
        Conflict: the incident is over.
        NotFound: one of the two is not the principal's to see.
    """
    principal.require(Role.DESK, Role.OPERATOR)
    row = await _open(session, principal, incident_id=incident_id)
    ticket_row = await locked(session, principal, ticket_id=ticket_id)
    if ticket_row.incident_id == row.id:
        return
    ticket_row.incident_id = row.id
    ticket_row.version += 1
    await tell(session, clock, principal, ticket_row, Deed.INCIDENT_JOINED, text=row.notice or row.title)


async def remove_ticket(
    session: AsyncSession, clock: Clock, principal: Principal, *, incident_id: int, ticket_id: int
) -> None:
    """Say that an incident does not explain a ticket after all; said again, it changes nothing.

    Raises:
        NotFound: one of the two is not the principal's to see.
    """
    principal.require(Role.DESK, Role.OPERATOR)
    row = await _found(session, principal, incident_id=incident_id)
    ticket_row = await locked(session, principal, ticket_id=ticket_id)
    if ticket_row.incident_id != row.id:
        return
    ticket_row.incident_id = None
    ticket_row.version += 1
    await tell(session, clock, principal, ticket_row, Deed.INCIDENT_LEFT, text=row.title, is_public=False)


async def resolve_incident(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    *,
    incident_id: int,
    version: int,
    result: str,
    with_tickets: bool,
) -> None:
    """End an incident: its open tickets end with it, or are told and go on.

    Work that somebody is to pay for, and an inspection, are told and end by themselves: what was done is written down.

    Raises:
        Conflict: it changed since `version` was read, or is over.
        Refused: nobody says how it ended.
    """
    principal.require(Role.DESK, Role.OPERATOR)
    said = required(result, "result", _("Say how it ended."))
    row = await _open(session, principal, incident_id=incident_id, version=version)
    note_breach(row, clock)
    row.closed_at, row.next_at, row.result, row.version = clock.now(), None, said, row.version + 1
    _record(session, clock, principal, row, action="tickets.incident_resolved")
    for ticket_row in await _tickets_of(session, principal, row):
        if with_tickets and _ends_with_it(ticket_row):
            await carry(session, clock, principal, ticket_row, Act.SETTLE, text=said)
            close(ticket_row, at=clock.now(), result=said, by=None)
        else:
            await tell(session, clock, principal, ticket_row, Deed.INCIDENT_TOLD, text=said)


def _ends_with_it(row: TicketRow) -> bool:
    is_paid_for = row.consent == Consent.GIVEN or (row.consent == Consent.NEEDED and row.state is State.IN_WORK)
    ends_itself = is_paid_for or row.kind is Kind.INSPECTION
    return (row.state, Act.SETTLE) in TRANSITIONS and not ends_itself


async def _found(session: AsyncSession, principal: Principal, *, incident_id: int) -> IncidentRow:
    """Return an incident, locked: everybody who changes it or its tickets locks it first."""
    # any organisation: visible_incidents leaves only the principal's
    row = await session.scalar(
        visible_incidents(principal)
        .where(IncidentRow.id == incident_id)
        .with_for_update(of=IncidentRow)
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound(_("There is no such incident."))
    return row


async def _open(
    session: AsyncSession, principal: Principal, *, incident_id: int, version: int | None = None
) -> IncidentRow:
    row = await _found(session, principal, incident_id=incident_id)
    if version is not None and row.version != version:
        raise Conflict(_("Somebody else has changed this incident meanwhile. Look at it again before you go on."))
    if row.closed_at is not None:
        raise Conflict(_("This incident is over."))
    return row


async def _tickets_of(session: AsyncSession, principal: Principal, row: IncidentRow) -> Sequence[TicketRow]:
    """Return the incident's open tickets that are the principal's to see, locked in one order."""
    found = await session.scalars(
        select(TicketRow)
        .where(TicketRow.organisation_id == principal.organisation_id, in_sight(principal))
        .where(TicketRow.incident_id == row.id)
        .where(TicketRow.state.in_(sorted(UNDONE)))
        .order_by(TicketRow.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return found.all()


async def _name(session: AsyncSession, row: IncidentRow, affected: Sequence[Affected]) -> None:
    """Let an incident concern these and nothing else."""
    ours = IncidentPlaceRow.organisation_id == row.organisation_id
    await session.execute(delete(IncidentPlaceRow).where(ours, IncidentPlaceRow.incident_id == row.id))
    session.add_all(
        IncidentPlaceRow(
            organisation_id=row.organisation_id,
            incident_id=row.id,
            building_id=each.building_id,
            place_id=each.place_id,
            unit_id=each.unit_id,
            label=each.label,
        )
        for each in affected
    )
    await session.flush()


async def _deadline(
    session: AsyncSession, clock: Clock, principal: Principal, ticket_type: TicketType, priority: Priority
) -> tuple[datetime, datetime]:
    """Return when a supervisor is warned, and when it must be over."""
    calendar_id = await calendars.pin(session, clock, principal, code=ticket_type.calendar)
    calendar = await calendars.calendar(session, principal, version_id=calendar_id)
    limit = timedelta(minutes=ticket_type.targets[priority][Target.SOLUTION])
    return calendar.add(clock.now(), limit * WARNED_AT / 100), calendar.add(clock.now(), limit)


def _check(title: str, script: str, notice: str) -> None:
    if not title.strip():
        raise Refused(_("Say what has happened."), "title")
    if len(title) > SUBJECT_LENGTH:
        raise Refused(_("Too long: at most %(length)d characters."), "title", length=SUBJECT_LENGTH)
    check_text(script, "script")
    check_text(notice, "notice")


def _record(session: AsyncSession, clock: Clock, principal: Principal, row: IncidentRow, *, action: str) -> None:
    after = {"title": row.title, "notice": row.notice, "result": row.result}
    audit.record(session, clock, principal, action=action, subject=f"incident:{row.id}", after=after)

"""What people see of tickets: one, those of alarms, lists, and what waits for whom."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any, cast

from sqlalchemy import Table, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.alarms.domain import Priority
from cloud.core.clock import Clock
from cloud.core.errors import NotFound
from cloud.core.listing import Ask, Found, Listing, fetch, fetch_several
from cloud.core.principal import Principal, Role
from cloud.core.words import Words
from cloud.tickets.discretion import is_of_others
from cloud.tickets.domain import UNDONE, Act, Consent, Kind, Origin, Payer, State, TicketType, acts_from
from cloud.tickets.tables import (
    IS_UNDONE,
    NO_DEADLINE,
    SEE_ALL,
    TICKET_SEARCH,
    TicketAlarmRow,
    TicketRow,
    TicketTypeRow,
    alarms_of,
    seen_tickets,
    types_by_id,
    visible_tickets,
)
from cloud.tickets.types import to_type
from firmware_configs.look.words import _

FAR_OFF = NO_DEADLINE
"""The instant from which on a list's `due` says that no deadline runs."""

_TICKETS = cast("Table", TicketRow.__table__).c
_TYPE_CODE = select(TicketTypeRow.code).where(TicketTypeRow.id == TicketRow.type_id).scalar_subquery()
_COUNTED = 1_000
"""Tickets counted at most in one column of the board: more are "very many", and each is read for the number alone."""

_OWNERS_ACTS = frozenset(
    {
        Act.RELEASE, Act.PROPOSE, Act.START, Act.START_EMERGENCY, Act.WAIT, Act.CONTINUE, Act.RESOLVE, Act.REOPEN,
    }
)  # fmt: skip
_DESKS_ACTS = frozenset(Act) - {Act.VERIFY, Act.SETTLE, Act.LAPSE}
_MANAGERS_ACTS = frozenset({Act.ASSIGN})
"""A manager is called when nobody is to be found, and may give the ticket to somebody; the rest is the desk's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A ticket as people see it.

    Attributes:
        type_version: of its type, as it was opened with.
        subject: None when its alarm's cause says what is to be done.
        place: the names of its place at opening, from the widest to the narrowest.
        alarm_ids: the alarms that it is about, the first one first.
        due_at: when it must be solved; None while no deadline runs.
        is_late: the deadline has passed and the work is not done.
        waiting_for: what it waits for; empty when it does not.
        emergency_reason: why work began before anybody agreed to it; empty when it did not.
    """

    id: int
    number: str
    type: TicketType
    type_version: int
    kind: Kind
    state: State
    consent: Consent
    priority: Priority
    subject: Words | None
    description: str
    community_id: int | None
    place_id: int | None
    unit_id: int | None
    place: str
    requester_id: int | None
    requester_name: str
    requester_phone: str
    origin: Origin
    payer: Payer
    alarm_ids: tuple[int, ...]
    opened_at: datetime
    due_at: datetime | None
    is_late: bool
    assignee_id: int | None
    assignee_name: str
    waiting_for: str
    emergency_reason: str
    escalated: int
    merged_into_id: int | None
    incident_id: int | None
    closed_at: datetime | None
    result: str
    reopened: int
    reworked: int
    version: int

    @property
    def alarm_id(self) -> int | None:
        """Return the alarm that it was opened for; None when it was none."""
        return self.alarm_ids[0] if self.alarm_ids else None

    @property
    def is_undone(self) -> bool:
        """Return whether something is still to be done."""
        return self.state in UNDONE


async def ticket(session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int) -> Ticket:
    """Return one ticket.

    Raises:
        NotFound: there is none that the principal may see.
    """
    rows = await session.execute(visible_tickets(principal).where(TicketRow.id == ticket_id))
    found = await read(session, clock, principal, rows.all())
    if not found:
        raise NotFound(_("There is no such ticket."))
    return found[0]


async def may_see(session: AsyncSession, principal: Principal, *, ticket_id: int) -> bool:
    """Return whether a ticket is the principal's to see."""
    # any organisation: visible_tickets leaves only the principal's
    seen = visible_tickets(principal).where(TicketRow.id == ticket_id).with_only_columns(TicketRow.id)
    return await session.scalar(seen) is not None


async def tickets(
    session: AsyncSession, clock: Clock, principal: Principal, *, ticket_ids: Collection[int]
) -> list[Ticket]:
    """Return these tickets, as far as the principal may see them, by id."""
    if not ticket_ids:
        return []
    rows = await session.execute(visible_tickets(principal).where(TicketRow.id.in_(ticket_ids)).order_by(TicketRow.id))
    return await read(session, clock, principal, rows.all())


async def tickets_of_alarms(
    session: AsyncSession, clock: Clock, principal: Principal, *, alarm_ids: Collection[int]
) -> dict[int, Ticket]:
    """Return the tickets that the principal may see, by the alarms that they are about."""
    # any organisation: visible_tickets leaves only the principal's
    about = select(TicketAlarmRow.ticket_id).where(TicketAlarmRow.alarm_id.in_(alarm_ids))
    rows = await session.execute(visible_tickets(principal).where(TicketRow.id.in_(about)))
    found = await read(session, clock, principal, rows.all())
    return {alarm_id: each for each in found for alarm_id in each.alarm_ids if alarm_id in alarm_ids}


async def tickets_asked_by(
    session: AsyncSession, clock: Clock, principal: Principal, *, person_id: int, limit: int = 20
) -> list[Ticket]:
    """Return what a person asked for, as far as the principal may see it, the newest first."""
    rows = await session.execute(
        visible_tickets(principal)
        .where(TicketRow.requester_id == person_id)
        .order_by(TicketRow.opened_at.desc(), TicketRow.id.desc())
        .limit(limit)
    )
    return await read(session, clock, principal, rows.all())


async def tickets_of_unit(
    session: AsyncSession, clock: Clock, principal: Principal, *, unit_id: int, limit: int = 20
) -> list[Ticket]:
    """Return the tickets about a unit that the principal may see, the newest first."""
    rows = await session.execute(
        visible_tickets(principal)
        .where(TicketRow.unit_id == unit_id)
        .order_by(TicketRow.opened_at.desc(), TicketRow.id.desc())
        .limit(limit)
    )
    return await read(session, clock, principal, rows.all())


async def tickets_of_places(
    session: AsyncSession, clock: Clock, principal: Principal, *, place_ids: Collection[int], limit: int = 20
) -> list[Ticket]:
    """Return what is to be done at places that are in no unit, as far as the principal may see it, the newest first."""
    rows = await session.execute(
        visible_tickets(principal)
        .where(TicketRow.place_id.in_(place_ids), TicketRow.unit_id.is_(None), TicketRow.state.in_(sorted(UNDONE)))
        .order_by(TicketRow.opened_at.desc(), TicketRow.id.desc())
        .limit(limit)
    )
    return await read(session, clock, principal, rows.all())


async def list_tickets(
    session: AsyncSession, clock: Clock, principal: Principal, ask: Ask, *, only_undone: bool
) -> Found[Ticket]:
    """Return the tickets that the principal may see: the undone by their deadline, or all, the newest first."""
    found = await fetch(session, _listing(principal, clock.now(), only_undone=only_undone), ask)
    return found.of(await _with_types(session, clock, principal, [row.TicketRow for row in found.rows]))


async def undone_by(
    session: AsyncSession, clock: Clock, principal: Principal, asks: Sequence[Ask]
) -> list[Found[Ticket]]:
    """Return several stretches of the undone tickets, none of which searches, read and counted together."""
    stretches = await fetch_several(session, _listing(principal, clock.now(), only_undone=True), asks, counted=_COUNTED)
    rows = [row.TicketRow for found in stretches for row in found.rows]
    left = iter(await _with_types(session, clock, principal, rows))
    return [found.of(list(islice(left, len(found.rows)))) for found in stretches]


async def count_waiting(session: AsyncSession, principal: Principal) -> int:
    """Return how many tickets wait for the principal: one's own for a worker, else those that nobody has."""
    # any organisation: seen_tickets leaves only the principal's
    seen = seen_tickets(principal).where(IS_UNDONE)
    if principal.roles & SEE_ALL:
        seen = seen.where(TicketRow.assignee_id.is_(None))
    return await session.scalar(select(func.count()).select_from(seen.with_only_columns(TicketRow.id).subquery())) or 0


async def count_late(session: AsyncSession, clock: Clock, principal: Principal) -> int:
    """Return how many tickets that the principal may see are late now."""
    # any organisation: seen_tickets leaves only the principal's
    late = seen_tickets(principal).where(IS_UNDONE, TicketRow.due_at < clock.now()).with_only_columns(TicketRow.id)
    return await session.scalar(select(func.count()).select_from(late.subquery())) or 0


def acts_for(principal: Principal, seen: Ticket) -> frozenset[Act]:
    """Return what the principal may do with a ticket now."""
    possible = acts_from(seen.state, consent=seen.consent)
    is_worker = Role.WORKER in principal.roles
    if principal.has(Role.DESK, Role.OPERATOR):
        return possible & (_DESKS_ACTS if is_worker else _DESKS_ACTS - {Act.TAKE})
    theirs = _OWNERS_ACTS if seen.assignee_id == principal.person_id else frozenset({Act.TAKE})
    as_worker = theirs if is_worker else frozenset()
    return possible & (as_worker | _MANAGERS_ACTS if Role.MANAGER in principal.roles else as_worker)


async def read(session: AsyncSession, clock: Clock, principal: Principal, rows: Sequence[Any]) -> list[Ticket]:
    """Return the tickets that pairs of rows hold, with their alarms, and without what others said for an owner."""
    about = await alarms_of(session, principal, [row.id for row, _type in rows])
    types = {row.id: to_type(row) for row in {type_row for _row, type_row in rows}}
    found = [
        _ticket(row, types[type_row.id], type_row.version, about.get(row.id, []), now=clock.now())
        for row, type_row in rows
    ]
    return [
        replace(each, requester_name="", requester_phone="", description="") if is_of_others(principal, row) else each
        for each, (row, _type) in zip(found, rows, strict=True)
    ]


async def _with_types(
    session: AsyncSession, clock: Clock, principal: Principal, rows: Sequence[TicketRow]
) -> list[Ticket]:
    types = await types_by_id(session, principal, {row.type_id for row in rows})
    return await read(session, clock, principal, [(row, types[row.type_id]) for row in rows])


def _ticket(
    row: TicketRow, ticket_type: TicketType, type_version: int, alarm_ids: Sequence[int], *, now: datetime
) -> Ticket:
    has_deadline = row.due_at < NO_DEADLINE
    return Ticket(
        id=row.id,
        number=row.number,
        type=ticket_type,
        type_version=type_version,
        kind=row.kind,
        state=row.state,
        consent=Consent(row.consent),
        priority=Priority(row.priority),
        subject=Words(zh=row.subject_zh, en=row.subject_en) if row.subject_zh or row.subject_en else None,
        description=row.description,
        community_id=row.community_id,
        place_id=row.place_id,
        unit_id=row.unit_id,
        place=row.place,
        requester_id=row.requester_id,
        requester_name=row.requester_name,
        requester_phone=row.requester_phone,
        origin=row.origin,
        payer=row.payer,
        alarm_ids=tuple(alarm_ids),
        opened_at=row.opened_at,
        due_at=row.due_at if has_deadline else None,
        is_late=row.state in UNDONE and has_deadline and now > row.due_at,
        assignee_id=row.assignee_id,
        assignee_name=row.assignee_name,
        waiting_for=row.waiting_for,
        emergency_reason=row.emergency_reason,
        escalated=row.escalated,
        merged_into_id=row.merged_into_id,
        incident_id=row.incident_id,
        closed_at=row.closed_at,
        result=row.result,
        reopened=row.reopened,
        reworked=row.reworked,
        version=row.version,
    )


def _listing(principal: Principal, now: datetime, *, only_undone: bool) -> Listing:
    seen = seen_tickets(principal)
    return Listing(
        select=seen.where(IS_UNDONE) if only_undone else seen,
        columns={
            "number": _TICKETS.number,
            "subject": func.coalesce(func.nullif(_TICKETS.subject_zh, ""), _TICKETS.subject_en),
            "place": _TICKETS.place,
            "kind": _TICKETS.kind,
            "type": _TYPE_CODE,
            "state": _TICKETS.state,
            "priority": _TICKETS.priority,
            "requester": _TICKETS.requester_name,
            "owner": _TICKETS.assignee_name,
            "incident": _TICKETS.incident_id,
            "owned": case((TicketRow.assignee_id.is_(None), 0), else_=1),
            "mine": case((TicketRow.assignee_id == principal.person_id, 1), else_=0),
            "late": case((IS_UNDONE & (_TICKETS.due_at < now), 1), else_=0),
            "opened": _TICKETS.opened_at,
            "due": _TICKETS.due_at,
        },
        key=_TICKETS.id,
        order=(_TICKETS.due_at,) if only_undone else (_TICKETS.opened_at.desc(),),
        search=TICKET_SEARCH,
    )

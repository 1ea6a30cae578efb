"""What people do with tickets: opening, giving, taking, working, and what they see of them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import Table, case, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import people
from cloud.alarms.domain import Priority
from cloud.core.clock import Clock
from cloud.core.errors import Conflict, NotFound, Refused
from cloud.core.listing import Ask, Found, Listing, containing, fetch
from cloud.core.principal import Principal, Role
from cloud.core.words import Words
from cloud.tickets.domain import DEEDS, UNDONE, Act, Deed, State, TicketType, acts_from, due_after, is_late, moved
from cloud.tickets.tables import (
    SEE_ALL,
    SUBJECT_LENGTH,
    TicketEntryRow,
    TicketRow,
    TicketTypeRow,
    in_sight,
    locked_ticket,
    next_number,
    visible_tickets,
)
from cloud.tickets.types import find_type, to_type
from firmware_configs.look.words import _

_TEXT_LENGTH = 4_000
_TICKETS = cast("Table", TicketRow.__table__).c
_TYPES = cast("Table", TicketTypeRow.__table__).c


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where the work is.

    Attributes:
        place: the names of the place and of what it lies in, from the widest to the narrowest.
    """

    community_id: int | None = None
    place_id: int | None = None
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A ticket as people see it.

    Attributes:
        subject: None when its alarm's cause says what is to be done.
        place: the names of its place at opening, from the widest to the narrowest.
        is_late: the deadline has passed and the work is not done.
    """

    id: int
    number: str
    type: TicketType
    state: State
    priority: Priority
    subject: Words | None
    description: str
    place_id: int | None
    place: str
    alarm_id: int | None
    opened_at: datetime
    due_at: datetime
    is_late: bool
    assignee_id: int | None
    assignee_name: str
    closed_at: datetime | None
    result: str
    reopened: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of a ticket's timeline; `actor` is empty when Gatehouse did it."""

    at: datetime
    deed: Deed
    actor: str
    text: str
    is_public: bool


async def open_ticket(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    *,
    type_code: str,
    subject: Words,
    location: Location,
    priority: Priority | None = None,
    description: str = "",
    alarm_id: int | None = None,
) -> int:
    """Open a ticket and return its id; the deadline runs from now, round the clock.

    Args:
        session: of the transaction.
        clock: the cloud's.
        principal: who opens it.
        type_code: which kind of work it is.
        subject: what is to be done.
        location: where.
        priority: None for the type's own.
        description: what else is known.
        alarm_id: the alarm that it is opened for; who asks makes sure that it has no other.

    Raises:
        NotFound: there is no such type.
        Refused: the subject is missing or too long.
    """
    principal.require(Role.DESK, Role.OPERATOR)
    if alarm_id is None:
        _check_subject(subject)
    _check_text(description, "description")
    type_row = await find_type(session, clock, principal, code=type_code)
    ticket_type, now = to_type(type_row), clock.now()
    chosen = priority or ticket_type.default_priority
    row = TicketRow(
        organisation_id=principal.organisation_id,
        community_id=location.community_id,
        place_id=location.place_id,
        number=await next_number(session, organisation_id=principal.organisation_id, year=now.year),
        type_id=type_row.id,
        state=State.OPEN,
        priority=int(chosen),
        subject_zh=subject.zh,
        subject_en=subject.en,
        description=description.strip(),
        place=location.place,
        alarm_id=alarm_id,
        opened_at=now,
        opened_by=principal.person_id,
        due_at=due_after(ticket_type, chosen, now),
    )
    session.add(row)
    await session.flush()
    await tell(session, clock, principal, row, Deed.OPENED, is_public=True)
    return row.id


async def assign(
    session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int, version: int, person_id: int
) -> None:
    """Give a ticket to somebody who does repairs.

    Raises:
        Conflict: it changed since `version` was read, or is past being given.
        Refused: the person does no repairs here, or not any more.
    """
    principal.require(Role.DESK, Role.OPERATOR)
    row = await _moving(session, principal, ticket_id=ticket_id, act=Act.ASSIGN, version=version)
    workers = {worker.id: worker for worker in await people.list_people(session, principal, role=Role.WORKER)}
    if person_id not in workers:
        raise Refused(_("Choose somebody who does repairs."), "person_id")
    row.assignee_id, row.assignee_name = person_id, workers[person_id].name
    await _moved(session, clock, principal, row, Act.ASSIGN, text=row.assignee_name)


async def take(session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int) -> None:
    """Take a ticket that nobody has: of two who try at once, one gets it.

    Raises:
        NotFound: it is not the principal's to see, as one that another worker has taken is not.
        Conflict: somebody was quicker.
    """
    principal.require(Role.WORKER)
    ours = (TicketRow.id == ticket_id) & (TicketRow.organisation_id == principal.organisation_id) & in_sight(principal)
    taken = await session.execute(
        update(TicketRow)
        .where(ours, TicketRow.state == State.OPEN, TicketRow.assignee_id.is_(None))
        .values(
            assignee_id=principal.person_id,
            assignee_name=principal.name,
            state=moved(State.OPEN, Act.TAKE),
            version=TicketRow.version + 1,
        )
        .execution_options(synchronize_session=False)
        .returning(TicketRow.id)
    )
    if taken.first() is None:
        if await session.scalar(select(TicketRow.id).where(ours)) is None:
            raise NotFound(_("There is no such ticket."))
        raise Conflict(_("Somebody was quicker: this ticket is no longer free."))
    row = await _locked(session, principal, ticket_id=ticket_id)
    await tell(session, clock, principal, row, Deed.TAKEN, text=principal.name)


async def release(session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int, version: int) -> None:
    """Give a ticket back, so that anybody may take it."""
    row = await _working(session, principal, ticket_id=ticket_id, act=Act.RELEASE, version=version)
    row.assignee_id, row.assignee_name = None, ""
    await _moved(session, clock, principal, row, Act.RELEASE)


async def start(session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int, version: int) -> None:
    """Begin the work."""
    row = await _working(session, principal, ticket_id=ticket_id, act=Act.START, version=version)
    await _moved(session, clock, principal, row, Act.START)


async def resolve(
    session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int, version: int, result: str
) -> None:
    """Finish the work and say what was done.

    Raises:
        Refused: nothing is said.
    """
    row = await _working(session, principal, ticket_id=ticket_id, act=Act.RESOLVE, version=version)
    row.result, row.closed_at = _required(result, "result", _("Say what was done.")), clock.now()
    await _moved(session, clock, principal, row, Act.RESOLVE, text=row.result)


async def reopen(
    session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int, version: int, reason: str
) -> None:
    """Take a ticket up again: to whoever resolved it, or free for anybody if it had been cancelled."""
    row = await _working(session, principal, ticket_id=ticket_id, act=Act.REOPEN, version=version)
    text = _required(reason, "reason", _("Say why it is taken up again."))
    row.closed_at, row.result, row.reopened = None, "", row.reopened + 1
    await _moved(session, clock, principal, row, Act.REOPEN, text=text)


async def cancel(
    session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int, version: int, reason: str
) -> None:
    """End a ticket that was none, or that is no longer wanted.

    Raises:
        Refused: no reason is given.
    """
    principal.require(Role.DESK, Role.OPERATOR)
    row = await _moving(session, principal, ticket_id=ticket_id, act=Act.CANCEL, version=version)
    row.result, row.closed_at = _required(reason, "reason", _("Say why it is cancelled.")), clock.now()
    row.assignee_id, row.assignee_name = None, ""
    await _moved(session, clock, principal, row, Act.CANCEL, text=row.result)


async def note(
    session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int, text: str, is_public: bool
) -> None:
    """Write into a ticket's timeline.

    Raises:
        Refused: nothing is written.
    """
    row = await _locked(session, principal, ticket_id=ticket_id)
    written = _required(text, "text", _("Write something first."))
    await tell(session, clock, principal, row, Deed.NOTED, text=written, is_public=is_public)


async def ticket(session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int) -> Ticket:
    """Return one ticket.

    Raises:
        NotFound: there is none that the principal may see.
    """
    row = (await session.execute(visible_tickets(principal).where(TicketRow.id == ticket_id))).first()
    if row is None:
        raise NotFound(_("There is no such ticket."))
    return to_ticket(row[0], row[1], now=clock.now())


async def tickets_of_alarms(
    session: AsyncSession, clock: Clock, principal: Principal, *, alarm_ids: Collection[int]
) -> dict[int, Ticket]:
    """Return the tickets that the principal may see, by the alarm that each was opened for."""
    rows = await session.execute(visible_tickets(principal).where(TicketRow.alarm_id.in_(alarm_ids)))
    return {row.alarm_id: to_ticket(row, type_row, now=clock.now()) for row, type_row in rows}


async def timeline(
    session: AsyncSession, principal: Principal, *, ticket_ids: Collection[int]
) -> dict[int, list[Entry]]:
    """Return the timelines of tickets that the principal has seen, the newest line first."""
    rows = await session.scalars(
        select(TicketEntryRow)
        .where(TicketEntryRow.organisation_id == principal.organisation_id, TicketEntryRow.ticket_id.in_(ticket_ids))
        .order_by(TicketEntryRow.id.desc())
    )
    lines: dict[int, list[Entry]] = {ticket_id: [] for ticket_id in ticket_ids}
    for row in rows:
        lines[row.ticket_id].append(
            Entry(at=row.at, deed=row.deed, actor=row.actor, text=row.text, is_public=row.is_public)
        )
    return lines


async def list_tickets(
    session: AsyncSession, clock: Clock, principal: Principal, ask: Ask, *, only_undone: bool
) -> Found[Ticket]:
    """Return the tickets that the principal may see: the undone by their deadline, or all, the newest first."""
    found = await fetch(session, _listing(principal, clock.now(), only_undone=only_undone), ask)
    return Found(
        rows=[to_ticket(row.TicketRow, row.TicketTypeRow, now=clock.now()) for row in found.rows], total=found.total
    )


async def count_waiting(session: AsyncSession, principal: Principal) -> int:
    """Return how many tickets wait for the principal: one's own for a worker, else those that nobody has."""
    # any organisation: visible_tickets leaves only the principal's
    seen = visible_tickets(principal).where(TicketRow.state.in_(sorted(UNDONE)))
    if principal.roles & SEE_ALL:
        seen = seen.where(TicketRow.assignee_id.is_(None))
    return await session.scalar(select(func.count()).select_from(seen.with_only_columns(TicketRow.id).subquery())) or 0


async def tell(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    row: TicketRow,
    deed: Deed,
    *,
    text: str = "",
    is_public: bool = True,
) -> None:
    """Write a line into a ticket's timeline."""
    session.add(
        TicketEntryRow(
            organisation_id=row.organisation_id,
            ticket_id=row.id,
            at=clock.now(),
            person_id=principal.person_id,
            actor=principal.name if principal.person_id is not None else "",
            deed=deed,
            text=text,
            is_public=is_public,
        )
    )
    await session.flush()


def acts_for(principal: Principal, seen: Ticket) -> frozenset[Act]:
    """Return what the principal may do with a ticket now."""
    possible = acts_from(seen.state)
    if principal.roles & SEE_ALL:
        return possible if Role.WORKER in principal.roles else possible - {Act.TAKE}
    mine = {Act.RELEASE, Act.START, Act.RESOLVE, Act.REOPEN} if seen.assignee_id == principal.person_id else {Act.TAKE}
    return possible & mine


def to_ticket(row: TicketRow, type_row: TicketTypeRow, *, now: datetime) -> Ticket:
    """Return the ticket that its rows hold."""
    return Ticket(
        id=row.id,
        number=row.number,
        type=to_type(type_row),
        state=row.state,
        priority=Priority(row.priority),
        subject=Words(zh=row.subject_zh, en=row.subject_en) if row.subject_zh or row.subject_en else None,
        description=row.description,
        place_id=row.place_id,
        place=row.place,
        alarm_id=row.alarm_id,
        opened_at=row.opened_at,
        due_at=row.due_at,
        is_late=is_late(row.state, due_at=row.due_at, now=now),
        assignee_id=row.assignee_id,
        assignee_name=row.assignee_name,
        closed_at=row.closed_at,
        result=row.result,
        reopened=row.reopened,
        version=row.version,
    )


def _listing(principal: Principal, now: datetime, *, only_undone: bool) -> Listing:
    seen = visible_tickets(principal)
    undone = TicketRow.state.in_(sorted(UNDONE))
    return Listing(
        select=seen.where(undone) if only_undone else seen,
        columns={
            "number": _TICKETS.number,
            "subject": func.coalesce(func.nullif(_TICKETS.subject_zh, ""), _TICKETS.subject_en),
            "place": _TICKETS.place,
            "type": _TYPES.code,
            "state": _TICKETS.state,
            "priority": _TICKETS.priority,
            "owner": _TICKETS.assignee_name,
            "owned": case((TicketRow.assignee_id.is_(None), 0), else_=1),
            "mine": case((TicketRow.assignee_id == principal.person_id, 1), else_=0),
            "late": case((undone & (_TICKETS.due_at < now), 1), else_=0),
            "opened": _TICKETS.opened_at,
            "due": _TICKETS.due_at,
        },
        key=_TICKETS.id,
        order=(_TICKETS.due_at,) if only_undone else (_TICKETS.opened_at.desc(),),
        search=containing(
            _TICKETS.number, _TICKETS.subject_zh, _TICKETS.subject_en, _TICKETS.place, _TICKETS.assignee_name
        ),
    )


async def _locked(session: AsyncSession, principal: Principal, *, ticket_id: int) -> TicketRow:
    found = await locked_ticket(session, principal, ticket_id=ticket_id)
    if found is None:
        raise NotFound(_("There is no such ticket."))
    return found[0]


async def _moving(session: AsyncSession, principal: Principal, *, ticket_id: int, act: Act, version: int) -> TicketRow:
    row = await _locked(session, principal, ticket_id=ticket_id)
    if row.version != version:
        raise Conflict(_("Somebody else has changed this ticket meanwhile. Look at it again before you go on."))
    moved(row.state, act)
    return row


async def _working(session: AsyncSession, principal: Principal, *, ticket_id: int, act: Act, version: int) -> TicketRow:
    """Return the ticket for an act of whoever has it; front desk and control room may do it for them."""
    row = await _moving(session, principal, ticket_id=ticket_id, act=act, version=version)
    if row.assignee_id != principal.person_id or row.assignee_id is None:
        principal.require(Role.DESK, Role.OPERATOR)
    return row


async def _moved(
    session: AsyncSession, clock: Clock, principal: Principal, row: TicketRow, act: Act, *, text: str = ""
) -> None:
    row.state = moved(row.state, act)
    row.version += 1
    await tell(session, clock, principal, row, DEEDS[act], text=text, is_public=True)


def _required(text: str, field: str, sentence: str) -> str:
    if not text.strip():
        raise Refused(sentence, field)
    _check_text(text, field)
    return text.strip()


def _check_text(text: str, field: str) -> None:
    if len(text) > _TEXT_LENGTH:
        raise Refused(_("Too long: at most %(length)d characters."), field, length=_TEXT_LENGTH)


def _check_subject(subject: Words) -> None:
    if not (subject.zh or subject.en):
        raise Refused(_("Say what is to be done."), "subject")
    if max(len(subject.zh), len(subject.en)) > SUBJECT_LENGTH:
        raise Refused(_("Too long: at most %(length)d characters."), "subject", length=SUBJECT_LENGTH)

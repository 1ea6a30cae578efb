"""The rows of tickets, and how they are found."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    Select,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
    bindparam,
    or_,
    select,
    true,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column

from cloud.core.append_only import append_only
from cloud.core.database import Base, Json, hold
from cloud.core.principal import Principal, Role
from cloud.core.search import search_index
from cloud.tickets.domain import OF_THE_UNIT, UNDONE, Deed, How, Kind, Origin, Outcome, Payer, State

SUBJECT_LENGTH = 200
PLACE_LENGTH = 400
NAME_LENGTH = 80
CODE_LENGTH = 40
PHONE_LENGTH = 20
NO_DEADLINE = datetime(9999, 1, 1, tzinfo=UTC)
"""Stands for "no deadline runs": a real value, so that lists by deadline end with such tickets on both databases."""

SEE_ALL = frozenset({Role.ADMINISTRATOR, Role.OPERATOR, Role.DESK, Role.MANAGER})
"""Who sees every ticket; a worker sees their own and those that nobody has, an owner what `seen_tickets` says."""


class TicketTypeRow(Base):
    """A version of a type; see domain.TicketType. Tickets keep the version that they were opened with.

    Attributes:
        procedure: steps in their order, each with `code`, `zh` and `en`.
        targets: minutes by target's name, by priority, whose number is the key.
        replaced_at: when a newer version took its place, or it was retired; None for the one in force.
    """

    __tablename__ = "ticket_types"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    code: Mapped[str] = mapped_column(String(CODE_LENGTH))
    parent_code: Mapped[str | None] = mapped_column(String(CODE_LENGTH))
    kind: Mapped[Kind]
    version: Mapped[int]
    name_zh: Mapped[str] = mapped_column(String(NAME_LENGTH))
    name_en: Mapped[str] = mapped_column(String(NAME_LENGTH))
    default_priority: Mapped[int]
    procedure: Mapped[list[dict[str, str]]] = mapped_column(Json)
    targets: Mapped[dict[str, dict[str, int]]] = mapped_column(Json)
    calendar: Mapped[str] = mapped_column(String(CODE_LENGTH))
    skills: Mapped[list[str]] = mapped_column(Json)
    payer: Mapped[Payer]
    keywords: Mapped[list[str]] = mapped_column(Json)
    is_emergency: Mapped[bool]
    needs_plan: Mapped[bool]
    rework_days: Mapped[int]
    created_at: Mapped[datetime]
    replaced_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("organisation_id", "code", "version"),)


class TicketNumberRow(Base):
    """The last number that an organisation gave a ticket in a year (UTC)."""

    __tablename__ = "ticket_numbers"

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), primary_key=True, autoincrement=False)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]


class TicketRow(Base):
    """Work that somebody must do.

    Attributes:
        number: `2026-000123`, counted per organisation and year.
        kind: its type's, so that lists need not ask the type.
        subject_zh, subject_en: what is to be done; both empty when its alarm's cause says it.
        place: the place's names at opening, from the widest to the narrowest.
        requester_id: whoever asked, when known as a person; name and phone are as they were said.
        due_at: when it must be solved; NO_DEADLINE while no deadline runs.
        assignee_name: as it was when it was assigned.
        waited_in: the state that it goes back to when it has waited, `waiting_for` what it waits for.
        emergency_reason: why work began before anybody agreed to it; cleared when it is taken up again.
        escalated: the highest step of the ladder that was told, in percent of the target; 0 for none.
        result: what was done, once it is resolved; or why it was cancelled.
        resolved_by: the person who said that it is done; None when nobody did.
        reworked: how often the same alarm came back after it was resolved; `reopened` counts every new beginning.
        version: grows with every change, so that two people do not overwrite each other.
    """

    __tablename__ = "tickets"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    community_id: Mapped[int | None] = mapped_column(ForeignKey("communities.id"))
    place_id: Mapped[int | None] = mapped_column(ForeignKey("places.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"), index=True)
    number: Mapped[str] = mapped_column(String(11))
    type_id: Mapped[int] = mapped_column(ForeignKey("ticket_types.id"))
    kind: Mapped[Kind]
    state: Mapped[State]
    priority: Mapped[int]
    subject_zh: Mapped[str] = mapped_column(String(SUBJECT_LENGTH))
    subject_en: Mapped[str] = mapped_column(String(SUBJECT_LENGTH))
    description: Mapped[str] = mapped_column(Text, default="")
    place: Mapped[str] = mapped_column(String(PLACE_LENGTH))
    requester_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"), index=True)
    requester_name: Mapped[str] = mapped_column(String(NAME_LENGTH), default="")
    requester_phone: Mapped[str] = mapped_column(String(PHONE_LENGTH), default="")
    origin: Mapped[Origin]
    payer: Mapped[Payer]
    consent: Mapped[int]
    opened_at: Mapped[datetime]
    opened_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    due_at: Mapped[datetime]
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    assignee_name: Mapped[str] = mapped_column(String(NAME_LENGTH), default="")
    waited_in: Mapped[State | None]
    waiting_for: Mapped[str] = mapped_column(Text, default="")
    emergency_reason: Mapped[str] = mapped_column(Text, default="")
    escalated: Mapped[int] = mapped_column(default=0)
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("tickets.id"))
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incidents.id"))
    closed_at: Mapped[datetime | None]
    result: Mapped[str] = mapped_column(Text, default="")
    resolved_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    reopened: Mapped[int] = mapped_column(default=0)
    reworked: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)

    # They begin with the organisation, as every query does: SQLite, which knows no statistics, takes the index
    # that answers most of a query's terms, and takes none for another one that would leave a million tickets.
    __table_args__ = (
        UniqueConstraint("organisation_id", "number"),
        Index("ix_tickets_opened", "organisation_id", "opened_at"),
        # The card of a caller shows theirs and their flat's, the newest first.
        Index("ix_tickets_requester", "organisation_id", "requester_id", "opened_at"),
        Index("ix_tickets_unit", "organisation_id", "unit_id", "opened_at"),
        Index("ix_tickets_merged", "organisation_id", "merged_into_id"),
        Index("ix_tickets_incident", "organisation_id", "incident_id"),
    )


TICKET_SEARCH = search_index(
    cast("Table", TicketRow.__table__), "number", "subject_zh", "subject_en", "place", "assignee_name"
)
IS_UNDONE = TicketRow.state.in_(bindparam("undone", sorted(UNDONE), expanding=True, literal_execute=True))
"""Written out, not bound: SQLite takes a partial index only for the very words that it was made with."""


def _of_undone(name: str, *columns: InstrumentedAttribute[Any]) -> None:
    Index(name, *columns, sqlite_where=IS_UNDONE, postgresql_where=IS_UNDONE)


# The list by deadline and its count, which reads the index alone since the state stands in it; the board; who is busy.
_of_undone("ix_tickets_undone", TicketRow.organisation_id, TicketRow.due_at, TicketRow.state)
_of_undone("ix_tickets_board", TicketRow.organisation_id, TicketRow.state, TicketRow.due_at)
_of_undone("ix_tickets_assignee", TicketRow.assignee_id)


class TicketEntryRow(Base):
    """A line of a ticket's timeline; append only.

    Attributes:
        person_id: None when Gatehouse did it; `actor` is the person's name at the time.
        at: when it happened.
        told_at: when a telephone that had had no network told of it; None for what was told at once.
        text: what was written, or to whom it was given.
        is_public: whether whoever reported it may read it too.
    """

    __tablename__ = "ticket_entries"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), index=True)
    at: Mapped[datetime]
    told_at: Mapped[datetime | None]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    actor: Mapped[str] = mapped_column(String(NAME_LENGTH))
    deed: Mapped[Deed]
    text: Mapped[str] = mapped_column(Text)
    is_public: Mapped[bool]


append_only(cast("Table", TicketEntryRow.__table__))


class TicketAlarmRow(Base):
    """That a ticket is about an alarm: an alarm has at most one ticket, a ticket may have several alarms.

    Attributes:
        rule_id, point_id: the alarm's, by which its return is known; None for what Gatehouse raised itself.
        is_rework: it came back after the ticket was resolved.
    """

    __tablename__ = "ticket_alarms"

    alarm_id: Mapped[int] = mapped_column(ForeignKey("alarms.id"), primary_key=True, autoincrement=False)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), index=True)
    rule_id: Mapped[int | None]
    point_id: Mapped[int | None]
    is_rework: Mapped[bool]

    __table_args__ = (Index("ix_ticket_alarms_rule", "rule_id", "point_id"),)


class TicketStepRow(Base):
    """That a step of a ticket's procedure is done, and by whom."""

    __tablename__ = "ticket_steps"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(String(CODE_LENGTH), primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    at: Mapped[datetime]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    actor: Mapped[str] = mapped_column(String(NAME_LENGTH))


class ContactRow(Base):
    """That whoever asked was spoken to, or was tried to be; append only.

    Attributes:
        text: what was learnt, for those who work here.
        next_step: how it goes on, as the person was told.
    """

    __tablename__ = "ticket_contacts"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), index=True)
    at: Mapped[datetime]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    actor: Mapped[str] = mapped_column(String(NAME_LENGTH))
    how: Mapped[How]
    outcome: Mapped[Outcome]
    text: Mapped[str] = mapped_column(Text)
    next_step: Mapped[str] = mapped_column(Text)


append_only(cast("Table", ContactRow.__table__))


class IncidentRow(Base):
    """One cause of many tickets.

    Attributes:
        type_id: the version of the type whose targets its own clock follows.
        script: what the desk says to whoever calls about it.
        notice: the one line that everybody concerned may read.
        next_at: when its clock has something to say; None when there is nothing more.
        breached_at: when its deadline passed before it was over; it stays, whatever comes after.
    """

    __tablename__ = "incidents"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    community_id: Mapped[int | None] = mapped_column(ForeignKey("communities.id"))
    type_id: Mapped[int] = mapped_column(ForeignKey("ticket_types.id"))
    priority: Mapped[int]
    title: Mapped[str] = mapped_column(String(SUBJECT_LENGTH))
    script: Mapped[str] = mapped_column(Text)
    notice: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime]
    opened_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    due_at: Mapped[datetime]
    next_at: Mapped[datetime | None] = mapped_column(index=True)
    breached_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    result: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (Index("ix_incidents_opened", "organisation_id", "opened_at"),)


class IncidentPlaceRow(Base):
    """A building, place or unit that an incident concerns; `label` is what it was called when it was named."""

    __tablename__ = "incident_places"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"), index=True)
    building_id: Mapped[int | None] = mapped_column(ForeignKey("buildings.id"))
    place_id: Mapped[int | None] = mapped_column(ForeignKey("places.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    label: Mapped[str] = mapped_column(String(PLACE_LENGTH))


def in_sight(principal: Principal) -> ColumnElement[bool]:
    """Return the condition that leaves the tickets of the communities that the principal is limited to."""
    return true() if principal.communities is None else TicketRow.community_id.in_(principal.communities)


def visible_tickets(principal: Principal) -> Select[Any]:
    """Return the tickets that the principal may see, with their types."""
    return seen_tickets(principal).add_columns(TicketTypeRow).join(TicketTypeRow, TicketTypeRow.id == TicketRow.type_id)


def seen_tickets(principal: Principal) -> Select[Any]:
    """Return the tickets that the principal may see, alone: what is long is read and counted without their types.

    An owner sees what they asked for, and the work on their units since they moved in, whoever asked for it. Who asked
    and what they said is for that household alone, which could have asked itself: `discretion` leaves it out elsewhere.
    """
    ours = select(TicketRow).where(TicketRow.organisation_id == principal.organisation_id, in_sight(principal))
    seen = cast("Select[Any]", ours)
    if principal.roles & SEE_ALL:
        return seen
    if Role.OWNER in principal.roles and not principal.is_staff:
        is_work = TicketRow.kind.in_(sorted(OF_THE_UNIT))
        theirs = (
            and_(TicketRow.unit_id == unit, TicketRow.opened_at >= since, is_work) for unit, since in principal.moved_in
        )
        return seen.where(or_(TicketRow.requester_id == principal.person_id, *theirs))
    is_theirs = TicketRow.assignee_id == principal.person_id
    if Role.WORKER not in principal.roles:
        return seen.where(is_theirs)  # what nobody has is offered to those who could take it, and to nobody else
    is_free = and_(TicketRow.state == State.OPEN, TicketRow.assignee_id.is_(None))
    return seen.where(or_(is_theirs, is_free))


async def locked_ticket(
    session: AsyncSession, principal: Principal, *, ticket_id: int
) -> tuple[TicketRow, TicketTypeRow] | None:
    """Return a ticket that the principal may see, which nobody else changes meanwhile."""
    rows = await session.execute(
        visible_tickets(principal)
        .where(TicketRow.id == ticket_id)
        .with_for_update(of=TicketRow)
        .execution_options(populate_existing=True)
    )
    found = rows.first()
    return None if found is None else (found[0], found[1])


async def type_in_force(session: AsyncSession, *, organisation_id: int, code: str) -> TicketTypeRow | None:
    """Return the newest version of a type."""
    return await session.scalar(
        select(TicketTypeRow).where(
            TicketTypeRow.organisation_id == organisation_id,
            TicketTypeRow.code == code,
            TicketTypeRow.replaced_at.is_(None),
        )
    )


async def types_in_force(session: AsyncSession, *, organisation_id: int) -> Sequence[TicketTypeRow]:
    """Return the newest version of every type, in the order in which they were made."""
    found = await session.scalars(
        select(TicketTypeRow)
        .where(TicketTypeRow.organisation_id == organisation_id, TicketTypeRow.replaced_at.is_(None))
        .order_by(TicketTypeRow.id)
    )
    return found.all()


async def types_by_id(
    session: AsyncSession, principal: Principal, type_ids: Collection[int]
) -> dict[int, TicketTypeRow]:
    """Return versions of types by their ids."""
    found = await session.scalars(
        select(TicketTypeRow).where(
            TicketTypeRow.organisation_id == principal.organisation_id, TicketTypeRow.id.in_(type_ids)
        )
    )
    return {row.id: row for row in found}


async def ticket_of_alarm(session: AsyncSession, *, organisation_id: int, alarm_id: int) -> TicketRow | None:
    """Return the alarm's ticket, locked; from here to its end the transaction holds the alarm's right to one."""
    await hold(session, f"ticket of alarm {alarm_id}")
    return await session.scalar(
        select(TicketRow)
        .join(TicketAlarmRow, TicketAlarmRow.ticket_id == TicketRow.id)
        .where(TicketRow.organisation_id == organisation_id, TicketAlarmRow.alarm_id == alarm_id)
        .with_for_update(of=TicketRow)
        .execution_options(populate_existing=True)
    )


async def alarms_of(session: AsyncSession, principal: Principal, ticket_ids: Collection[int]) -> dict[int, list[int]]:
    """Return the ids of tickets' alarms by the ticket, those first that came first."""
    if not ticket_ids:
        return {}
    rows = await session.execute(
        select(TicketAlarmRow.ticket_id, TicketAlarmRow.alarm_id)
        .where(TicketAlarmRow.organisation_id == principal.organisation_id, TicketAlarmRow.ticket_id.in_(ticket_ids))
        .order_by(TicketAlarmRow.alarm_id)
    )
    found: dict[int, list[int]] = {}
    for ticket_id, alarm_id in rows:
        found.setdefault(ticket_id, []).append(alarm_id)
    return found


async def next_number(session: AsyncSession, *, organisation_id: int, year: int) -> str:
    """Return the organisation's next ticket number of the year; numbers of undone transactions are given again."""
    await hold(session, f"ticket numbers {organisation_id}")
    row = await session.scalar(
        select(TicketNumberRow)
        .where(TicketNumberRow.organisation_id == organisation_id, TicketNumberRow.year == year)
        .execution_options(populate_existing=True)
    )
    if row is None:
        row = TicketNumberRow(organisation_id=organisation_id, year=year, last=0)
        session.add(row)
    row.last += 1
    await session.flush()
    return f"{year}-{row.last:06d}"

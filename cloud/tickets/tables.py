"""The rows of tickets, and how they are found."""

from collections.abc import Sequence
from datetime import datetime
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
    or_,
    select,
    true,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from cloud.core.append_only import append_only
from cloud.core.database import Base, Json, hold
from cloud.core.principal import Principal, Role
from cloud.tickets.domain import UNDONE, Deed, State

SUBJECT_LENGTH = 200
PLACE_LENGTH = 400
NAME_LENGTH = 80
SEE_ALL = frozenset({Role.ADMINISTRATOR, Role.OPERATOR, Role.DESK})
"""Who sees every ticket; a worker sees their own and those that nobody has."""


class TicketTypeRow(Base):
    """A version of a type; see domain.TicketType. Tickets keep the version that they were opened with.

    Attributes:
        deadlines: minutes by priority, whose number is the key.
        replaced_at: when a newer version took its place; None for the one in force.
    """

    __tablename__ = "ticket_types"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    code: Mapped[str] = mapped_column(String(40))
    version: Mapped[int]
    name_zh: Mapped[str] = mapped_column(String(NAME_LENGTH))
    name_en: Mapped[str] = mapped_column(String(NAME_LENGTH))
    default_priority: Mapped[int]
    deadlines: Mapped[dict[str, int]] = mapped_column(Json)
    procedure_zh: Mapped[str] = mapped_column(Text)
    procedure_en: Mapped[str] = mapped_column(Text)
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
        subject_zh, subject_en: what is to be done; both empty when its alarm's cause says it.
        place: the place's names at opening, from the widest to the narrowest.
        alarm_id: the alarm that opened it; an alarm has one ticket.
        assignee_name: as it was when it was assigned.
        result: what was done, once it is resolved; or why it was cancelled.
        version: grows with every change, so that two people do not overwrite each other.
    """

    __tablename__ = "tickets"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    community_id: Mapped[int | None] = mapped_column(ForeignKey("communities.id"))
    place_id: Mapped[int | None] = mapped_column(ForeignKey("places.id"))
    number: Mapped[str] = mapped_column(String(11))
    type_id: Mapped[int] = mapped_column(ForeignKey("ticket_types.id"))
    state: Mapped[State]
    priority: Mapped[int]
    subject_zh: Mapped[str] = mapped_column(String(SUBJECT_LENGTH))
    subject_en: Mapped[str] = mapped_column(String(SUBJECT_LENGTH))
    description: Mapped[str] = mapped_column(Text, default="")
    place: Mapped[str] = mapped_column(String(PLACE_LENGTH))
    alarm_id: Mapped[int | None] = mapped_column(ForeignKey("alarms.id"), unique=True)
    opened_at: Mapped[datetime]
    opened_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    due_at: Mapped[datetime]
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    assignee_name: Mapped[str] = mapped_column(String(NAME_LENGTH), default="")
    closed_at: Mapped[datetime | None]
    result: Mapped[str] = mapped_column(Text, default="")
    reopened: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        UniqueConstraint("organisation_id", "number"),
        Index("ix_tickets_opened", "organisation_id", "opened_at"),
    )


_UNDONE = TicketRow.state.in_(sorted(UNDONE))
Index("ix_tickets_undone", TicketRow.organisation_id, TicketRow.due_at, sqlite_where=_UNDONE, postgresql_where=_UNDONE)
Index("ix_tickets_assignee", TicketRow.assignee_id, sqlite_where=_UNDONE, postgresql_where=_UNDONE)


class TicketEntryRow(Base):
    """A line of a ticket's timeline; append only.

    Attributes:
        person_id: None when Gatehouse did it; `actor` is the person's name at the time.
        text: what was written, or to whom it was given.
        is_public: whether whoever reported it may read it too.
    """

    __tablename__ = "ticket_entries"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), index=True)
    at: Mapped[datetime]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    actor: Mapped[str] = mapped_column(String(NAME_LENGTH))
    deed: Mapped[Deed]
    text: Mapped[str] = mapped_column(Text)
    is_public: Mapped[bool]


append_only(cast("Table", TicketEntryRow.__table__))


def in_sight(principal: Principal) -> ColumnElement[bool]:
    """Return the condition that leaves the tickets of the communities that the principal is limited to."""
    return true() if principal.communities is None else TicketRow.community_id.in_(principal.communities)


def visible_tickets(principal: Principal) -> Select[Any]:
    """Return the tickets that the principal may see, with their types."""
    pairs = (
        select(TicketRow, TicketTypeRow)
        .join(TicketTypeRow, TicketTypeRow.id == TicketRow.type_id)
        .where(TicketRow.organisation_id == principal.organisation_id, in_sight(principal))
    )
    seen = cast("Select[Any]", pairs)
    if principal.roles & SEE_ALL:
        return seen
    is_free = and_(TicketRow.state == State.OPEN, TicketRow.assignee_id.is_(None))
    return seen.where(or_(TicketRow.assignee_id == principal.person_id, is_free))


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


async def ticket_of_alarm(session: AsyncSession, *, organisation_id: int, alarm_id: int) -> TicketRow | None:
    """Return the alarm's ticket; from here to its end the transaction holds the alarm's right to one."""
    await hold(session, f"ticket of alarm {alarm_id}")
    return await session.scalar(
        select(TicketRow).where(TicketRow.organisation_id == organisation_id, TicketRow.alarm_id == alarm_id)
    )


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

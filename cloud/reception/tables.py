"""The rows of the front desk: interactions, promises, hints and the queue, and who may see them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TypeVar, cast

from sqlalchemy import (
    ColumnElement,
    Date,
    ForeignKey,
    Index,
    Select,
    String,
    Table,
    Text,
    UniqueConstraint,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from cloud.core.database import Base
from cloud.core.principal import Principal
from cloud.reception.domain import (
    LABEL_LENGTH,
    NAME_LENGTH,
    CallbackState,
    Channel,
    Ending,
    Subject,
    VisitorState,
)

PHONE_LENGTH = 40
KEY_LENGTH = 80


class InteractionRow(Base):
    """One line of what came in. No use case changes a line: what was wrong is put right by another one.

    Attributes:
        community_id: None when nothing said where it was about.
        place: what its unit or place was called at the time.
        duration_s: None when nobody knows.
        price_id: the fee that was quoted.
        corrects_id: the line that this one puts right.
        callback_id: the promise that was kept or moved by it.
        incident_id: the incident that explained it.
        taken_by: who wrote it down; None when somebody reported it by themselves.
        key: see domain.Entry.
    """

    __tablename__ = "interactions"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    community_id: Mapped[int | None] = mapped_column(ForeignKey("communities.id"))
    channel: Mapped[Channel]
    subject: Mapped[Subject]
    ending: Mapped[Ending]
    begun_at: Mapped[datetime]
    written_at: Mapped[datetime]
    duration_s: Mapped[int | None]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    phone: Mapped[str] = mapped_column(String(PHONE_LENGTH))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    place_id: Mapped[int | None] = mapped_column(ForeignKey("places.id"))
    place: Mapped[str] = mapped_column(String(LABEL_LENGTH))
    text: Mapped[str] = mapped_column(Text)
    answer: Mapped[str] = mapped_column(Text)
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("tickets.id"), index=True)
    price_id: Mapped[int | None] = mapped_column(ForeignKey("service_prices.id"))
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("interactions.id"), index=True)
    callback_id: Mapped[int | None] = mapped_column(ForeignKey("callbacks.id"), index=True)
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incidents.id"), index=True)
    taken_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    taken_name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    key: Mapped[str] = mapped_column(String(KEY_LENGTH))

    __table_args__ = (
        UniqueConstraint("organisation_id", "key"),
        Index("ix_interactions_begun", "organisation_id", "begun_at"),
        Index("ix_interactions_person", "person_id", "begun_at"),
        Index("ix_interactions_unit", "unit_id", "begun_at"),
    )


class CallbackRow(Base):
    """A call back that was promised.

    Attributes:
        tries: calls at which nobody was reached.
        told_at: when the desk was told that it is due; None while it has not been for this time.
    """

    __tablename__ = "callbacks"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    community_id: Mapped[int | None] = mapped_column(ForeignKey("communities.id"))
    state: Mapped[CallbackState]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"), index=True)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    phone: Mapped[str] = mapped_column(String(PHONE_LENGTH))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    place_id: Mapped[int | None] = mapped_column(ForeignKey("places.id"))
    place: Mapped[str] = mapped_column(String(LABEL_LENGTH))
    subject: Mapped[Subject]
    text: Mapped[str] = mapped_column(Text)
    due_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    told_at: Mapped[datetime | None]
    promised_at: Mapped[datetime]
    taken_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    taken_name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    closed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        Index("ix_callbacks_due", "state", "told_at", "due_at"),
        Index("ix_callbacks_open", "organisation_id", "state", "due_at"),
    )


class HintRow(Base):
    """What whoever answers for a unit or a place should know, until a day.

    Attributes:
        until: the last day on which it is shown.
        removed_at: when somebody took it off before.
    """

    __tablename__ = "desk_hints"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    community_id: Mapped[int | None] = mapped_column(ForeignKey("communities.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"), index=True)
    place_id: Mapped[int | None] = mapped_column(ForeignKey("places.id"), index=True)
    text: Mapped[str] = mapped_column(String(500))
    until: Mapped[date] = mapped_column(Date)
    written_at: Mapped[datetime]
    written_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    author: Mapped[str] = mapped_column(String(NAME_LENGTH))
    removed_at: Mapped[datetime | None]


class VisitorRow(Base):
    """Somebody who took a number at a counter.

    Attributes:
        community_id: whose counter it is.
        day: the local date; numbers begin anew every day.
    """

    __tablename__ = "visitors"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    day: Mapped[date] = mapped_column(Date)
    number: Mapped[int]
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    text: Mapped[str] = mapped_column(String(200))
    state: Mapped[VisitorState]
    taken_at: Mapped[datetime]
    called_at: Mapped[datetime | None]
    called_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    called_name: Mapped[str] = mapped_column(String(NAME_LENGTH), default="")
    ended_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("community_id", "day", "number"),)


_TAKEN_BY: Mapping[type[Base], ColumnElement[int | None]] = {
    InteractionRow: cast("Table", InteractionRow.__table__).c.taken_by,
    CallbackRow: cast("Table", CallbackRow.__table__).c.taken_by,
}

Kept = TypeVar("Kept", InteractionRow, CallbackRow, HintRow, VisitorRow)


def seen(principal: Principal, kind: type[Kept]) -> Select[Kept]:
    """Return the rows of a kind that the principal may see: those of their communities, and what they took down.

    What is of no community may be of any: who is limited to some sees of it only their own.
    """
    found = select(kind).where(kind.organisation_id == principal.organisation_id)
    if principal.communities is None:
        return found
    of_theirs = kind.community_id.in_(principal.communities)
    taken_by = _TAKEN_BY.get(kind)
    if taken_by is None:
        return found.where(of_theirs)
    return found.where(or_(of_theirs, kind.community_id.is_(None) & (taken_by == principal.person_id)))


async def locked(session: AsyncSession, principal: Principal, kind: type[Kept], row_id: int) -> Kept | None:
    """Return one of the rows that the principal may see, which nobody else changes meanwhile."""
    chosen = seen(principal, kind).where(kind.id == row_id).with_for_update()
    return await session.scalar(chosen.execution_options(populate_existing=True))


async def by_key(session: AsyncSession, principal: Principal, key: str) -> InteractionRow | None:
    """Return the line that was written down under a key."""
    found = select(InteractionRow).where(
        InteractionRow.organisation_id == principal.organisation_id, InteractionRow.key == key
    )
    return await session.scalar(found)


async def due_callbacks(session: AsyncSession, now: datetime, *, limit: int) -> Sequence[CallbackRow]:
    """Return promises that are due and of which nobody was told, the oldest first, locked."""
    # any organisation: a job looks for what is due
    found = (
        select(CallbackRow)
        .where(CallbackRow.state == CallbackState.OPEN, CallbackRow.told_at.is_(None), CallbackRow.due_at <= now)
        .order_by(CallbackRow.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (await session.scalars(found)).all()

"""The rows of shifts, exceptions and leave, and how they are found."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from cloud.calendars.roster import DatedShift, Leave, LeaveKind, Shift, ShiftTerms
from cloud.calendars.tables import Spans, windows
from cloud.core.database import Base, Json

NOTE_LENGTH = 120
_DAY = timedelta(days=1)


class ShiftRow(Base):
    """A person's weekly shift; see roster.ShiftTerms."""

    __tablename__ = "shifts"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    community_id: Mapped[int | None] = mapped_column(ForeignKey("communities.id"))
    weekdays: Mapped[list[int]] = mapped_column(Json)
    windows: Mapped[Spans] = mapped_column(Json)
    since: Mapped[date]
    until: Mapped[date | None]

    __table_args__ = (Index("ix_shifts_until", "organisation_id", "until"),)

    @property
    def as_shift(self) -> Shift:
        """Return the row as a plain value."""
        terms = ShiftTerms(
            weekdays=frozenset(self.weekdays),
            windows=windows(self.windows),
            community_id=self.community_id,
            since=self.since,
            until=self.until,
        )
        return Shift(id=self.id, person_id=self.person_id, terms=terms)


class DatedShiftRow(Base):
    """What a person works on one day; see roster.DatedShift."""

    __tablename__ = "dated_shifts"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    day: Mapped[date]
    windows: Mapped[Spans] = mapped_column(Json)
    community_id: Mapped[int | None] = mapped_column(ForeignKey("communities.id"))
    note: Mapped[str] = mapped_column(String(NOTE_LENGTH))

    __table_args__ = (
        UniqueConstraint("person_id", "day"),
        Index("ix_dated_shifts_day", "organisation_id", "day"),
    )

    @property
    def as_dated_shift(self) -> DatedShift:
        """Return the row as a plain value."""
        return DatedShift(
            id=self.id,
            person_id=self.person_id,
            day=self.day,
            windows=windows(self.windows),
            community_id=self.community_id,
            note=self.note,
        )


class LeaveRow(Base):
    """Days on which a person is away; see roster.Leave.

    Attributes:
        told_at: when it was told that it has begun; None before.
    """

    __tablename__ = "leaves"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    kind: Mapped[LeaveKind]
    since: Mapped[date]
    until: Mapped[date]
    note: Mapped[str] = mapped_column(String(NOTE_LENGTH))
    told_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_leaves_until", "organisation_id", "until"),)

    @property
    def as_leave(self) -> Leave:
        """Return the row as a plain value."""
        return Leave(
            id=self.id, person_id=self.person_id, kind=self.kind, since=self.since, until=self.until, note=self.note
        )


async def shifts(
    session: AsyncSession, organisation_id: int, *, first: date, last: date | None = None, person_id: int | None = None
) -> Sequence[Shift]:
    """Return the weekly shifts that hold on a day from `first` to `last`, of everybody or of one person."""
    found = select(ShiftRow).where(
        ShiftRow.organisation_id == organisation_id, or_(ShiftRow.until.is_(None), ShiftRow.until > first)
    )
    if last is not None:
        found = found.where(ShiftRow.since <= last)
    if person_id is not None:
        found = found.where(ShiftRow.person_id == person_id)
    return [row.as_shift for row in await session.scalars(found.order_by(ShiftRow.since, ShiftRow.id))]


async def dated_shifts(
    session: AsyncSession, organisation_id: int, *, first: date, last: date | None = None, person_id: int | None = None
) -> Sequence[DatedShift]:
    """Return the exceptions from `first` to `last`, of everybody or of one person, by day."""
    found = select(DatedShiftRow).where(DatedShiftRow.organisation_id == organisation_id, DatedShiftRow.day >= first)
    if last is not None:
        found = found.where(DatedShiftRow.day <= last)
    if person_id is not None:
        found = found.where(DatedShiftRow.person_id == person_id)
    rows = await session.scalars(found.order_by(DatedShiftRow.day, DatedShiftRow.id))
    return [row.as_dated_shift for row in rows]


async def leaves(
    session: AsyncSession, organisation_id: int, *, first: date, last: date | None = None, person_id: int | None = None
) -> Sequence[Leave]:
    """Return the leave that a day from `first` to `last` is one of, of everybody or of one person, by day."""
    found = select(LeaveRow).where(LeaveRow.organisation_id == organisation_id, LeaveRow.until > first)
    if last is not None:
        found = found.where(LeaveRow.since <= last)
    if person_id is not None:
        found = found.where(LeaveRow.person_id == person_id)
    return [row.as_leave for row in await session.scalars(found.order_by(LeaveRow.since, LeaveRow.id))]


async def untold_leaves(session: AsyncSession, *, today: date) -> Sequence[LeaveRow]:
    """Return leaves of every organisation that go on somewhere on earth and of which nobody was told, by number.

    Args:
        session: of the transaction, which holds them to its end.
        today: the day in UTC.
    """
    # any organisation: a job looks after all of them
    rows = await session.scalars(
        select(LeaveRow)
        .where(LeaveRow.told_at.is_(None), LeaveRow.since <= today + _DAY, LeaveRow.until >= today)
        .order_by(LeaveRow.id)
        .with_for_update()
    )
    return rows.all()


async def shift_by_id(session: AsyncSession, organisation_id: int, person_id: int, shift_id: int) -> ShiftRow | None:
    """Return one of a person's weekly shifts."""
    found = select(ShiftRow).where(ShiftRow.organisation_id == organisation_id, ShiftRow.person_id == person_id)
    return await session.scalar(found.where(ShiftRow.id == shift_id))


async def dated_shift_by_id(
    session: AsyncSession, organisation_id: int, person_id: int, dated_id: int
) -> DatedShiftRow | None:
    """Return one of a person's exceptions."""
    found = select(DatedShiftRow).where(
        DatedShiftRow.organisation_id == organisation_id, DatedShiftRow.person_id == person_id
    )
    return await session.scalar(found.where(DatedShiftRow.id == dated_id))


async def leave_by_id(session: AsyncSession, organisation_id: int, person_id: int, leave_id: int) -> LeaveRow | None:
    """Return one of a person's leaves."""
    found = select(LeaveRow).where(LeaveRow.organisation_id == organisation_id, LeaveRow.person_id == person_id)
    return await session.scalar(found.where(LeaveRow.id == leave_id))

"""The rows of deadlines' clocks and of what became of them."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import cast

from sqlalchemy import ForeignKey, Table, UniqueConstraint, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from cloud.core.append_only import append_only
from cloud.core.database import Base
from cloud.tickets.domain import Target
from cloud.tickets.tables import TicketRow
from cloud.tickets.timing import Timer

_US = timedelta(microseconds=1)


class Ending(StrEnum):
    """Why a timer is over."""

    MET = "met"
    DROPPED = "dropped"  # its ticket was cancelled or merged, or its target is no target any more
    RETIRED = "retired"  # the type that asked for it was retired


class Turn(StrEnum):
    """What happened to a timer."""

    BEGAN = "began"
    STOPPED = "stopped"
    RESUMED = "resumed"
    RETARGETED = "retargeted"
    WARNED = "warned"
    BREACHED = "breached"
    WITHDRAWN = "withdrawn"  # the breach: what was asked for had happened in time
    ENDED = "ended"


class TimerRow(Base):
    """The clock of one target of one ticket; see timing.Timer.

    Attributes:
        calendar_id: the version of the calendar that it was begun with.
        due_at: the deadline as it stands, or as it stood when the clock was stopped.
        next_at: when there is something to say; None when there is nothing.
        breached_at: when the deadline passed; it stays, whatever comes after, unless it was met in time and told late.
        ended_at: when it was met or dropped; None while it counts.
    """

    __tablename__ = "ticket_timers"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    target: Mapped[Target]
    calendar_id: Mapped[int] = mapped_column(ForeignKey("calendars.id"))
    limit_us: Mapped[int]
    used_us: Mapped[int]
    since: Mapped[datetime | None]
    level: Mapped[int]
    due_at: Mapped[datetime | None]
    next_at: Mapped[datetime | None] = mapped_column(index=True)
    breached_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ending: Mapped[Ending | None]

    __table_args__ = (UniqueConstraint("ticket_id", "target"),)

    @property
    def timer(self) -> Timer:
        """Return the row as the rules know it."""
        return Timer(limit=self.limit_us * _US, used=self.used_us * _US, since=self.since, level=self.level)

    def keep(self, timer: Timer) -> None:
        """Hold what the rules made of it."""
        self.limit_us, self.used_us = timer.limit // _US, timer.used // _US
        self.since, self.level = timer.since, timer.level


class TimerEventRow(Base):
    """What happened to a timer, for ever: reports of the past never change.

    Attributes:
        level: the percent of the target that a warning is about; 0 elsewhere.
    """

    __tablename__ = "ticket_timer_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    timer_id: Mapped[int] = mapped_column(ForeignKey("ticket_timers.id"), index=True)
    at: Mapped[datetime]
    turn: Mapped[Turn]
    level: Mapped[int]


append_only(cast("Table", TimerEventRow.__table__))


async def timers_of(session: AsyncSession, *, organisation_id: int, ticket_ids: Collection[int]) -> Sequence[TimerRow]:
    """Return the timers of tickets in the order in which their targets come."""
    found = await session.scalars(
        select(TimerRow)
        .where(TimerRow.organisation_id == organisation_id, TimerRow.ticket_id.in_(ticket_ids))
        .order_by(TimerRow.id)
    )
    return found.all()


async def locked_due_timers(
    session: AsyncSession, *, before: datetime, limit: int
) -> Sequence[tuple[TimerRow, TicketRow]]:
    """Return timers with something to say, with their tickets, at which nobody else is; the longest overdue first.

    The ticket is what is locked, as by everybody who moves it: so a timer is never waited for.
    """
    # any organisation: a job looks after all of them
    rows = await session.execute(
        select(TimerRow, TicketRow)
        .join(TicketRow, TicketRow.id == TimerRow.ticket_id)
        .where(TimerRow.next_at < before)
        .order_by(TimerRow.next_at)
        .limit(limit)
        .with_for_update(of=TicketRow, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return [(timer, ticket) for timer, ticket in rows]

"""Events on their way: one row per event and handler, delivered after the commit, in order within a subject."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, cast

import msgspec
from sqlalchemy import CursorResult, ForeignKey, Index, String, Table, Text, delete, exists, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from cloud.core.clock import Clock, told_at
from cloud.core.database import Base, Database, hold, mark_emitted, routes_of, tell
from cloud.core.events import Event

KEPT = timedelta(days=3)
"""How long an event that everybody has handled can still be looked up."""

CHANNEL = "gatehouse_outbox"
"""On which other processes are told that there is something to deliver."""

_PRUNED_AT_ONCE = 5_000  # SQLite's one writer is held for some tens of milliseconds by as many


class DeliveryState(StrEnum):
    """Where a delivery stands; a delivered one is deleted, since its work is its proof."""

    WAITING = "waiting"  # not tried, or to be tried again at due_at
    BEHIND = "behind"  # an older one of its handler and subject takes long; woken by that one's end
    DEAD = "dead"  # given up after the last try; holds up its subject until a person retries or discards it


class OutboxEvent(Base):
    """An event as it was said; kept for a while for whoever asks what happened."""

    __tablename__ = "outbox_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int]
    kind: Mapped[str] = mapped_column(String(80))
    subject: Mapped[str] = mapped_column(String(120))
    payload: Mapped[str] = mapped_column(Text)
    emitted_at: Mapped[datetime]

    __table_args__ = (Index("ix_outbox_events_emitted_at", "emitted_at"), {"sqlite_autoincrement": True})


class OutboxDelivery(Base):
    """What one handler still owes one event."""

    __tablename__ = "outbox_deliveries"

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("outbox_events.id"), index=True)
    organisation_id: Mapped[int]
    handler: Mapped[str] = mapped_column(String(120))
    subject: Mapped[str] = mapped_column(String(120))
    state: Mapped[DeliveryState]
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    error: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        Index("ix_outbox_deliveries_due", "state", "due_at"),
        Index("ix_outbox_deliveries_lane", "handler", "subject", "organisation_id", "id"),
        {"sqlite_autoincrement": True},
    )


EVENTS = cast("Table", OutboxEvent.__table__)
DELIVERIES = cast("Table", OutboxDelivery.__table__)

# Built once: building a statement costs more than running it.
_ADD_EVENTS = insert(EVENTS).returning(EVENTS.c.id)
_ADD_EVENTS_SORTED = insert(EVENTS).returning(EVENTS.c.id, sort_by_parameter_order=True)
_ADD_DELIVERIES = insert(DELIVERIES)


async def emit(session: AsyncSession, clock: Clock, event: Event, *, after: timedelta = timedelta()) -> None:
    """Put `event` into the outbox, to be delivered to everybody who hears it once the transaction is committed.

    Events of one subject are numbered in the order of their commits: from here to its end the transaction holds
    the subject. What it changed before is flushed first, so that everybody waits for rows before subjects.
    `after` lets the event wait that long, and with it whatever comes behind it on its subject.
    """
    await emit_all(session, clock, [event], after=after)


async def emit_all(
    session: AsyncSession, clock: Clock, events: Sequence[Event], *, after: timedelta = timedelta()
) -> None:
    """Put `events` into the outbox in their order, as `emit` does with one, in as few statements as that takes."""
    if not events:
        return
    await session.flush()
    routes = routes_of(session)
    heard = [event for event in events if routes.get(event.kind)]
    if heard:
        await hold(session, *{f"outbox {event.organisation_id} {event.subject}" for event in heard})
        mark_emitted(session)
        tell(session, CHANNEL)
    now = told_at(clock)
    said = [
        {
            "organisation_id": event.organisation_id,
            "kind": event.kind,
            "subject": event.subject,
            "payload": msgspec.json.encode(event).decode(),
            "emitted_at": now,
        }
        for event in events
    ]
    event_ids = await _add_events(session, said)
    owed = [
        {
            "event_id": event_id,
            "organisation_id": event.organisation_id,
            "handler": handler,
            "subject": event.subject,
            "state": DeliveryState.WAITING,
            "attempts": 0,
            "due_at": now + after,
        }
        for event_id, event in zip(event_ids, events, strict=True)
        for handler in routes.get(event.kind, ())
    ]
    if owed:
        await session.execute(_ADD_DELIVERIES, owed)


async def _add_events(session: AsyncSession, said: Sequence[dict[str, Any]]) -> Sequence[int]:
    """Write events, and return their ids in the order of the events."""
    if session.get_bind().dialect.name == "sqlite":
        # SQLite numbers the rows of a list in its order and may return them in any; asked to sort, SQLAlchemy would
        # send a statement for every row.
        return sorted(await session.scalars(_ADD_EVENTS, said))
    return (await session.scalars(_ADD_EVENTS_SORTED, said)).all()


async def count_deliveries(session: AsyncSession) -> tuple[dict[DeliveryState, int], datetime | None]:
    """Return how many deliveries stand in each state, and since when the oldest of the waiting ones is due."""
    counted = await session.execute(select(OutboxDelivery.state, func.count()).group_by(OutboxDelivery.state))
    waiting = OutboxDelivery.state == DeliveryState.WAITING
    oldest = await session.scalar(select(func.min(OutboxDelivery.due_at)).where(waiting))
    return dict(counted.all()), oldest


async def count_stopped_lanes(session: AsyncSession) -> dict[str, int]:
    """Return by handler how many subjects it hears no more of, since one of their events was given up."""
    dead = (
        select(OutboxDelivery.handler, OutboxDelivery.organisation_id, OutboxDelivery.subject)
        .where(OutboxDelivery.state == DeliveryState.DEAD)
        .distinct()
        .subquery()
    )
    counted = await session.execute(select(dead.c.handler, func.count()).group_by(dead.c.handler))
    return dict(counted.all())


async def prune(database: Database, clock: Clock) -> None:
    """Delete events that are older than KEPT and that nobody is owed any more; a job with its own transactions."""
    old = (
        select(OutboxEvent.id)
        .where(OutboxEvent.emitted_at < clock.now() - KEPT)
        .where(~exists().where(OutboxDelivery.event_id == OutboxEvent.id))
        .limit(_PRUNED_AT_ONCE)
    )
    pruned = _PRUNED_AT_ONCE
    while pruned == _PRUNED_AT_ONCE:
        async with database.transaction() as session:
            result = await session.execute(delete(OutboxEvent).where(OutboxEvent.id.in_(old)))
            pruned = cast("CursorResult[Any]", result).rowcount

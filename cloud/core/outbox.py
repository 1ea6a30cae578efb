"""Events on their way: one row per event and handler, delivered after the commit, in order within a subject."""

from datetime import datetime
from enum import StrEnum

import msgspec
from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from cloud.core.clock import Clock
from cloud.core.database import Base, Instant, mark_emitted, routes_of
from cloud.core.events import Event


class DeliveryState(StrEnum):
    """Where a delivery stands; a delivered one is deleted, since its work is its proof."""

    WAITING = "waiting"  # not tried, or to be tried again at due_at
    DEAD = "dead"  # given up after the last try; a person decides on the dead letters' page


class OutboxEvent(Base):
    """An event as it was said; kept for a while for whoever asks what happened."""

    __tablename__ = "outbox_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int]
    kind: Mapped[str] = mapped_column(String(80))
    subject: Mapped[str] = mapped_column(String(120))
    payload: Mapped[str] = mapped_column(Text)
    emitted_at: Mapped[datetime] = mapped_column(Instant)


class OutboxDelivery(Base):
    """What one handler still owes one event."""

    __tablename__ = "outbox_deliveries"

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("outbox_events.id"))
    organisation_id: Mapped[int]
    handler: Mapped[str] = mapped_column(String(120))
    subject: Mapped[str] = mapped_column(String(120))
    state: Mapped[DeliveryState] = mapped_column(String(10))
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(Instant)
    error: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        Index("ix_outbox_deliveries_due", "state", "due_at"),
        Index("ix_outbox_deliveries_order", "handler", "subject", "id"),
    )


async def emit(session: AsyncSession, clock: Clock, event: Event) -> None:
    """Put `event` into the outbox, to be delivered to everybody who hears it once the transaction is committed."""
    now = clock.now()
    row = OutboxEvent(
        organisation_id=event.organisation_id,
        kind=event.kind,
        subject=event.subject,
        payload=msgspec.json.encode(event).decode(),
        emitted_at=now,
    )
    session.add(row)
    await session.flush()
    session.add_all(
        OutboxDelivery(
            event_id=row.id,
            organisation_id=event.organisation_id,
            handler=handler,
            subject=event.subject,
            state=DeliveryState.WAITING,
            due_at=now,
        )
        for handler in routes_of(session).get(event.kind, ())
    )
    mark_emitted(session)

"""Who is next: the deliveries of one handler about an organisation's subject are a lane, taken from its head.

Only a head is ever taken, so a lane that stops holds up nobody else. What waits behind a slow or stopped head is
set BEHIND, out of the claim's sight, or a day of a dead letter's followers would be read again by every claim. The
rules that make this safe with several workers:

- a row is set BEHIND only by who holds the lock on its lane's head;
- a head goes away only under that lock, and whoever takes it away sets the next one WAITING;
- numbers in a lane are drawn in the order of commits (see outbox.emit), so no older row appears later.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from cloud.core.outbox import DeliveryState, OutboxDelivery, OutboxEvent

MAXIMUM_ATTEMPTS = 14
"""With the delays below the last try is about an hour after the first, which outlasts a restart or a failover."""

LONGEST_DELAY = timedelta(minutes=10)

STEPPED_BACK_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A delivery that this transaction alone may carry out."""

    id: int
    organisation_id: int
    handler: str
    subject: str
    attempts: int
    """Tries that failed before this one."""
    kind: str
    payload: str


def delay_after(attempts: int) -> timedelta:
    """Return how long to wait after the given number of failed tries: 1 s, doubled each time up to LONGEST_DELAY."""
    return min(timedelta(seconds=2 ** (attempts - 1)), LONGEST_DELAY)


async def claim(session: AsyncSession, *, now: datetime) -> Claimed | None:
    """Lock the delivery that has been due for longest and stands at the head of its lane; None when there is none."""
    older = aliased(OutboxDelivery)
    has_older = (
        exists()
        .where(older.handler == OutboxDelivery.handler, older.subject == OutboxDelivery.subject)
        .where(older.organisation_id == OutboxDelivery.organisation_id, older.id < OutboxDelivery.id)
    )
    found = await session.execute(
        select(OutboxDelivery, OutboxEvent.kind, OutboxEvent.payload)
        .join(OutboxEvent, OutboxEvent.id == OutboxDelivery.event_id)
        .where(OutboxDelivery.state == DeliveryState.WAITING, OutboxDelivery.due_at <= now, ~has_older)
        .order_by(OutboxDelivery.due_at, OutboxDelivery.id)
        .limit(1)
        .with_for_update(of=OutboxDelivery, skip_locked=True)
    )
    row = found.first()
    if row is None:
        return None
    delivery, kind, payload = row
    return Claimed(
        id=delivery.id,
        organisation_id=delivery.organisation_id,
        handler=delivery.handler,
        subject=delivery.subject,
        attempts=delivery.attempts,
        kind=kind,
        payload=payload,
    )


async def settle(session: AsyncSession, claimed: Claimed, *, now: datetime) -> None:
    """Take the delivery away, in the transaction of the work that it asked for, and let the next in its lane come."""
    await session.execute(delete(OutboxDelivery).where(OutboxDelivery.id == claimed.id))
    await wake_next(
        session, organisation_id=claimed.organisation_id, handler=claimed.handler, subject=claimed.subject, now=now
    )


async def wake_next(session: AsyncSession, *, organisation_id: int, handler: str, subject: str, now: datetime) -> None:
    """Make the lane's first delivery WAITING if it stood BEHIND; asked for by who took the one before it away."""
    first = (
        select(func.min(OutboxDelivery.id))
        .where(OutboxDelivery.handler == handler, OutboxDelivery.subject == subject)
        .where(OutboxDelivery.organisation_id == organisation_id)
        .scalar_subquery()
    )
    await session.execute(
        update(OutboxDelivery)
        .where(OutboxDelivery.id == first, OutboxDelivery.state == DeliveryState.BEHIND)
        # Due from now, not from long ago: lanes that catch up take turns with everybody else.
        .values(state=DeliveryState.WAITING, due_at=now)
        .execution_options(synchronize_session=False)
    )


async def put_off(session: AsyncSession, claimed: Claimed, *, error: str, now: datetime) -> DeliveryState:
    """Note a failed try, and return whether there will be another.

    The lock went with the failed transaction, so another worker may have tried since: the one that finds the
    attempts changed notes nothing.
    """
    attempts = claimed.attempts + 1
    state = DeliveryState.DEAD if attempts >= MAXIMUM_ATTEMPTS else DeliveryState.WAITING
    await session.execute(
        update(OutboxDelivery)
        .where(OutboxDelivery.id == claimed.id, OutboxDelivery.attempts == claimed.attempts)
        .values(state=state, attempts=attempts, due_at=now + delay_after(attempts), error=error)
        .execution_options(synchronize_session=False)
    )
    return state


async def step_back(session: AsyncSession, *, due_before: datetime) -> int:
    """Set BEHIND what has been due since `due_before` and is not first in its lane; return how many there were."""
    head = aliased(OutboxDelivery)
    other = aliased(OutboxDelivery)
    first = (
        select(func.min(other.id))
        .where(other.handler == OutboxDelivery.handler, other.subject == OutboxDelivery.subject)
        .where(other.organisation_id == OutboxDelivery.organisation_id)
        .scalar_subquery()
    )
    followers = await session.scalars(
        select(OutboxDelivery.id)
        .join(head, head.id == first)
        .where(OutboxDelivery.state == DeliveryState.WAITING, OutboxDelivery.due_at <= due_before)
        .where(head.id != OutboxDelivery.id)
        .limit(STEPPED_BACK_AT_ONCE)
        .with_for_update(of=head, skip_locked=True)
    )
    ids = followers.all()
    if ids:
        await session.execute(
            update(OutboxDelivery)
            .where(OutboxDelivery.id.in_(ids), OutboxDelivery.state == DeliveryState.WAITING)
            .values(state=DeliveryState.BEHIND)
            .execution_options(synchronize_session=False)
        )
    return len(ids)

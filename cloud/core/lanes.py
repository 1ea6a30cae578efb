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
from typing import Any, cast

from sqlalchemy import CursorResult, bindparam, delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.database import Instant
from cloud.core.outbox import DELIVERIES, EVENTS, DeliveryState

MAXIMUM_ATTEMPTS = 14
"""With the delays below the last try is about an hour after the first, which outlasts a restart or a failover."""

LONGEST_DELAY = timedelta(minutes=10)

STEPPED_BACK_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A delivery that this transaction alone may carry out.

    Attributes:
        attempts: tries that failed before this one.
        has_company: whether others were due at the same time.
    """

    id: int
    organisation_id: int
    handler: str
    subject: str
    attempts: int
    kind: str
    payload: str
    has_company: bool


def delay_after(attempts: int) -> timedelta:
    """Return how long to wait after the given number of failed tries: 1 s, doubled each time up to LONGEST_DELAY."""
    return min(timedelta(seconds=2 ** (attempts - 1)), LONGEST_DELAY)


async def claim(session: AsyncSession, *, now: datetime) -> Claimed | None:
    """Lock the delivery that has been due for longest and stands at the head of its lane; None when there is none."""
    row = (await session.execute(_CLAIM, {"now": now})).mappings().first()
    return Claimed(**row) if row is not None else None


async def settle(session: AsyncSession, claimed: Claimed, *, now: datetime) -> bool:
    """Take the delivery away, in the transaction of the work that it asked for; return whether it woke another."""
    await session.execute(_TAKE_AWAY, {"claimed": claimed.id})
    return await wake_next(
        session, organisation_id=claimed.organisation_id, handler=claimed.handler, subject=claimed.subject, now=now
    )


async def wake_next(session: AsyncSession, *, organisation_id: int, handler: str, subject: str, now: datetime) -> bool:
    """Make the lane's first delivery WAITING if it stood BEHIND, for who took away the one before it.

    Returns:
        Whether it stood BEHIND.
    """
    lane = {"of_organisation": organisation_id, "by_handler": handler, "about": subject}
    result = await session.execute(_WAKE_NEXT, {**lane, "now": now})
    return bool(cast("CursorResult[Any]", result).rowcount)


async def put_off(session: AsyncSession, claimed: Claimed, *, error: str, now: datetime) -> DeliveryState:
    """Note a failed try, and return whether there will be another.

    The lock went with the failed transaction, so another worker may have tried since: the one that finds the
    attempts changed notes nothing.
    """
    attempts = claimed.attempts + 1
    state = DeliveryState.DEAD if attempts >= MAXIMUM_ATTEMPTS else DeliveryState.WAITING
    await session.execute(
        update(_waiting)
        .where(_waiting.c.id == claimed.id, _waiting.c.attempts == claimed.attempts)
        .values(state=state, attempts=attempts, due_at=now + delay_after(attempts), error=error)
    )
    return state


async def step_back(session: AsyncSession, *, due_before: datetime) -> int:
    """Set BEHIND what has been due since `due_before` and is not first in its lane; return how many there were."""
    ids = (await session.scalars(_FOLLOWERS, {"now": due_before})).all()
    if ids:
        of_them = _waiting.c.id.in_(ids), _waiting.c.state == DeliveryState.WAITING
        await session.execute(update(_waiting).where(*of_them).values(state=DeliveryState.BEHIND))
    return len(ids)


# Built once: these run for every event, and building one costs more than running it.

_NOW = bindparam("now", type_=Instant)

_waiting = DELIVERIES
_other = DELIVERIES.alias("other")
_head = DELIVERIES.alias("head")

_IN_LANE = (
    _other.c.handler == _waiting.c.handler,
    _other.c.subject == _waiting.c.subject,
    _other.c.organisation_id == _waiting.c.organisation_id,
)
_IS_DUE = (_waiting.c.state == DeliveryState.WAITING, _waiting.c.due_at <= _NOW)

_CLAIM = (
    select(
        _waiting.c.id,
        _waiting.c.organisation_id,
        _waiting.c.handler,
        _waiting.c.subject,
        _waiting.c.attempts,
        EVENTS.c.kind,
        EVENTS.c.payload,
        exists()
        .where(_other.c.state == DeliveryState.WAITING, _other.c.due_at <= _NOW, _other.c.id != _waiting.c.id)
        .label("has_company"),
    )
    .join(EVENTS, EVENTS.c.id == _waiting.c.event_id)
    .where(*_IS_DUE, ~exists().where(*_IN_LANE, _other.c.id < _waiting.c.id))
    .order_by(_waiting.c.due_at, _waiting.c.id)
    .limit(1)
    .with_for_update(of=_waiting, skip_locked=True)
)

_TAKE_AWAY = delete(_waiting).where(_waiting.c.id == bindparam("claimed"))

_WAKE_NEXT = (
    update(_waiting)
    .where(
        _waiting.c.id
        == select(func.min(_other.c.id))
        .where(
            _other.c.handler == bindparam("by_handler"),
            _other.c.subject == bindparam("about"),
            _other.c.organisation_id == bindparam("of_organisation"),
        )
        .scalar_subquery(),
        _waiting.c.state == DeliveryState.BEHIND,
    )
    # Due from now, not from long ago: lanes that catch up take turns with everybody else.
    .values(state=DeliveryState.WAITING, due_at=_NOW)
)

_FOLLOWERS = (
    select(_waiting.c.id)
    .select_from(_waiting)
    .join(_head, _head.c.id == select(func.min(_other.c.id)).where(*_IN_LANE).scalar_subquery())
    .where(*_IS_DUE, _head.c.id != _waiting.c.id)
    .limit(STEPPED_BACK_AT_ONCE)
    .with_for_update(of=_head, skip_locked=True)
)

"""Deliveries that were given up: what a person sees of them, and the two ways on."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core import audit
from cloud.core.clock import Clock
from cloud.core.database import mark_emitted, tell
from cloud.core.errors import NotFound
from cloud.core.lanes import wake_next
from cloud.core.listing import Ask, Found, Listing, containing, fetch
from cloud.core.outbox import CHANNEL, DELIVERIES, EVENTS, DeliveryState, OutboxDelivery
from cloud.core.principal import Principal, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """An event that one handler refused to the last; what follows it about the same subject waits."""

    id: int
    kind: str
    handler: str
    subject: str
    emitted_at: datetime
    attempts: int
    error: str


async def list_dead_letters(session: AsyncSession, principal: Principal, ask: Ask) -> Found[DeadLetter]:
    """Return the organisation's dead letters.

    Raises:
        Forbidden: the principal is no administrator.
    """
    principal.require(Role.ADMINISTRATOR)
    found = await fetch(session, _listing(principal), ask)
    return found.of([DeadLetter(**row._asdict()) for row in found.rows])


async def find_dead_letter(session: AsyncSession, principal: Principal, letter_id: int) -> DeadLetter:
    """Return one of the organisation's dead letters.

    Raises:
        Forbidden: the principal is no administrator.
        NotFound: there is no such dead letter, or no longer.
    """
    principal.require(Role.ADMINISTRATOR)
    row = (await session.execute(_listing(principal).select.where(DELIVERIES.c.id == letter_id))).first()
    if row is None:
        raise NotFound("There is no such dead letter any more.")
    return DeadLetter(**row._asdict())


async def count_dead_letters(session: AsyncSession, principal: Principal) -> int:
    """Return how many there are in the organisation."""
    dead = select(func.count()).select_from(OutboxDelivery).where(*_theirs(principal))
    return await session.scalar(dead) or 0


async def count_waiting(session: AsyncSession, principal: Principal) -> int:
    """Return how many of the organisation's deliveries are still to be made, those behind a dead letter among them."""
    alive = DELIVERIES.c.state != DeliveryState.DEAD
    theirs = DELIVERIES.c.organisation_id == principal.organisation_id
    return await session.scalar(select(func.count()).select_from(OutboxDelivery).where(alive, theirs)) or 0


async def retry(session: AsyncSession, clock: Clock, principal: Principal, letter_id: int) -> None:
    """Have a dead letter delivered again, with all its tries before it.

    Raises:
        Forbidden: the principal is no administrator.
        NotFound: there is no such dead letter, or somebody was quicker.
    """
    letter = await _locked(session, principal, letter_id)
    _record(session, clock, principal, letter, "retried")
    letter.state = DeliveryState.WAITING
    letter.attempts = 0
    letter.due_at = clock.now()
    _wake_workers(session)


async def discard(session: AsyncSession, clock: Clock, principal: Principal, letter_id: int) -> None:
    """Give a dead letter up for good, and let what waited behind it come.

    Raises:
        Forbidden: the principal is no administrator.
        NotFound: there is no such dead letter, or somebody was quicker.
    """
    letter = await _locked(session, principal, letter_id)
    _record(session, clock, principal, letter, "discarded")
    await session.delete(letter)
    await session.flush()
    await wake_next(
        session,
        organisation_id=letter.organisation_id,
        handler=letter.handler,
        subject=letter.subject,
        now=clock.now(),
    )
    _wake_workers(session)


def _listing(principal: Principal) -> Listing:
    columns = {
        "id": DELIVERIES.c.id,
        "kind": EVENTS.c.kind,
        "handler": DELIVERIES.c.handler,
        "subject": DELIVERIES.c.subject,
        "emitted_at": EVENTS.c.emitted_at,
        "attempts": DELIVERIES.c.attempts,
        "error": DELIVERIES.c.error,
    }
    return Listing(
        select=select(*columns.values()).join(EVENTS, EVENTS.c.id == DELIVERIES.c.event_id).where(*_theirs(principal)),
        columns=columns,
        key=DELIVERIES.c.id,
        order=(EVENTS.c.emitted_at.desc(),),
        search=containing(EVENTS.c.kind, DELIVERIES.c.handler, DELIVERIES.c.subject, DELIVERIES.c.error),
    )


def _theirs(principal: Principal) -> tuple[Any, Any]:
    return DELIVERIES.c.state == DeliveryState.DEAD, DELIVERIES.c.organisation_id == principal.organisation_id


async def _locked(session: AsyncSession, principal: Principal, letter_id: int) -> OutboxDelivery:
    principal.require(Role.ADMINISTRATOR)
    letter = await session.scalar(
        select(OutboxDelivery).where(OutboxDelivery.id == letter_id, *_theirs(principal)).with_for_update()
    )
    if letter is None:
        raise NotFound("There is no such dead letter any more.")
    return letter


def _record(session: AsyncSession, clock: Clock, principal: Principal, letter: OutboxDelivery, what: str) -> None:
    before = {"handler": letter.handler, "subject": letter.subject, "error": letter.error}
    audit.record(
        session, clock, principal, action=f"core.letter_{what}", subject=f"event:{letter.event_id}", before=before
    )


def _wake_workers(session: AsyncSession) -> None:
    mark_emitted(session)
    tell(session, CHANNEL)

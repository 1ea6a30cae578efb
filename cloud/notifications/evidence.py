"""What an administrator sees of deliveries: how each went, and another try for those that were given up."""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import people
from cloud.core import audit
from cloud.core.clock import Clock
from cloud.core.errors import Conflict, NotFound
from cloud.core.listing import Ask, Found, fetch
from cloud.core.principal import Principal, Role
from cloud.core.words import Words
from cloud.notifications import tables
from cloud.notifications.domain import Channel, DeliveryState, Kind, masked
from cloud.notifications.tables import DeliveryRow, MessageRow
from firmware_configs.look.words import _


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message on one channel.

    Attributes:
        kind, subject: None for a sign-in code, of which nothing is shown.
        person: the receiver's name; empty for a sign-in code.
        address: masked.
        attempts: tries so far.
        due_at: when it is tried next, or asked after.
        error: why the last try failed.
    """

    id: int
    kind: Kind | None
    subject: Words | None
    person: str
    channel: Channel
    address: str
    state: DeliveryState
    attempts: int
    written_at: datetime
    due_at: datetime | None
    accepted_at: datetime | None
    sent_at: datetime | None
    gateway_id: str | None
    error: str | None

    @property
    def can_be_retried(self) -> bool:
        """Return whether it was given up and its text is still there."""
        return self.state is DeliveryState.DEAD and self.kind is not None


async def list_deliveries(session: AsyncSession, principal: Principal, ask: Ask) -> Found[Delivery]:
    """Return all that went out of the organisation or was to, the newest first.

    Raises:
        Forbidden: the principal is no administrator.
    """
    principal.require(Role.ADMINISTRATOR)
    found = await fetch(session, tables.evidence(principal.organisation_id), ask)
    person_ids = {row.DeliveryRow.person_id for row in found.rows} - {None}
    names = await people.names(session, principal, person_ids)
    rows = [_delivery(row.DeliveryRow, row.MessageRow, names.get(row.DeliveryRow.person_id, "")) for row in found.rows]
    return found.of(rows)


async def count_troubles(session: AsyncSession, principal: Principal) -> tuple[int, int]:
    """Return how many deliveries were given up, and how many wait after a try that failed."""
    dead = await tables.count_dead(session, principal.organisation_id)
    return dead, await tables.count_failing(session, principal.organisation_id)


async def retry(session: AsyncSession, clock: Clock, principal: Principal, delivery_id: int) -> None:
    """Have a delivery that was given up tried again, with all its tries before it.

    Raises:
        Forbidden: the principal is no administrator.
        NotFound: there is no such delivery.
        Conflict: it was not given up, or somebody was quicker; or it was a sign-in code, whose text is gone.
    """
    principal.require(Role.ADMINISTRATOR)
    row = await tables.locked_delivery(session, principal.organisation_id, delivery_id)
    if row is None:
        raise NotFound(_("There is no such delivery."))
    if row.state is not DeliveryState.DEAD or row.message_id is None:
        raise Conflict(_("Only a message that was given up can be tried again."))
    before = {"error": row.error}
    audit.record(session, clock, principal, action="notifications.retried", subject=f"delivery:{row.id}", before=before)
    row.state, row.attempts, row.due_at, row.error = DeliveryState.WAITING, 0, clock.now(), None
    if row.accepted_at is not None:  # what a gateway had taken and then failed with, it would now take for a repeat
        row.uid, row.accepted_at, row.gateway_id = uuid4().hex, None, None


def _delivery(row: DeliveryRow, message: MessageRow | None, person: str) -> Delivery:
    return Delivery(
        id=row.id,
        kind=message.kind if message else None,
        subject=Words(zh=message.subject_zh, en=message.subject_en) if message else None,
        person=person,
        channel=row.channel,
        address=masked(row.address),
        state=row.state,
        attempts=row.attempts,
        written_at=row.written_at,
        due_at=row.due_at,
        accepted_at=row.accepted_at,
        sent_at=row.sent_at,
        gateway_id=row.gateway_id,
        error=row.error,
    )

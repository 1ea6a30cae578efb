"""Speaking to whoever asked: a recorded act with a deadline of its own, after which they know how it goes on."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.clock import Clock
from cloud.core.errors import Conflict
from cloud.core.principal import Principal
from cloud.tickets import timers
from cloud.tickets.domain import UNDONE, Deed, How, Outcome, Target
from cloud.tickets.moving import check_text, locked, require_owner, required
from cloud.tickets.tables import ContactRow
from cloud.tickets.timeline import tell
from firmware_configs.look.words import _


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A time that whoever asked was spoken to, or was tried to be."""

    at: datetime
    actor: str
    how: How
    outcome: Outcome
    text: str
    next_step: str


async def contact(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    *,
    ticket_id: int,
    how: How,
    outcome: Outcome,
    text: str = "",
    next_step: str = "",
) -> None:
    """Write down that whoever asked was spoken to; the first time they were reached meets the deadline for it.

    A try that reached nobody does not, nor does anything that no person did: notes and automatic answers are none.

    Raises:
        Conflict: the ticket is closed.
        Refused: somebody was reached and nobody says how it goes on.
    """
    row = await locked(session, principal, ticket_id=ticket_id)
    require_owner(principal, row)
    if row.state not in UNDONE:
        raise Conflict(_("This ticket is closed."))
    check_text(text, "text")
    is_reached = outcome is Outcome.REACHED
    told = required(next_step, "next_step", _("Say how it goes on.")) if is_reached else ""
    session.add(
        ContactRow(
            organisation_id=row.organisation_id,
            ticket_id=row.id,
            at=clock.now(),
            person_id=principal.person_id,
            actor=principal.name if principal.person_id is not None else "",
            how=how,
            outcome=outcome,
            text=text.strip(),
            next_step=told,
        )
    )
    if text.strip():
        await tell(session, clock, principal, row, Deed.NOTED, text=text.strip(), is_public=False)
    deed = Deed.CONTACTED if is_reached else Deed.CONTACT_FAILED
    await tell(session, clock, principal, row, deed, text=told, is_public=True)
    if is_reached and principal.person_id is not None:
        await timers.meet(session, clock, principal, row, Target.FIRST_CONTACT)


async def contacts(session: AsyncSession, principal: Principal, *, ticket_id: int) -> list[Contact]:
    """Return when whoever asked was spoken to about a ticket that the principal has seen, the newest first."""
    rows = await session.scalars(
        select(ContactRow)
        .where(ContactRow.organisation_id == principal.organisation_id, ContactRow.ticket_id == ticket_id)
        .order_by(ContactRow.id.desc())
    )
    return [
        Contact(at=row.at, actor=row.actor, how=row.how, outcome=row.outcome, text=row.text, next_step=row.next_step)
        for row in rows
    ]

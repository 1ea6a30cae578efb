"""The steps of a ticket's procedure, ticked off as they are done."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.clock import Clock
from cloud.core.errors import Conflict, NotFound
from cloud.core.principal import Principal
from cloud.tickets.domain import UNDONE, Deed, TicketType
from cloud.tickets.moving import locked, require_owner
from cloud.tickets.tables import TicketStepRow, TicketTypeRow
from cloud.tickets.timeline import tell
from cloud.tickets.types import to_type
from firmware_configs.look.words import _


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """That a step is done."""

    at: datetime
    actor: str


async def tick(
    session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int, code: str, is_done: bool
) -> None:
    """Note that a step of the ticket's procedure is done, or is not after all; said again, it changes nothing.

    Raises:
        NotFound: the procedure has no such step.
        Conflict: the ticket is closed.
    """
    row = await locked(session, principal, ticket_id=ticket_id)
    require_owner(principal, row)
    if row.state not in UNDONE:
        raise Conflict(_("This ticket is closed."))
    ticket_type = to_type(await session.get_one(TicketTypeRow, row.type_id))
    if code not in {step.code for step in ticket_type.procedure}:
        raise NotFound(_("The procedure has no such step."))
    known = await session.get(TicketStepRow, (ticket_id, code))
    if (known is not None) is is_done:
        return
    if known is not None:
        await session.delete(known)
    else:
        actor = principal.name if principal.person_id is not None else ""
        session.add(
            TicketStepRow(
                ticket_id=ticket_id,
                code=code,
                organisation_id=row.organisation_id,
                at=clock.now(),
                person_id=principal.person_id,
                actor=actor,
            )
        )
    deed = Deed.STEP_DONE if is_done else Deed.STEP_UNDONE
    await tell(session, clock, principal, row, deed, text=_name(ticket_type, code), is_public=False)


async def ticks(session: AsyncSession, principal: Principal, *, ticket_id: int) -> dict[str, Tick]:
    """Return which steps of a ticket that the principal has seen are done, by their codes."""
    rows = await session.scalars(
        select(TicketStepRow).where(
            TicketStepRow.organisation_id == principal.organisation_id, TicketStepRow.ticket_id == ticket_id
        )
    )
    return {row.code: Tick(at=row.at, actor=row.actor) for row in rows}


def _name(ticket_type: TicketType, code: str) -> str:
    words = next(step.words for step in ticket_type.procedure if step.code == code)
    return words.zh or words.en

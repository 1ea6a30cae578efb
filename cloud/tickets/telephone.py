"""The number of whoever asked, for whoever is to speak to them: in full only when asked for, which is written down."""

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core import audit
from cloud.core.clock import Clock
from cloud.core.errors import Forbidden
from cloud.core.principal import Principal, Role
from cloud.tickets.reading import ticket
from firmware_configs.look.words import _


async def reveal(session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int) -> str:
    """Return the number in full; empty when none is known.

    Raises:
        NotFound: there is no such ticket that the principal may see.
        Forbidden: somebody else has it, and the principal is neither at the desk nor in the control room.
    """
    found = await ticket(session, clock, principal, ticket_id=ticket_id)
    has_it = found.assignee_id is not None and found.assignee_id == principal.person_id
    if not has_it and not principal.has(Role.DESK, Role.OPERATOR):
        raise Forbidden(_("Only whoever has this ticket, the front desk and the control room may do this."))
    if found.requester_phone:
        audit.record(session, clock, principal, action="tickets.phone_revealed", subject=f"ticket:{ticket_id}")
    return found.requester_phone

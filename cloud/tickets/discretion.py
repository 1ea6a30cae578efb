"""What an owner is not told of work on their unit: who outside their household asked for it, and what they said."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.principal import Principal
from cloud.tickets.domain import Deed
from cloud.tickets.tables import TicketRow

BETWEEN_THEM = frozenset({Deed.NOTED, Deed.CONTACTED, Deed.CONTACT_FAILED})
"""Lines of a timeline that whoever asked and the company say to each other."""


def is_of_others(principal: Principal, row: TicketRow) -> bool:
    """Return whether a ticket was asked for by somebody who is not of the owner's household.

    What nobody asked for, as an alarm's or an inspection's ticket, is of no others; for staff no ticket is.
    """
    if principal.is_staff:
        return False
    if row.requester_id is None:
        return bool(row.requester_name or row.requester_phone)
    return row.requester_id != principal.person_id and row.requester_id not in principal.household


async def of_others(session: AsyncSession, principal: Principal, *, ticket_ids: Collection[int]) -> frozenset[int]:
    """Return which of these tickets `is_of_others` holds for."""
    if principal.is_staff:
        return frozenset()
    rows = await session.scalars(
        select(TicketRow).where(TicketRow.organisation_id == principal.organisation_id, TicketRow.id.in_(ticket_ids))
    )
    return frozenset(row.id for row in rows if is_of_others(principal, row))

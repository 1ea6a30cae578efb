"""Tickets by the numbers that people read out."""

import re
import unicodedata
from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.clock import Clock
from cloud.core.principal import Principal
from cloud.tickets.reading import Ticket, read
from cloud.tickets.tables import TicketRow, visible_tickets

_NUMBER = re.compile(r"(?<!\d)(20\d\d)-(\d{1,6})(?!\d)")


def numbers_in(text: str) -> list[str]:
    """Return the ticket numbers that stand in a text, as they are kept: "2026-000123" for "2026-123"."""
    found = _NUMBER.findall(unicodedata.normalize("NFKC", text))
    return list(dict.fromkeys(f"{year}-{int(number):06d}" for year, number in found))


async def tickets_numbered(
    session: AsyncSession, clock: Clock, principal: Principal, *, numbers: Collection[str]
) -> list[Ticket]:
    """Return the tickets that have these numbers, as far as the principal may see them."""
    # any organisation: visible_tickets leaves only the principal's
    rows = await session.execute(visible_tickets(principal).where(TicketRow.number.in_(numbers)).order_by(TicketRow.id))
    return await read(session, clock, principal, rows.all())


async def numbers_of(session: AsyncSession, principal: Principal, *, ticket_ids: Collection[int]) -> dict[int, str]:
    """Return the numbers of these tickets by id, as far as the principal may see them."""
    # any organisation: visible_tickets leaves only the principal's
    if not ticket_ids:
        return {}
    found = visible_tickets(principal).where(TicketRow.id.in_(ticket_ids))
    rows = await session.execute(found.with_only_columns(TicketRow.id, TicketRow.number))
    return dict(rows.all())

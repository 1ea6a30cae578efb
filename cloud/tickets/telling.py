"""When an act happened that a telephone tells of later: by the cloud's clock, and within what can have been.

A telephone's clock may be wrong, but not in how much time went by: what it says is taken for an age, which is counted
back from the arrival. It bounds only what somebody might claim; both instants stay on the timeline.
"""

from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.clock import Clock, ToldLate
from cloud.core.principal import Principal
from cloud.tickets.domain import DEEDS, Deed
from cloud.tickets.tables import TicketEntryRow

FURTHEST = timedelta(days=7)
"""Further back nothing is taken to have happened, so that no report of a week that is over changes any more."""

AT_ONCE = timedelta(seconds=5)
"""An age that a slow line explains: what is no older was told at once."""

_MOVES = frozenset(DEEDS.values()) | {Deed.OPENED, Deed.OFFERED, Deed.RECLASSIFIED, Deed.REWORKED}
"""What nothing can have happened before that is told after it: the ticket was not as the act found it."""


def happened(*, pressed: datetime, sent: datetime, arrived: datetime, not_before: datetime) -> datetime:
    """Return when an act happened: never after it arrived, never before `not_before`, at most FURTHEST ago.

    Args:
        pressed: when it was done, by the telephone's clock.
        sent: when it was told, by the same clock.
        arrived: when it came, by the cloud's.
        not_before: the instant of the act before it.
    """
    age = sent - pressed
    if age <= AT_ONCE:
        return arrived
    return min(max(arrived - min(age, FURTHEST), not_before), arrived)


async def clock_of(
    session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int, pressed: datetime, sent: datetime
) -> Clock:
    """Return the clock by which an act on a ticket is written down: the cloud's, for what was told at once.

    The act before it is the last that moved the ticket, or the principal's own last one. What Gatehouse noted
    meanwhile and what others wrote is none: it was there without the act having waited for it.
    """
    arrived = clock.now()
    before = await session.scalar(
        select(func.max(TicketEntryRow.at))
        .where(TicketEntryRow.organisation_id == principal.organisation_id, TicketEntryRow.ticket_id == ticket_id)
        .where(or_(TicketEntryRow.deed.in_(sorted(_MOVES)), TicketEntryRow.person_id == principal.person_id))
    )
    at = happened(pressed=pressed, sent=sent, arrived=arrived, not_before=before or arrived)
    return clock if at == arrived else ToldLate(happened=at, told=arrived)

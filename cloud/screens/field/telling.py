"""What a worker's telephone tells late, with the time at which it happened."""

from dataclasses import replace

from cloud.tickets import telling
from cloud.web import kept
from cloud.web.session import Unit


async def as_told(work: Unit, ticket_id: int) -> Unit:
    """Return the unit of work of an act on a ticket, with the clock by which it is written down; see tickets.telling.

    Raises:
        Malformed: the telephone's times can't be read.
    """
    moments = kept.moments(work.request)
    if moments is None:
        return work
    clock = await telling.clock_of(
        work.session,
        work.clock,
        work.principal,
        ticket_id=ticket_id,
        pressed=moments.pressed,
        sent=moments.sent,
    )
    return replace(work, clock=clock)

"""What owners report by themselves in the app, as lines beside what the desk takes down."""

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.clock import Clock
from cloud.core.database import hold
from cloud.core.principal import Principal, Role
from cloud.properties.finding import Spot
from cloud.reception.domain import Channel, Ending, Entry, subject_of
from cloud.reception.lines import keep, to_row
from cloud.reception.tables import by_key
from cloud.tickets import reading


async def reported(session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int) -> int:
    """Write down once that an owner's report became a ticket; return the line's id.

    Raises:
        Forbidden: the principal is no owner.
        NotFound: there is no such ticket of theirs.
    """
    principal.require(Role.OWNER)
    ticket = await reading.ticket(session, clock, principal, ticket_id=ticket_id)
    key = f"app-report-{ticket.id}"
    await hold(session, f"interaction {principal.organisation_id} {key}")
    known = await by_key(session, principal, key)
    if known is not None:
        return known.id
    entry = Entry(
        channel=Channel.APP,
        subject=subject_of(ticket.kind),
        begun_at=ticket.opened_at,
        key=key,
        person_id=principal.person_id,
        name=ticket.requester_name,
        phone=ticket.requester_phone,
        unit_id=ticket.unit_id,
        place_id=ticket.place_id,
        text=ticket.description or (ticket.subject.zh if ticket.subject else ""),
    )
    spot = None
    if ticket.community_id is not None:
        spot = Spot(community_id=ticket.community_id, unit_id=ticket.unit_id, label=ticket.place)
    row = to_row(clock, principal, entry, ending=Ending.TICKET, spot=spot, ticket_id=ticket.id)
    await keep(session, clock, principal, row)
    return row.id

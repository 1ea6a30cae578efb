"""Tickets that alarms open, take up again, and end."""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.alarms import service as alarms
from cloud.alarms.domain import AlarmAnnounced, AlarmReturned
from cloud.alarms.service import Alarm
from cloud.core.clock import Clock
from cloud.core.principal import Principal
from cloud.core.words import Words
from cloud.tickets.alarm_links import link, must_verify, resolved_before
from cloud.tickets.domain import ALARM_REPAIR, Act, Deed, Origin, State
from cloud.tickets.moving import carry, locked
from cloud.tickets.opening import Location, open_ticket
from cloud.tickets.service import take_up
from cloud.tickets.tables import TicketRow, TicketTypeRow, ticket_of_alarm
from cloud.tickets.timeline import tell

_NOTHING_SAID = Words(zh="", en="")


async def open_for_announced(session: AsyncSession, clock: Clock, event: AlarmAnnounced) -> None:
    """Open the ticket of an alarm that asks for a person; said again, it changes nothing."""
    await open_for_alarm(session, clock, Principal.system(event.organisation_id), alarm_id=event.alarm_id)


async def tell_of_return(session: AsyncSession, clock: Clock, event: AlarmReturned) -> None:
    """Write into the alarm's ticket that the value is normal again.

    Work that somebody has said is done, is done with it, once no other of the ticket's alarms stands; if the ticket
    was merged into another, that is where the work was. Whether work that was not begun is needed still, a person says.
    """
    row = await ticket_of_alarm(session, organisation_id=event.organisation_id, alarm_id=event.alarm_id)
    if row is None:
        return
    principal = Principal.system(event.organisation_id)
    await tell(session, clock, principal, row, Deed.ALARM_RETURNED, is_public=False)
    while row.merged_into_id is not None:
        row = await locked(session, principal, ticket_id=row.merged_into_id)
    if row.state is State.VERIFYING and not await must_verify(session, principal, ticket_id=row.id):
        await carry(session, clock, principal, row, Act.VERIFY)
        row.closed_at = clock.now()


async def open_for_alarm(session: AsyncSession, clock: Clock, principal: Principal, *, alarm_id: int) -> int:
    """Return the alarm's one ticket: the one it has, one resolved lately for the same trouble, or a new one.

    The same rule at the same point raising again within the type's days of rework means that the work did not help:
    the ticket is taken up again and counts as rework.

    Raises:
        NotFound: there is no such alarm that the principal may see.
    """
    alarm = await alarms.alarm(session, principal, alarm_id=alarm_id)
    row = await ticket_of_alarm(session, organisation_id=principal.organisation_id, alarm_id=alarm_id)
    if row is not None:
        return row.id
    await alarms.keep(session, principal, alarm_id=alarm_id)
    again = await resolved_before(session, principal, alarm)
    if again is not None and await _is_rework(session, clock, again, alarm):
        return await _take_up(session, clock, principal, again, alarm)
    ticket_id = await open_ticket(
        session,
        clock,
        principal,
        type_code=ALARM_REPAIR,
        subject=alarm.name or _NOTHING_SAID,
        location=Location(community_id=alarm.community_id, place_id=alarm.place_id, place=alarm.place),
        priority=alarm.priority,
        origin=Origin.ALARM,
    )
    await link(session, principal, ticket_id=ticket_id, alarm=alarm, is_rework=False)
    return ticket_id


async def _is_rework(session: AsyncSession, clock: Clock, row: TicketRow, alarm: Alarm) -> bool:
    """Return whether the alarm says that the work did not help: it was soon, and after the ticket was opened."""
    ticket_type = await session.get_one(TicketTypeRow, row.type_id)
    is_soon = row.closed_at is not None and clock.now() - row.closed_at <= timedelta(days=ticket_type.rework_days)
    return is_soon and alarm.raised_at > row.opened_at


async def _take_up(session: AsyncSession, clock: Clock, principal: Principal, row: TicketRow, alarm: Alarm) -> int:
    await link(session, principal, ticket_id=row.id, alarm=alarm, is_rework=True)
    row.reworked += 1
    await tell(session, clock, principal, row, Deed.REWORKED, is_public=False)
    await take_up(session, clock, principal, row, text="")
    return row.id

"""Tickets that alarms open, and what alarms tell them afterwards."""

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.alarms import service as alarms
from cloud.alarms.domain import AlarmAnnounced, AlarmReturned
from cloud.core.clock import Clock
from cloud.core.principal import Principal
from cloud.core.words import Words
from cloud.tickets.domain import ALARM_REPAIR, Deed
from cloud.tickets.service import Location, open_ticket, tell
from cloud.tickets.tables import ticket_of_alarm

_NOTHING_SAID = Words(zh="", en="")


async def open_for_announced(session: AsyncSession, clock: Clock, event: AlarmAnnounced) -> None:
    """Open the ticket of an alarm that asks for a person; said again, it changes nothing."""
    await open_for_alarm(session, clock, Principal.system(event.organisation_id), alarm_id=event.alarm_id)


async def tell_of_return(session: AsyncSession, clock: Clock, event: AlarmReturned) -> None:
    """Write into the alarm's ticket that the value is normal again; whether the work is done, a person says."""
    row = await ticket_of_alarm(session, organisation_id=event.organisation_id, alarm_id=event.alarm_id)
    if row is not None:
        principal = Principal.system(event.organisation_id)
        await tell(session, clock, principal, row, Deed.ALARM_RETURNED, is_public=False)


async def open_for_alarm(session: AsyncSession, clock: Clock, principal: Principal, *, alarm_id: int) -> int:
    """Return the alarm's one ticket, which is opened if it has none.

    Raises:
        NotFound: there is no such alarm that the principal may see.
    """
    alarm = await alarms.alarm(session, principal, alarm_id=alarm_id)
    row = await ticket_of_alarm(session, organisation_id=principal.organisation_id, alarm_id=alarm_id)
    if row is not None:
        return row.id
    return await open_ticket(
        session,
        clock,
        principal,
        type_code=ALARM_REPAIR,
        subject=alarm.name or _NOTHING_SAID,
        location=Location(community_id=alarm.community_id, place_id=alarm.place_id, place=alarm.place),
        priority=alarm.priority,
        alarm_id=alarm_id,
    )

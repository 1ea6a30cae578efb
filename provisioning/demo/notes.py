"""What happens in the practice estate while it runs, told as it happens."""

import asyncio
from collections.abc import AsyncGenerator

from cloud.alarms import service as alarms
from cloud.alarms.service import Alarm
from cloud.core.clock import Clock
from cloud.core.database import Database
from cloud.core.listing import Ask
from cloud.core.principal import Principal
from cloud.tickets import reading as tickets
from cloud.tickets.reading import Ticket
from protocols.units import symbol

_LOOK_EVERY_S = 1.0


async def notes(database: Database, clock: Clock, principal: Principal) -> AsyncGenerator[str, None]:
    """Yield a sentence for every alarm that asks for somebody, and one for each that is over, for ever.

    What stood when it began is told too, so that a demo that is started again says how things are.
    """
    raised: set[int] = set()
    returned: set[int] = set()
    while True:
        async with database.reading() as session:
            found = await alarms.list_alarms(session, principal, Ask(limit=None), only_current=True)
            asking = [alarm for alarm in found.rows if alarm.announced_at is not None]
            opened = await tickets.tickets_of_alarms(
                session, clock, principal, alarm_ids=[alarm.id for alarm in asking]
            )
        for alarm in asking:
            if alarm.id in opened and alarm.id not in raised:
                raised.add(alarm.id)
                yield _raised(alarm, opened[alarm.id])
            if not alarm.is_active and alarm.id in raised - returned:
                returned.add(alarm.id)
                yield f"alarm over: {_what(alarm)} at {alarm.place}"
        await asyncio.sleep(_LOOK_EVERY_S)


def _raised(alarm: Alarm, ticket: Ticket) -> str:
    value = "" if alarm.raised_value is None else f", value {alarm.raised_value:g} {symbol(alarm.unit)}".rstrip()
    return f"alarm raised: {_what(alarm)} at {alarm.place}{value}; ticket {ticket.number} is open"


def _what(alarm: Alarm) -> str:
    if alarm.name is None:
        return f"{alarm.cause}"
    return alarm.name.zh or alarm.name.en

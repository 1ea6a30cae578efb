"""When an alarm asks for a person, and when it says that it is over."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.alarms.domain import AlarmAnnounced, AlarmReturned
from cloud.alarms.tables import AlarmRow, forgotten_alarms, unannounced_alarms
from cloud.core.clock import Clock
from cloud.core.outbox import emit

RECENT = timedelta(minutes=5)
"""An alarm raised within this asks at once, whatever its box has still to send: it is not a thing of the past."""

FORGOTTEN = timedelta(minutes=10)
"""A box that was sending its backlog and has said nothing for this long will not say soon what became of an alarm."""

_AT_ONCE = 200


async def announce_of_box(
    session: AsyncSession, clock: Clock, *, organisation_id: int, box_id: int, is_caught_up: bool
) -> bool:
    """Announce the box's standing alarms: all once it has nothing more to say, else those that are recent.

    Returns whether there were any.
    """
    since = None if is_caught_up else clock.now() - RECENT
    alarms = await unannounced_alarms(session, organisation_id=organisation_id, box_id=box_id, raised_since=since)
    await announce(session, clock, alarms)
    return bool(alarms)


async def announce_forgotten(session: AsyncSession, clock: Clock) -> set[int]:
    """Announce alarms whose backlog never drained; a job, to be repeated until it returns no organisation."""
    alarms = await forgotten_alarms(session, before=clock.now() - FORGOTTEN, limit=_AT_ONCE)
    await announce(session, clock, alarms)
    return {alarm.organisation_id for alarm in alarms}


async def announce(session: AsyncSession, clock: Clock, alarms: Sequence[AlarmRow]) -> None:
    """Let alarms ask for a person; each asks once."""
    for alarm in alarms:
        alarm.announced_at = clock.now()
    for alarm in alarms:
        event = AlarmAnnounced(
            organisation_id=alarm.organisation_id,
            alarm_id=alarm.id,
            priority=alarm.priority,
            point_id=alarm.point_id,
            rule_id=alarm.rule_id,
        )
        await emit(session, clock, event)


async def tell_return(session: AsyncSession, clock: Clock, alarm: AlarmRow) -> None:
    """Say that an alarm is over, if anybody may know of it."""
    if alarm.is_seen:
        await emit(session, clock, AlarmReturned(organisation_id=alarm.organisation_id, alarm_id=alarm.id))

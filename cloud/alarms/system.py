"""What Gatehouse itself raises about its boxes: nobody writes a rule for it, and everybody should know of it."""

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.alarms.announcing import announce
from cloud.alarms.book import end, place_of
from cloud.alarms.domain import Cause, Deed, Priority
from cloud.alarms.tables import AlarmRow, entry, standing_cause, standing_causes
from cloud.core.clock import Clock, to_us
from cloud.core.principal import Principal
from cloud.fleet.boxes import visible_box
from cloud.fleet.domain import BoxCloned, RowsConflicted, RowsLost
from cloud.fleet.presence import quiet_boxes

PRIORITIES: Mapping[Cause, Priority] = {
    Cause.BOX_AWAY: Priority.HIGH,
    Cause.BOX_CLONED: Priority.CRITICAL,
    Cause.ROWS_CONFLICTED: Priority.HIGH,
    Cause.ROWS_LOST: Priority.HIGH,
}

AWAY = timedelta(minutes=10)
"""How long a box may say nothing before a person is called: longer than its restart, an update, a carrier's hiccup."""


async def note_clone(session: AsyncSession, clock: Clock, event: BoxCloned) -> None:
    """Raise that two machines hold one box's key."""
    await _happened(session, clock, event, Cause.BOX_CLONED)


async def note_conflict(session: AsyncSession, clock: Clock, event: RowsConflicted) -> None:
    """Raise that rows came again with other content."""
    await _happened(session, clock, event, Cause.ROWS_CONFLICTED)


async def note_loss(session: AsyncSession, clock: Clock, event: RowsLost) -> None:
    """Raise that a box let rows go unsent."""
    await _happened(session, clock, event, Cause.ROWS_LOST)


async def watch_boxes(session: AsyncSession, clock: Clock) -> set[int]:
    """Raise that boxes are away, and return those that are back; a job, to be repeated until it returns nobody.

    Returns the organisations for which anything changed.
    """
    quiet = await quiet_boxes(session, since=clock.now() - AWAY)
    standing = {alarm.box_id: alarm for alarm in await standing_causes(session, cause=Cause.BOX_AWAY)}
    touched = set()
    for box_id in sorted(quiet.keys() - standing.keys()):
        await _raise(session, clock, organisation_id=quiet[box_id], box_id=box_id, cause=Cause.BOX_AWAY)
        touched.add(quiet[box_id])
    for box_id in sorted(standing.keys() - quiet.keys()):
        await end(session, clock, standing[box_id], at_us=to_us(clock.now()), value=None)
        touched.add(standing[box_id].organisation_id)
    return touched


async def _happened(
    session: AsyncSession, clock: Clock, event: BoxCloned | RowsConflicted | RowsLost, cause: Cause
) -> None:
    """Raise a cause at a box, or count it once more while it stands."""
    standing = await standing_cause(session, organisation_id=event.organisation_id, box_id=event.box_id, cause=cause)
    if standing is None:
        await _raise(session, clock, organisation_id=event.organisation_id, box_id=event.box_id, cause=cause)
        return
    standing.occurrences += 1
    ours = Principal.system(event.organisation_id)
    session.add(entry(standing, ours, at=clock.now(), deed=Deed.REPEATED))
    await session.flush()


async def _raise(session: AsyncSession, clock: Clock, *, organisation_id: int, box_id: int, cause: Cause) -> None:
    ours = Principal.system(organisation_id)
    box = await visible_box(session, ours, box_id=box_id)
    row = AlarmRow(
        organisation_id=organisation_id,
        community_id=box.community_id,
        place_id=box.place_id,
        place=await place_of(session, ours, community_id=box.community_id, place_id=box.place_id),
        box_id=box_id,
        cause=cause,
        unit="1",
        priority=int(PRIORITIES[cause]),
        label=box.name,
        raised_at=clock.now(),
        created_at=clock.now(),
    )
    session.add(row)
    await session.flush()
    await announce(session, clock, [row])

import asyncio
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import func, select

from cloud.alarms.domain import AlarmAnnounced, AlarmReturned, Cause, Priority
from cloud.alarms.system import note_loss
from cloud.core.clock import from_us
from cloud.core.errors import NotFound
from cloud.core.principal import Role
from cloud.fleet.domain import RowsLost
from cloud.tickets.domain import ALARM_REPAIR, Deed, State
from cloud.tickets.from_alarms import open_for_alarm, open_for_announced, tell_of_return
from cloud.tickets.reading import Ticket, ticket, tickets_of_alarms
from cloud.tickets.tables import TicketRow
from cloud.tickets.timeline import timeline
from tests.cloud.alarms.site import Site
from tests.cloud.estate import make_organisation


async def deliver(site: Site) -> None:
    """Hand on every event of the alarms, those that were handed on before too."""
    for event in await site.emitted(AlarmAnnounced.kind):
        async with site.database.transaction() as session:
            await open_for_announced(session, site.clock, msgspec.convert(event, AlarmAnnounced))
    for event in await site.emitted(AlarmReturned.kind):
        async with site.database.transaction() as session:
            await tell_of_return(session, site.clock, msgspec.convert(event, AlarmReturned))


async def ticket_of(site: Site, alarm_id: int) -> Ticket:
    async with site.database.reading() as session:
        return (await tickets_of_alarms(session, site.clock, site.system, alarm_ids=[alarm_id]))[alarm_id]


async def test_an_announced_alarm_opens_one_ticket_with_its_words_place_and_deadline(site: Site) -> None:
    await site.rule()
    await site.measure((-1, 91.0))
    (alarm,) = await site.alarms()
    await deliver(site)
    await deliver(site)
    found = await ticket_of(site, alarm.id)
    assert (found.type.code, found.subject, found.priority) == (ALARM_REPAIR, alarm.name, Priority.HIGH)
    assert (found.place, found.state) == ("云杉苑 · 3 栋 · 办公室", State.OPEN)
    assert found.due_at == site.clock.now() + timedelta(minutes=240)
    async with site.database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(TicketRow)) == 1
        (line,) = (await timeline(session, site.system, ticket_ids=[found.id]))[found.id]
    assert (line.deed, line.actor) == (Deed.OPENED, "")


async def test_the_value_coming_back_is_told_and_leaves_the_ticket_open(site: Site) -> None:
    await site.rule()
    await site.measure((-2, 91.0))
    await site.measure((-1, 70.0))
    (alarm,) = await site.alarms()
    await deliver(site)
    found = await ticket_of(site, alarm.id)
    assert found.state is State.OPEN
    async with site.database.reading() as session:
        lines = (await timeline(session, site.system, ticket_ids=[found.id]))[found.id]
    assert [(line.deed, line.is_public) for line in lines] == [(Deed.ALARM_RETURNED, False), (Deed.OPENED, True)]


async def test_an_episode_that_rose_and_fell_in_a_backlog_opens_no_ticket(site: Site) -> None:
    await site.rule()
    await site.measure((0, 70.0), pending=2)
    await site.measure((-7200, 91.0), (-3600, 70.0))
    await deliver(site)
    async with site.database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(TicketRow)) == 0


async def test_what_gatehouse_raised_itself_opens_a_ticket_that_its_cause_names(site: Site) -> None:
    async with site.database.transaction() as session:
        lost = RowsLost(
            organisation_id=site.estate.organisation_id, box_id=site.box_id, store="0" * 32, ranges=[(1, 2)]
        )
        await note_loss(session, site.clock, lost)
    (alarm,) = await site.alarms()
    assert alarm.cause is Cause.ROWS_LOST
    await deliver(site)
    assert (await ticket_of(site, alarm.id)).subject is None


async def test_person_and_event_at_the_same_time_open_one_ticket(site: Site) -> None:
    await site.rule()
    await site.measure((-1, 91.0))
    (alarm,) = await site.alarms()

    async def press_t() -> int:
        async with site.database.transaction() as session:
            return await open_for_alarm(session, site.clock, site.operator, alarm_id=alarm.id)

    ids = await asyncio.gather(press_t(), press_t(), deliver(site))
    assert ids[0] == ids[1]
    async with site.database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(TicketRow)) == 1


async def test_a_neighbours_alarm_opens_nothing(site: Site) -> None:
    await site.rule()
    await site.measure((-1, 91.0))
    (alarm,) = await site.alarms()
    assert alarm.raised_at == from_us(site.us(-1))
    neighbour = (await make_organisation(site.database, site.clock, name="邻家物业")).principals[Role.OPERATOR]
    async with site.database.transaction() as session:
        with pytest.raises(NotFound):
            await open_for_alarm(session, site.clock, neighbour, alarm_id=alarm.id)
        with pytest.raises(NotFound):
            await ticket(session, site.clock, neighbour, ticket_id=1)

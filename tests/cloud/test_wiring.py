from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from cloud.alarms.domain import Stage
from cloud.alarms.terms import Silence
from cloud.core.database import Database, Routes
from cloud.core.delivery import DeliveryLoop
from cloud.core.events import Event
from cloud.core.jobs import Job
from cloud.core.listing import Ask
from cloud.core.outbox import emit
from cloud.core.principal import Role
from cloud.core.wiring import Wiring
from cloud.fleet.domain import ReadingsTaken, RowsLost
from cloud.fleet.series import SeriesStore
from cloud.fleet.series_url import open_series
from cloud.notifications.domain import Kind
from cloud.notifications.inbox import list_messages
from cloud.notifications.tables import MessageRow
from cloud.tickets.reading import tickets_of_alarms
from cloud.tickets.service import assign
from cloud.tickets.timeline import timeline
from cloud.web.live import Hub
from cloud.wiring import jobs, wire
from tests.clocks import FixedClock
from tests.cloud.alarms.site import Site, make_site
from tests.cloud.estate import make_organisation


@pytest.fixture
async def series(tmp_path: Path) -> AsyncIterator[SeriesStore]:
    store = open_series(f"sqlite+aiosqlite:///{tmp_path / 'series.db'}")
    await store.prepare()
    yield store
    await store.close()


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
def wiring(series: SeriesStore, hub: Hub) -> Wiring:
    return wire(series, hub)


@pytest.fixture
def routes(wiring: Wiring) -> Routes:
    return wiring.routes


@pytest.fixture
async def site(database: Database, clock: FixedClock, series: SeriesStore) -> Site:
    return await make_site(database, clock, series, await make_organisation(database, clock))


@pytest.fixture
def loop(database: Database, clock: FixedClock, wiring: Wiring) -> DeliveryLoop:
    return DeliveryLoop(database, clock, wiring)


async def say(site: Site, event: Event) -> None:
    async with site.database.transaction() as session:
        await emit(session, site.clock, event)


async def taken(site: Site, *values: float) -> None:
    """Let a live value after the other be taken, a second apart."""
    for value in values:
        site.clock.advance(seconds=1)
        rows = [(site.points["probe/temperature"], site.us(0), value, 0)]
        await site.series.append(rows)
        organisation_id = site.estate.organisation_id
        await say(site, ReadingsTaken(organisation_id=organisation_id, box_id=site.box_id, rows=rows, pending=0))


async def run(site: Site, hub: Hub, name: str) -> None:
    job: Job = next(job for job in jobs(site.series, hub) if job.name == name)
    await job.run(site.database, site.clock)


async def test_a_reading_becomes_an_alarm_and_its_ticket_and_open_pages_hear_of_both(
    site: Site, hub: Hub, loop: DeliveryLoop
) -> None:
    await site.rule()
    await taken(site, 70.0, 91.0)
    await loop.deliver_due()
    (alarm,) = await site.alarms()
    async with site.database.reading() as session:
        tickets = await tickets_of_alarms(session, site.clock, site.system, alarm_ids=[alarm.id])
    assert tickets[alarm.id].subject == alarm.name
    assert set(hub.versions(site.estate.organisation_id)) == {"alarms", "tickets"}


async def test_readings_that_change_nothing_leave_open_pages_alone(site: Site, hub: Hub, loop: DeliveryLoop) -> None:
    await site.rule()
    await taken(site, 70.0, 71.0, 72.0)
    await loop.deliver_due()
    assert hub.versions(site.estate.organisation_id) == {}


async def test_the_value_coming_back_reaches_the_ticket(site: Site, hub: Hub, loop: DeliveryLoop) -> None:
    await site.rule()
    await taken(site, 91.0)
    await loop.deliver_due()
    before = hub.versions(site.estate.organisation_id)["tickets"]
    await taken(site, 70.0)
    await loop.deliver_due()
    (alarm,) = await site.alarms()
    assert alarm.stage is Stage.RETURNED
    async with site.database.reading() as session:
        (ticket,) = (await tickets_of_alarms(session, site.clock, site.system, alarm_ids=[alarm.id])).values()
        assert len((await timeline(session, site.system, ticket_ids=[ticket.id]))[ticket.id]) == 2
    assert hub.versions(site.estate.organisation_id)["tickets"] > before


async def test_what_a_box_lost_is_an_alarm_with_a_ticket(site: Site, loop: DeliveryLoop) -> None:
    organisation_id = site.estate.organisation_id
    await say(site, RowsLost(organisation_id=organisation_id, box_id=site.box_id, store="0" * 32, ranges=[(1, 5)]))
    await loop.deliver_due()
    (alarm,) = await site.alarms()
    async with site.database.reading() as session:
        assert await tickets_of_alarms(session, site.clock, site.system, alarm_ids=[alarm.id])


async def test_a_box_that_went_away_is_found_by_its_job_and_open_pages_hear_of_it(
    site: Site, hub: Hub, loop: DeliveryLoop
) -> None:
    site.clock.advance(minutes=11)
    await run(site, hub, "alarms.watch_boxes")
    assert len(await site.alarms()) == 1
    assert set(hub.versions(site.estate.organisation_id)) == {"alarms"}
    assert await loop.deliver_due() == 2  # the alarm's ticket, and the search for who does it


async def test_a_ticket_that_nobody_can_do_calls_a_supervisor_by_the_search_s_job(
    site: Site, hub: Hub, loop: DeliveryLoop
) -> None:
    await site.rule()
    await taken(site, 91.0)
    await loop.deliver_due()
    await run(site, hub, "tickets.dispatch_due")
    await loop.deliver_due()
    async with site.database.reading() as session:
        manager = site.estate.principals[Role.MANAGER]
        (message,) = await session.scalars(select(MessageRow.link).where(MessageRow.person_id == manager.person_id))
    assert message == "/dispatch/1"


async def test_a_delay_that_runs_out_is_found_by_its_job(site: Site, hub: Hub, loop: DeliveryLoop) -> None:
    await site.rule(Silence(after_s=60))
    await taken(site, 70.0)
    await loop.deliver_due()
    site.clock.advance(seconds=61)
    await run(site, hub, "alarms.judge_due")
    assert len(await site.alarms()) == 1


def test_every_job_has_its_own_name(series: SeriesStore, hub: Hub) -> None:
    names = [job.name for job in jobs(series, hub)]
    assert len(set(names)) == len(names)


async def test_a_ticket_that_is_given_to_a_worker_stands_in_their_inbox_and_open_pages_hear_of_it(
    site: Site, hub: Hub, loop: DeliveryLoop
) -> None:
    worker = site.estate.principals[Role.WORKER]
    await site.rule()
    await taken(site, 91.0)
    await loop.deliver_due()
    (alarm,) = await site.alarms()
    async with site.database.transaction() as session:
        (ticket,) = (await tickets_of_alarms(session, site.clock, site.system, alarm_ids=[alarm.id])).values()
        desk = site.estate.principals[Role.DESK]
        await assign(session, site.clock, desk, ticket_id=ticket.id, version=ticket.version, person_id=worker.person_id)
    await loop.deliver_due()
    async with site.database.reading() as session:
        (message,) = (await list_messages(session, worker, Ask())).rows
    assert (message.kind, message.link) == (Kind.TICKET_ASSIGNED, f"/tickets/{ticket.id}")
    assert message.subject.zh == f"工单 {ticket.number} 已派给您：办公室温度异常"
    assert "inbox" in hub.versions(site.estate.organisation_id)

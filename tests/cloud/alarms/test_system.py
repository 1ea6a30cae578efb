import pytest

from cloud.alarms.domain import Cause, Deed, Priority, Stage
from cloud.alarms.service import acknowledge, record
from cloud.alarms.system import note_clone, note_conflict, note_loss, watch_boxes
from cloud.core.events import Event
from cloud.fleet.boxes import revoke
from cloud.fleet.domain import BoxCloned, RowsConflicted, RowsLost
from tests.cloud.alarms.site import Site


async def tell(site: Site, event: Event) -> None:
    handlers = {BoxCloned: note_clone, RowsConflicted: note_conflict, RowsLost: note_loss}
    async with site.database.transaction() as session:
        await handlers[type(event)](session, site.clock, event)


def news(site: Site, cause: Cause) -> Event:
    about = {"organisation_id": site.estate.organisation_id, "box_id": site.box_id}
    match cause:
        case Cause.BOX_CLONED:
            return BoxCloned(**about, boots=["a", "b"])
        case Cause.ROWS_CONFLICTED:
            return RowsConflicted(**about, store="0" * 32, seqs=[7])
        case _:
            return RowsLost(**about, store="0" * 32, ranges=[(1, 9)])


@pytest.mark.parametrize(
    ("cause", "priority"),
    [
        (Cause.BOX_CLONED, Priority.CRITICAL),
        (Cause.ROWS_CONFLICTED, Priority.HIGH),
        (Cause.ROWS_LOST, Priority.HIGH),
    ],
)
async def test_what_happens_to_a_box_is_an_alarm_that_asks_at_once(
    site: Site, cause: Cause, priority: Priority
) -> None:
    await tell(site, news(site, cause))
    (alarm,) = await site.alarms()
    assert (alarm.cause, alarm.priority, alarm.box_id) == (cause, priority, site.box_id)
    assert (alarm.label, alarm.place) == ("3 栋网关", "云杉苑")
    assert [event["alarm_id"] for event in await site.emitted("alarms.announced")] == [alarm.id]


async def test_what_happens_again_is_counted_in_the_alarm_that_stands(site: Site) -> None:
    for _ in range(3):
        await tell(site, news(site, Cause.ROWS_CONFLICTED))
    (alarm,) = await site.alarms()
    assert alarm.occurrences == 3
    async with site.database.reading() as session:
        deeds = [line.deed for line in await record(session, site.operator, alarm_id=alarm.id)]
    assert deeds == [Deed.REPEATED, Deed.REPEATED]


async def test_it_stands_until_somebody_has_taken_notice_and_then_a_new_one_begins(site: Site) -> None:
    await tell(site, news(site, Cause.ROWS_LOST))
    (alarm,) = await site.alarms()
    async with site.database.transaction() as session:
        await acknowledge(session, site.clock, site.operator, alarm_ids=[alarm.id])
    (alarm,) = await site.alarms()
    assert (alarm.stage, alarm.returned_at) == (Stage.CLOSED, site.clock.now())
    await tell(site, news(site, Cause.ROWS_LOST))
    assert len(await site.alarms()) == 2


async def watch(site: Site) -> set[int]:
    async with site.database.transaction() as session:
        return await watch_boxes(session, site.clock)


async def test_a_box_that_says_nothing_is_away_and_returns_when_it_speaks(site: Site) -> None:
    site.clock.advance(minutes=9)
    assert await watch(site) == set()
    site.clock.advance(minutes=2)
    assert await watch(site) == {site.estate.organisation_id}
    assert await watch(site) == set()
    (alarm,) = await site.alarms()
    assert (alarm.cause, alarm.priority, alarm.is_active) == (Cause.BOX_AWAY, Priority.HIGH, True)
    await site.send((-1, 70.0), watched=False)
    assert await watch(site) == {site.estate.organisation_id}
    (alarm,) = await site.alarms()
    assert alarm.returned_at == site.clock.now()
    assert len(await site.emitted("alarms.returned")) == 1


async def test_a_box_that_is_away_stays_so_when_somebody_takes_notice(site: Site) -> None:
    site.clock.advance(minutes=11)
    await watch(site)
    (alarm,) = await site.alarms()
    async with site.database.transaction() as session:
        await acknowledge(session, site.clock, site.operator, alarm_ids=[alarm.id])
    (alarm,) = await site.alarms()
    assert alarm.stage is Stage.ACKNOWLEDGED


async def test_a_box_that_was_shown_out_is_not_missed(site: Site) -> None:
    async with site.database.transaction() as session:
        await revoke(session, site.clock, site.estate.administrator, box_id=site.box_id)
    site.clock.advance(hours=1)
    assert await watch(site) == set()

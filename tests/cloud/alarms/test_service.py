import pytest

from cloud.alarms.domain import TRANSITIONS, Act, Deed, Notice, Stage, moved
from cloud.alarms.service import (
    Alarm,
    acknowledge,
    alarm,
    counts,
    history_of,
    list_alarms,
    load,
    note,
    record,
    unacknowledge,
)
from cloud.alarms.terms import Limits
from cloud.core.errors import Conflict, Forbidden, NotFound, Refused
from cloud.core.listing import Ask, Filter, Operator
from cloud.core.principal import Principal, Role
from tests.cloud.alarms.site import Site
from tests.cloud.estate import make_organisation


@pytest.mark.parametrize("act", Act, ids=str)
@pytest.mark.parametrize("stage", Stage, ids=str)
def test_an_alarm_moves_by_the_table_and_no_other_way(stage: Stage, act: Act) -> None:
    if (stage, act) in TRANSITIONS:
        assert moved(stage, act) is TRANSITIONS[stage, act]
    else:
        with pytest.raises(Conflict):
            moved(stage, act)


@pytest.fixture
async def standing(site: Site) -> Alarm:
    """An alarm that was announced and stands."""
    await site.rule()
    await site.measure((-60, 91.0))
    (found,) = await site.alarms()
    return found


async def seen(site: Site, alarm_id: int) -> Alarm:
    async with site.database.reading() as session:
        return await alarm(session, site.system, alarm_id=alarm_id)


async def test_taking_notice_says_who_and_when_and_what_they_wrote(site: Site, standing: Alarm) -> None:
    async with site.database.transaction() as session:
        done = await acknowledge(session, site.clock, site.operator, alarm_ids=[standing.id], note=" 已派人 ")
    assert done == [standing.id]
    after = await seen(site, standing.id)
    assert (after.stage, after.notice) == (Stage.ACKNOWLEDGED, Notice.TAKEN)
    assert (after.acknowledged_at, after.acknowledged_by) == (site.clock.now(), site.operator.person_id)
    async with site.database.reading() as session:
        (line,) = await record(session, site.operator, alarm_id=standing.id)
    assert (line.deed, line.actor, line.text) == (Deed.ACKNOWLEDGED, "钱二", "已派人")


async def test_taking_notice_twice_is_a_conflict(site: Site, standing: Alarm) -> None:
    async with site.database.transaction() as session:
        await acknowledge(session, site.clock, site.operator, alarm_ids=[standing.id])
    async with site.database.transaction() as session:
        with pytest.raises(Conflict, match="already acknowledged"):
            await acknowledge(session, site.clock, site.operator, alarm_ids=[standing.id])


async def test_of_many_only_those_nobody_has_noticed_are_taken(site: Site, standing: Alarm) -> None:
    await site.rule(Limits(high=50.0), unit="%", point="probe/humidity")
    await site.measure((-50, 60.0), point="probe/humidity")
    both = [found.id for found in await site.alarms()]
    async with site.database.transaction() as session:
        await acknowledge(session, site.clock, site.operator, alarm_ids=[standing.id])
    async with site.database.transaction() as session:
        assert await acknowledge(session, site.clock, site.operator, alarm_ids=both) == [both[1]]


async def test_ones_own_notice_can_be_taken_back(site: Site, standing: Alarm) -> None:
    async with site.database.transaction() as session:
        await acknowledge(session, site.clock, site.operator, alarm_ids=[standing.id])
    async with site.database.transaction() as session:
        await unacknowledge(session, site.clock, site.operator, alarm_ids=[standing.id])
    assert (await seen(site, standing.id)).stage is Stage.UNACKNOWLEDGED
    async with site.database.transaction() as session:
        await acknowledge(session, site.clock, site.estate.administrator, alarm_ids=[standing.id])
    async with site.database.transaction() as session:
        with pytest.raises(Conflict, match="Somebody else"):
            await unacknowledge(session, site.clock, site.operator, alarm_ids=[standing.id])


async def test_a_note_is_kept_and_an_empty_one_is_refused(site: Site, standing: Alarm) -> None:
    async with site.database.transaction() as session:
        await note(session, site.clock, site.operator, alarm_id=standing.id, text="窗户开着")
    async with site.database.transaction() as session:
        with pytest.raises(Refused) as refused:
            await note(session, site.clock, site.operator, alarm_id=standing.id, text="  ")
    assert refused.value.field == "text"
    async with site.database.reading() as session:
        assert [line.text for line in await record(session, site.operator, alarm_id=standing.id)] == ["窗户开着"]


async def test_only_the_control_room_takes_notice(site: Site, standing: Alarm) -> None:
    for role in (Role.DESK, Role.WORKER, Role.OFFICE, Role.MANAGER):
        async with site.database.transaction() as session:
            with pytest.raises(Forbidden):
                await acknowledge(session, site.clock, site.estate.principals[role], alarm_ids=[standing.id])


async def test_another_organisation_and_another_community_see_nothing(site: Site, standing: Alarm) -> None:
    neighbour = (await make_organisation(site.database, site.clock, name="邻家物业")).principals[Role.OPERATOR]
    elsewhere = Principal(
        organisation_id=site.estate.organisation_id, roles=frozenset({Role.OPERATOR}), communities=frozenset({999})
    )
    for stranger in (neighbour, elsewhere):
        async with site.database.transaction() as session:
            with pytest.raises(NotFound):
                await alarm(session, stranger, alarm_id=standing.id)
            with pytest.raises(NotFound):
                await acknowledge(session, site.clock, stranger, alarm_ids=[standing.id])
            assert (await list_alarms(session, stranger, Ask(), only_current=False)).total == 0
            assert (await load(session, site.clock, stranger)).active == 0


async def test_the_current_list_holds_what_stands_or_asks_and_no_history(site: Site) -> None:
    await site.rule()
    await site.measure((0, 70.0), pending=1)
    await site.measure((-7200, 90.0), (-3600, 70.0), pending=1)
    async with site.database.reading() as session:
        assert (await list_alarms(session, site.operator, Ask(), only_current=True)).total == 0
        everything = await list_alarms(session, site.operator, Ask(), only_current=False)
    assert [found.notice for found in everything.rows] == [Notice.NEVER_ASKED]
    await site.measure((1, 91.0))
    await site.measure((2, 70.0))
    async with site.database.reading() as session:
        current = await list_alarms(session, site.operator, Ask(), only_current=True)
    assert [found.stage for found in current.rows] == [Stage.RETURNED]


async def test_active_and_acknowledged_are_filtered_apart(site: Site) -> None:
    await site.rule()
    await site.rule(Limits(high=50.0), unit="%", point="probe/humidity")
    await site.measure((-50, 91.0))
    await site.measure((-40, 70.0))
    await site.measure((-50, 60.0), point="probe/humidity")
    names = {site.points[f"probe/{name}"]: name for name in ("temperature", "humidity")}
    humid = next(found for found in await site.alarms() if names[found.point_id] == "humidity")
    async with site.database.transaction() as session:
        await acknowledge(session, site.clock, site.operator, alarm_ids=[humid.id])
    for column, value, expected in (
        ("active", 1, ["humidity"]),
        ("active", 0, ["temperature"]),
        ("acknowledged", Notice.TAKEN, ["humidity"]),
        ("acknowledged", Notice.ASKED, ["temperature"]),
    ):
        ask = Ask(filters=(Filter(column=column, operator=Operator.IS, values=(value,)),))
        async with site.database.reading() as session:
            found = await list_alarms(session, site.operator, ask, only_current=False)
        assert [names[row.point_id] for row in found.rows] == expected, (column, value)


async def test_words_are_looked_for_in_names_and_places(site: Site, standing: Alarm) -> None:
    async with site.database.reading() as session:
        for words, total in (("办公室", 1), ("too WARM", 1), ("3 栋", 1), ("水泵", 0), ("100%", 0)):
            found = await list_alarms(session, site.operator, Ask(search=words), only_current=True)
            assert found.total == total, words


async def test_the_load_counts_what_there_is_to_look_at(site: Site) -> None:
    await site.rule()
    await site.rule(Limits(high=50.0), unit="%", point="probe/humidity")
    await site.measure((-100_000, 60.0), point="probe/humidity")
    await site.measure((-60, 91.0))
    await site.measure((-30, 70.0))
    async with site.database.reading() as session:
        found = await load(session, site.clock, site.operator)
    assert (found.active, found.unacknowledged, found.standing, found.recent) == (1, 2, 1, 1)
    assert found.last_cleared_at is not None


async def test_an_alarm_tells_how_often_its_rule_has_raised_of_late(site: Site, standing: Alarm) -> None:
    await site.measure((-50, 70.0), (-40, 91.0), (-30, 70.0), (-20, 91.0))
    newest = (await site.alarms())[-1]
    async with site.database.reading() as session:
        assert await counts(session, site.clock, site.operator, [newest]) == {newest.id: 3}
        earlier = await history_of(session, site.operator, alarm=newest, limit=1)
    assert [found.raised_at < newest.raised_at for found in earlier] == [True]

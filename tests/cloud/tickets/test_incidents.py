from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import select

from cloud.core.errors import Conflict, Forbidden, NotFound, Refused
from cloud.core.listing import Ask, Filter, Operator
from cloud.core.principal import Principal, Role
from cloud.notifications.domain import Kind
from cloud.notifications.tables import MessageRow
from cloud.properties import finding
from cloud.tickets.domain import Act, Deed, State
from cloud.tickets.incident_area import explicable
from cloud.tickets.incident_clock import judge_due
from cloud.tickets.incident_reading import (
    Affected,
    Incident,
    count_tickets,
    incident,
    list_incidents,
    tickets_of_incident,
)
from cloud.tickets.incidents import add_ticket, change_incident, open_incident, remove_ticket, resolve_incident
from tests.cloud.estate import make_organisation
from tests.cloud.screens.households import make_households
from tests.cloud.tickets.desk import Desk

NOTICE = "3 栋总管抢修，预计 20:00 恢复供水"


async def begin(
    desk: Desk,
    *ticket_ids: int,
    by: Role = Role.DESK,
    title: str = "3 栋停水",
    affected: Sequence[Affected] | None = None,
) -> int:
    site = desk.site
    office = [Affected(place_id=site.place_id, label="云杉苑 · 3 栋 · 办公室")]
    async with site.database.transaction() as session:
        return await open_incident(
            session,
            site.clock,
            desk.principal(by),
            type_code="water_burst",
            title=title,
            script="正在抢修总管，请先储水",
            notice=NOTICE,
            community_id=site.community_id,
            affected=office if affected is None else affected,
            ticket_ids=ticket_ids,
        )


async def judge(desk: Desk) -> None:
    """Run the job of incidents that fall due, until nothing is left."""
    is_done = False
    while not is_done:
        async with desk.site.database.transaction() as session:
            is_done = not await judge_due(session, desk.site.clock)


async def messages(desk: Desk, person: Principal) -> list[str]:
    """Return the subjects of what somebody was sent, the oldest first."""
    async with desk.site.database.reading() as session:
        found = select(MessageRow.subject_en).where(MessageRow.person_id == person.person_id)
        return list(await session.scalars(found.order_by(MessageRow.id)))


async def notices(desk: Desk, person: Principal) -> list[str]:
    """Return the notices of incidents that somebody was sent, the oldest first."""
    async with desk.site.database.reading() as session:
        found = select(MessageRow.text_zh).where(MessageRow.person_id == person.person_id)
        return list(await session.scalars(found.where(MessageRow.kind == Kind.INCIDENT).order_by(MessageRow.id)))


async def end(desk: Desk, incident_id: int, *, with_tickets: bool, result: str = "总管已修复") -> None:
    site = desk.site
    version = (await see(desk, incident_id)).version
    async with site.database.transaction() as session:
        await resolve_incident(
            session,
            site.clock,
            desk.principal(Role.DESK),
            incident_id=incident_id,
            version=version,
            result=result,
            with_tickets=with_tickets,
        )


async def see(desk: Desk, incident_id: int) -> Incident:
    async with desk.site.database.reading() as session:
        return await incident(session, desk.site.clock, desk.site.system, incident_id=incident_id)


async def test_an_incident_says_what_whom_and_until_when(desk: Desk) -> None:
    found = await see(desk, await begin(desk))
    assert (found.title, found.notice, found.type.code) == ("3 栋停水", NOTICE, "water_burst")
    assert [each.label for each in found.affected] == ["云杉苑 · 3 栋 · 办公室"]
    assert (found.due_at - found.opened_at).total_seconds() == 240 * 60
    desk.site.clock.advance(hours=5)
    assert (await see(desk, found.id)).is_late


async def test_its_tickets_read_its_notice(desk: Desk) -> None:
    first, second = await desk.open("water_off"), await desk.open("water_off")
    incident_id = await begin(desk, first)
    site = desk.site
    async with site.database.transaction() as session:
        for _ in range(2):
            await add_ticket(session, site.clock, desk.principal(Role.DESK), incident_id=incident_id, ticket_id=second)
    for ticket_id in (first, second):
        lines = [line for line in await desk.told(ticket_id) if line.deed is Deed.INCIDENT_JOINED]
        assert [(line.text, line.is_public) for line in lines] == [(NOTICE, True)]
    async with site.database.reading() as session:
        newest_first = Ask(sort="number", descending=True)
        explained = await tickets_of_incident(session, site.clock, site.system, newest_first, incident_id=incident_id)
        late = Ask(filters=(Filter(column="late", operator=Operator.IS, values=(1,)),))
        narrowed = await tickets_of_incident(session, site.clock, site.system, late, incident_id=incident_id)
        counts = await count_tickets(session, site.system, [await see(desk, incident_id)])
    assert [each.id for each in explained.rows] == [second, first]
    assert narrowed.total == 0
    assert counts == {incident_id: 2}


async def test_it_warns_a_supervisor_and_calls_them_once_it_is_late_and_stays_late(desk: Desk) -> None:
    incident_id = await begin(desk)
    told = []
    for minutes in (191, 1, 48, 1):  # a burst pipe has 240 minutes, of which 80 % are 192
        desk.site.clock.advance(minutes=minutes)
        desk.site.clock.advance(seconds=1)
        await judge(desk)
        told.append(await messages(desk, desk.principal(Role.MANAGER)))
    warned, late = "An incident is nearly late: 3 栋停水", "An incident is late: 3 栋停水"
    assert told == [[], [warned], [warned, late], [warned, late]]
    await end(desk, incident_id, with_tickets=True)
    assert (await see(desk, incident_id)).is_late
    async with desk.site.database.reading() as session:
        late_ones = Ask(filters=(Filter(column="late", operator=Operator.IS, values=(1,)),))
        listed = await list_incidents(session, desk.site.clock, desk.site.system, late_ones, only_open=False)
    assert [each.id for each in listed.rows] == [incident_id]


async def test_what_is_over_in_time_is_never_late(desk: Desk) -> None:
    incident_id = await begin(desk)
    await end(desk, incident_id, with_tickets=True)
    desk.site.clock.advance(days=1)
    await judge(desk)
    assert not (await see(desk, incident_id)).is_late
    assert await messages(desk, desk.principal(Role.MANAGER)) == []


async def change(
    desk: Desk, incident_id: int, *, version: int, notice: str, script: str = "", affected: Sequence[Affected] = ()
) -> None:
    async with desk.site.database.transaction() as session:
        await change_incident(
            session,
            desk.site.clock,
            desk.principal(Role.DESK),
            incident_id=incident_id,
            version=version,
            title="3 栋停水",
            script=script,
            notice=notice,
            affected=affected,
        )


async def test_everybody_in_its_units_is_sent_each_notice_once(desk: Desk) -> None:
    site = desk.site
    homes = await make_households(site.database, site.clock, site.estate, community_id=site.community_id)
    async with site.database.reading() as session:
        [building] = [each for each in await finding.list_buildings(session, site.system) if each.building_id]
        [unit] = [await finding.find_spot(session, site.system, unit_id=homes.unit_id, place_id=None)]
    own = [Affected(unit_id=unit.unit_id, label=unit.label)]
    incident_id = await begin(desk, affected=own)
    everybody = [*own, Affected(building_id=building.building_id, label=building.label)]
    for version, affected, notice in ((1, own, NOTICE), (2, everybody, NOTICE), (3, everybody, "预计 22:00 恢复")):
        await change(desk, incident_id, version=version, notice=notice, affected=affected)
    assert await notices(desk, homes.owner) == [NOTICE, "预计 22:00 恢复"]
    assert await notices(desk, homes.next_door) == [NOTICE, "预计 22:00 恢复"]
    assert [each.label for each in (await see(desk, incident_id)).affected] == [unit.label, building.label]


async def test_open_tickets_of_its_kind_in_what_it_concerns_are_offered(desk: Desk) -> None:
    site = desk.site
    near, _complaint, joined = await desk.open("water_off"), await desk.open("noise"), await desk.open("water_off")
    done = await desk.open("water_off")
    await desk.do(Act.CANCEL, done)
    incident_id = await begin(desk, joined)
    async with site.database.reading() as session:
        offered = await explicable(session, site.clock, site.system, await see(desk, incident_id))
    assert [each.id for each in offered] == [near]


async def test_a_changed_notice_is_told_and_other_changes_are_not(desk: Desk) -> None:
    ticket_id = await desk.open("water_off")
    incident_id = await begin(desk, ticket_id)
    for version, script, notice in ((1, "新的话术", NOTICE), (2, "新的话术", "预计 22:00 恢复")):
        await change(desk, incident_id, version=version, script=script, notice=notice)
    told = [line.text for line in await desk.told(ticket_id) if line.deed is Deed.INCIDENT_TOLD]
    assert told == ["预计 22:00 恢复"]


async def test_its_end_resolves_its_tickets_or_tells_them(desk: Desk) -> None:
    resolved, told, removed = await desk.open("water_off"), await desk.open("water_off"), await desk.open("water_off")
    await end(desk, await begin(desk, resolved), with_tickets=True)
    found = await desk.see(resolved)
    assert (found.state, found.result, found.closed_at) == (State.RESOLVED, "总管已修复", desk.site.clock.now())
    incident_id, site = await begin(desk, told, removed), desk.site
    async with site.database.transaction() as session:
        await remove_ticket(session, site.clock, desk.principal(Role.DESK), incident_id=incident_id, ticket_id=removed)
    await end(desk, incident_id, with_tickets=False)
    assert (await desk.see(told)).state is State.OPEN
    assert (await desk.told(told))[0].deed is Deed.INCIDENT_TOLD
    assert (await desk.told(removed))[0].deed is Deed.INCIDENT_LEFT
    assert (await desk.see(removed)).incident_id is None


async def test_what_its_end_resolved_and_nobody_had_is_free_when_it_is_taken_up_again(desk: Desk) -> None:
    ticket_id = await desk.open("water_off")
    await end(desk, await begin(desk, ticket_id), with_tickets=True)
    await desk.do(Act.REOPEN, ticket_id)
    assert (await desk.see(ticket_id)).state is State.OPEN


async def test_what_is_over_takes_no_tickets_and_no_words(desk: Desk) -> None:
    incident_id, ticket_id, site = await begin(desk), await desk.open(), desk.site
    await end(desk, incident_id, with_tickets=True)
    async with site.database.transaction() as session:
        with pytest.raises(Conflict, match="is over"):
            await add_ticket(
                session, site.clock, desk.principal(Role.DESK), incident_id=incident_id, ticket_id=ticket_id
            )
    with pytest.raises(Conflict, match="is over"):
        await end(desk, incident_id, with_tickets=True)


async def test_without_a_title_an_end_in_words_or_the_right_there_is_none(desk: Desk) -> None:
    with pytest.raises(Refused):
        await begin(desk, title=" ")
    with pytest.raises(Forbidden):
        await begin(desk, by=Role.WORKER)
    with pytest.raises(Refused):
        await end(desk, await begin(desk), with_tickets=True, result=" ")


async def test_the_list_shows_what_is_open_or_all(desk: Desk) -> None:
    first, second, site = await begin(desk), await begin(desk), desk.site
    await end(desk, first, with_tickets=True)
    async with site.database.reading() as session:
        for only_open, expected in ((True, [second]), (False, [second, first])):
            found = await list_incidents(session, site.clock, site.system, Ask(), only_open=only_open)
            assert sorted([each.id for each in found.rows], reverse=True) == expected


async def test_another_organisation_and_another_community_see_nothing(desk: Desk) -> None:
    incident_id, site = await begin(desk), desk.site
    neighbour = (await make_organisation(site.database, site.clock, name="邻家物业")).principals[Role.DESK]
    elsewhere = Principal(
        organisation_id=site.estate.organisation_id, roles=frozenset({Role.DESK}), communities=frozenset({999})
    )
    async with site.database.reading() as session:
        for stranger in (neighbour, elsewhere):
            with pytest.raises(NotFound):
                await incident(session, site.clock, stranger, incident_id=incident_id)
            assert (await list_incidents(session, site.clock, stranger, Ask(), only_open=False)).total == 0


async def test_who_sees_some_communities_ends_an_incident_of_all_for_the_tickets_of_these_alone(desk: Desk) -> None:
    site, ticket_id = desk.site, await desk.open()
    async with site.database.transaction() as session:
        incident_id = await open_incident(
            session,
            site.clock,
            desk.principal(Role.DESK),
            type_code="water_burst",
            title="全城停水",
            script="",
            notice=NOTICE,
            ticket_ids=[ticket_id],
        )
    elsewhere = replace(desk.principal(Role.DESK), communities=frozenset({site.community_id + 1}))
    async with site.database.transaction() as session:
        await resolve_incident(
            session,
            site.clock,
            elsewhere,
            incident_id=incident_id,
            version=1,
            result="已恢复",
            with_tickets=True,
        )
        found = await see(desk, incident_id)
        assert await count_tickets(session, elsewhere, [found]) == {incident_id: 0}
    assert (await desk.see(ticket_id)).state is State.OPEN

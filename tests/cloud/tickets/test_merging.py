import asyncio

import pytest

from cloud.core.errors import Conflict, Forbidden, GatehouseError, NotFound, Refused
from cloud.core.principal import Role
from cloud.tickets.domain import Act, Deed, State
from cloud.tickets.holding import followed
from cloud.tickets.merging import candidates, holder, merge, merged_into
from cloud.tickets.service import note
from tests.cloud.estate import make_organisation
from tests.cloud.tickets.desk import Desk


async def join(desk: Desk, ticket_id: int, into_id: int, *, by: Role = Role.DESK) -> None:
    site = desk.site
    version = (await desk.see(ticket_id)).version
    async with site.database.transaction() as session:
        await merge(session, site.clock, desk.principal(by), ticket_id=ticket_id, version=version, into_id=into_id)


async def offered(desk: Desk, ticket_id: int) -> list[int]:
    site = desk.site
    async with site.database.reading() as session:
        of = await desk.see(ticket_id)
        return [each.id for each in await candidates(session, site.clock, site.system, of=of)]


async def test_open_tickets_of_the_kind_at_the_place_are_offered_while_they_are_near(desk: Desk) -> None:
    old = await desk.open()
    desk.site.clock.advance(days=8)
    near, other_kind, done = await desk.open(), await desk.open("noise"), await desk.open()
    await desk.do(Act.CANCEL, done)
    mine = await desk.open()
    assert await offered(desk, mine) == [near]
    assert await offered(desk, old) == []
    assert await offered(desk, other_kind) == []


async def test_a_merged_ticket_is_held_by_the_other_and_both_are_told(desk: Desk) -> None:
    into, ticket_id = await desk.open(), await desk.open()
    await join(desk, ticket_id, into)
    found, site = await desk.see(ticket_id), desk.site
    assert (found.state, found.merged_into_id, found.result) == (State.CANCELLED, into, "2026-000001")
    merged_line, kept_line = (await desk.told(ticket_id))[0], (await desk.told(into))[0]
    assert (merged_line.deed, merged_line.text, merged_line.is_public) == (Deed.MERGED, "2026-000001", True)
    assert (kept_line.deed, kept_line.text, kept_line.is_public) == (Deed.ABSORBED, "2026-000002", True)
    assert [line.deed for line in await desk.told(ticket_id)] == [Deed.MERGED, Deed.OPENED]
    async with site.database.reading() as session:
        assert [each.id for each in await merged_into(session, site.clock, site.system, ticket_id=into)] == [ticket_id]
        held = await holder(session, site.clock, site.system, of=found)
    assert held is not None
    assert held.id == into


async def test_whoever_asked_for_a_merged_ticket_follows_what_is_done_in_the_one_that_holds_it(desk: Desk) -> None:
    into, between, ticket_id = await desk.open("public_area"), await desk.open("public_area"), await desk.open()
    await join(desk, ticket_id, between)
    await join(desk, between, into)
    for act in (Act.TAKE, Act.START, Act.RESOLVE):
        await desk.do(act, into, by=Role.WORKER)
    site = desk.site
    async with site.database.transaction() as session:
        await note(
            session, site.clock, desk.principal(Role.DESK), ticket_id=into, text="张三家请先打电话", is_public=True
        )
    async with site.database.reading() as session:
        found = await followed(session, site.clock, site.system, of=await desk.see(ticket_id))
        assert await followed(session, site.clock, site.system, of=await desk.see(into)) is None
    assert found is not None
    assert (found.state, found.is_undone, found.assignee_name) == (State.RESOLVED, False, "李四")
    assert [line.deed for line in found.lines] == [Deed.RESOLVED, Deed.STARTED, Deed.TAKEN]


async def test_taken_up_again_it_stands_by_itself(desk: Desk) -> None:
    into, ticket_id = await desk.open(), await desk.open()
    await join(desk, ticket_id, into)
    await desk.do(Act.REOPEN, ticket_id)
    found = await desk.see(ticket_id)
    assert (found.state, found.merged_into_id) == (State.OPEN, None)


async def test_nothing_is_merged_into_itself_or_into_what_is_closed(desk: Desk) -> None:
    ticket_id, closed = await desk.open(), await desk.open()
    await desk.do(Act.CANCEL, closed)
    with pytest.raises(Refused):
        await join(desk, ticket_id, ticket_id)
    with pytest.raises(Conflict):
        await join(desk, ticket_id, closed)
    with pytest.raises(Conflict):
        await join(desk, closed, ticket_id)
    with pytest.raises(Forbidden):
        await join(desk, ticket_id, await desk.open(), by=Role.WORKER)


async def test_of_two_who_merge_each_into_the_other_one_does(desk: Desk) -> None:
    first, second = await desk.open(), await desk.open()

    async def attempt(ticket_id: int, into_id: int) -> str:
        try:
            await join(desk, ticket_id, into_id)
        except GatehouseError as error:
            return error.code
        return "merged"

    outcomes = await asyncio.gather(attempt(first, second), attempt(second, first))
    assert sorted(outcomes) == ["conflict", "merged"]


async def test_a_neighbours_ticket_holds_nothing_of_ours(desk: Desk) -> None:
    ticket_id, site = await desk.open(), desk.site
    neighbour = (await make_organisation(site.database, site.clock, name="邻家物业")).principals[Role.DESK]
    async with site.database.transaction() as session:
        with pytest.raises(NotFound):
            await merge(session, site.clock, neighbour, ticket_id=ticket_id, version=1, into_id=2)

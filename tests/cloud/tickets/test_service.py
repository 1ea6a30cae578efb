import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cloud.accounts.tables import PersonRow
from cloud.alarms.domain import Priority
from cloud.core.errors import Conflict, Forbidden, GatehouseError, NotFound, Refused
from cloud.core.listing import Ask, Filter, Operator
from cloud.core.principal import Principal, Role
from cloud.core.words import Words
from cloud.tickets.default_types import DEFAULT_TYPES
from cloud.tickets.domain import ALARM_REPAIR, Act, Consent, Deed, Kind, Origin, State, Target
from cloud.tickets.opening import Location, open_ticket
from cloud.tickets.reading import Ticket, acts_for, count_waiting, list_tickets, ticket
from cloud.tickets.service import (
    agree,
    assign,
    cancel,
    go_on,
    note,
    propose,
    refuse,
    release,
    reopen,
    resolve,
    start,
    start_emergency,
    take,
    wait,
)
from cloud.tickets.timeline import Entry, timeline
from cloud.tickets.types import define_type, in_tree, list_types
from tests.cloud.alarms.site import Site
from tests.cloud.estate import make_organisation

LEAK = Words(zh="水管漏水", en="A pipe leaks")


async def opened(
    site: Site,
    *,
    by: Role = Role.DESK,
    subject: Words = LEAK,
    priority: Priority | None = None,
    type_code: str = "repair",
    **more: object,
) -> int:
    async with site.database.transaction() as session:
        return await open_ticket(
            session,
            site.clock,
            site.estate.principals[by],
            type_code=type_code,
            subject=subject,
            location=Location(community_id=site.community_id, place_id=site.place_id, place="云杉苑 · 3 栋 · 办公室"),
            priority=priority,
            **more,
        )


async def seen(site: Site, ticket_id: int, *, by: Role = Role.DESK) -> Ticket:
    async with site.database.reading() as session:
        return await ticket(session, site.clock, site.estate.principals[by], ticket_id=ticket_id)


async def told(site: Site, ticket_id: int) -> list[Entry]:
    async with site.database.reading() as session:
        return (await timeline(session, site.system, ticket_ids=[ticket_id]))[ticket_id]


async def do(site: Site, act: Act, ticket_id: int, *, by: Role, **more: object) -> None:
    """Carry out an act as somebody, with the version that they see."""
    principal = site.estate.principals[by]
    acts = {
        Act.ASSIGN: assign,
        Act.RELEASE: release,
        Act.START: start,
        Act.START_EMERGENCY: start_emergency,
        Act.WAIT: wait,
        Act.CONTINUE: go_on,
        Act.RESOLVE: resolve,
        Act.REOPEN: reopen,
        Act.CANCEL: cancel,
    }
    unseen = {Act.PROPOSE: propose, Act.AGREE: agree, Act.REFUSE: refuse}
    async with site.database.transaction() as session:
        if act is Act.TAKE:
            await take(session, site.clock, principal, ticket_id=ticket_id)
            return
        if act in unseen:
            await unseen[act](session, site.clock, principal, ticket_id=ticket_id, **more)
            return
        version = (await ticket(session, site.clock, site.system, ticket_id=ticket_id)).version
        await acts[act](session, site.clock, principal, ticket_id=ticket_id, version=version, **more)


async def test_a_ticket_has_a_number_a_deadline_and_a_first_line(site: Site) -> None:
    ticket_id = await opened(site)
    found = await seen(site, ticket_id)
    assert (found.number, found.state, found.priority) == ("2026-000001", State.OPEN, Priority.MEDIUM)
    assert (found.kind, found.origin, found.consent) == (Kind.REPAIR, Origin.STAFF, Consent.NOT_NEEDED)
    # Monday 16:00 in Shanghai, and two working days of 9 to 12 and 13:30 to 18.
    assert found.due_at == datetime(2026, 3, 4, 8, 0, tzinfo=UTC)
    assert (found.subject, found.place) == (LEAK, "云杉苑 · 3 栋 · 办公室")
    (line,) = await told(site, ticket_id)
    assert (line.deed, line.actor) == (Deed.OPENED, "孙三")


async def test_numbers_are_counted_per_organisation_and_year(site: Site) -> None:
    numbers = [(await seen(site, await opened(site))).number for _ in range(2)]
    site.clock.advance(days=365)
    numbers.append((await seen(site, await opened(site))).number)
    assert numbers == ["2026-000001", "2026-000002", "2027-000001"]


async def test_tickets_opened_at_the_same_time_have_different_numbers(site: Site) -> None:
    ids = await asyncio.gather(*(opened(site) for _ in range(5)))
    assert sorted([(await seen(site, ticket_id)).number for ticket_id in ids]) == [
        f"2026-{number:06d}" for number in range(1, 6)
    ]


async def test_a_ticket_goes_from_open_to_resolved(site: Site) -> None:
    ticket_id = await opened(site)
    worker = site.estate.principals[Role.WORKER]
    await do(site, Act.ASSIGN, ticket_id, by=Role.DESK, person_id=worker.person_id)
    await do(site, Act.START, ticket_id, by=Role.WORKER)
    await do(site, Act.RESOLVE, ticket_id, by=Role.WORKER, result="换了接头")
    found = await seen(site, ticket_id)
    assert (found.state, found.assignee_name, found.result) == (State.RESOLVED, "李四", "换了接头")
    assert found.closed_at == site.clock.now()
    lines = [(line.deed, line.actor, line.text) for line in reversed(await told(site, ticket_id))]
    assert lines == [
        (Deed.OPENED, "孙三", ""),
        (Deed.ASSIGNED, "孙三", "李四"),
        (Deed.STARTED, "李四", ""),
        (Deed.RESOLVED, "李四", "换了接头"),
    ]


async def test_a_resolved_ticket_is_taken_up_again_by_whoever_had_it(site: Site) -> None:
    ticket_id = await opened(site)
    await do(site, Act.TAKE, ticket_id, by=Role.WORKER)
    await do(site, Act.START, ticket_id, by=Role.WORKER)
    await do(site, Act.RESOLVE, ticket_id, by=Role.WORKER, result="好了")
    await do(site, Act.REOPEN, ticket_id, by=Role.DESK, reason="又漏了")
    found = await seen(site, ticket_id)
    assert (found.state, found.assignee_name, found.reopened, found.closed_at) == (State.ASSIGNED, "李四", 1, None)


async def test_of_two_who_take_at_once_one_gets_it(site: Site) -> None:
    ticket_id = await opened(site)
    first = site.estate.principals[Role.WORKER]
    second = replace(site.estate.administrator, roles=frozenset({Role.WORKER}))

    async def try_to_take(principal: Principal) -> str:
        try:
            async with site.database.transaction() as session:
                await take(session, site.clock, principal, ticket_id=ticket_id)
        except GatehouseError as error:
            return error.code
        return "taken"

    outcomes = await asyncio.gather(try_to_take(first), try_to_take(second))
    assert sorted(outcomes) == ["conflict", "taken"]
    found = await seen(site, ticket_id)
    assert found.state is State.ASSIGNED
    assert found.assignee_id in {first.person_id, second.person_id}


async def test_a_ticket_given_back_is_free_again(site: Site) -> None:
    ticket_id = await opened(site)
    await do(site, Act.TAKE, ticket_id, by=Role.WORKER)
    await do(site, Act.RELEASE, ticket_id, by=Role.WORKER)
    found = await seen(site, ticket_id)
    assert (found.state, found.assignee_id, found.assignee_name) == (State.OPEN, None, "")


async def test_only_who_does_repairs_is_given_a_ticket(site: Site) -> None:
    ticket_id = await opened(site)
    manager = site.estate.principals[Role.MANAGER]
    with pytest.raises(Refused) as refused:
        await do(site, Act.ASSIGN, ticket_id, by=Role.DESK, person_id=manager.person_id)
    assert refused.value.field == "person_id"
    assert (await seen(site, ticket_id)).state is State.OPEN


async def test_nobody_is_given_a_ticket_of_a_community_that_they_do_not_see(site: Site) -> None:
    ticket_id, worker_id = await opened(site), site.estate.principals[Role.WORKER].person_id
    async with site.database.transaction() as session:
        (await session.get_one(PersonRow, worker_id)).communities = [site.community_id + 1]
    with pytest.raises(Refused) as refused:
        await do(site, Act.ASSIGN, ticket_id, by=Role.DESK, person_id=worker_id)
    assert refused.value.field == "person_id"


@pytest.mark.parametrize(
    ("act", "said", "field"),
    [
        (Act.CANCEL, "reason", "cancel_reason"),
        (Act.RESOLVE, "result", "result"),
        (Act.REOPEN, "reason", "reason"),
    ],
)
async def test_an_end_and_a_new_beginning_need_words(site: Site, act: Act, said: str, field: str) -> None:
    ticket_id = await opened(site)
    await do(site, Act.TAKE, ticket_id, by=Role.WORKER)
    await do(site, Act.START, ticket_id, by=Role.WORKER)
    if act is Act.REOPEN:
        await do(site, Act.RESOLVE, ticket_id, by=Role.WORKER, result="好了")
    with pytest.raises(Refused) as refused:
        await do(site, act, ticket_id, by=Role.DESK, **{said: "  "})
    assert refused.value.field == field


async def test_an_act_on_an_outdated_page_changes_nothing(site: Site) -> None:
    ticket_id = await opened(site)
    await do(site, Act.TAKE, ticket_id, by=Role.WORKER)
    async with site.database.transaction() as session:
        desk = site.estate.principals[Role.DESK]
        with pytest.raises(Conflict, match="Somebody else has changed"):
            await cancel(session, site.clock, desk, ticket_id=ticket_id, version=1, reason="重复")
    assert (await seen(site, ticket_id)).state is State.ASSIGNED


async def test_an_act_that_the_state_does_not_know_is_a_conflict(site: Site) -> None:
    ticket_id = await opened(site)
    with pytest.raises(Conflict, match="Nobody has this ticket"):
        await do(site, Act.START, ticket_id, by=Role.DESK)


async def test_a_worker_sees_free_tickets_and_their_own(site: Site) -> None:
    free, mine, others = await opened(site), await opened(site), await opened(site)
    await do(site, Act.TAKE, mine, by=Role.WORKER)
    colleague = replace(site.estate.administrator, roles=frozenset({Role.WORKER}))
    worker = site.estate.principals[Role.WORKER]
    async with site.database.transaction() as session:
        await take(session, site.clock, colleague, ticket_id=others)
        found = await list_tickets(session, site.clock, worker, Ask(), only_undone=True)
        assert {row.id for row in found.rows} == {free, mine}
        with pytest.raises(NotFound):
            await ticket(session, site.clock, worker, ticket_id=others)
        with pytest.raises(NotFound):
            await start(session, site.clock, worker, ticket_id=others, version=2)
        with pytest.raises(NotFound):
            await note(session, site.clock, worker, ticket_id=others, text="?", is_public=False)
        with pytest.raises(Conflict):
            await take(session, site.clock, worker, ticket_id=others)
        assert await count_waiting(session, worker) == 2
        assert await count_waiting(session, site.estate.principals[Role.DESK]) == 1


async def test_the_billing_office_sees_no_ticket(site: Site) -> None:
    free = await opened(site)
    office = site.estate.principals[Role.OFFICE]
    async with site.database.reading() as session:
        assert (await list_tickets(session, site.clock, office, Ask(), only_undone=True)).rows == []
        assert await count_waiting(session, office) == 0
        with pytest.raises(NotFound):
            await ticket(session, site.clock, office, ticket_id=free)


async def test_a_worker_neither_gives_nor_cancels(site: Site) -> None:
    ticket_id = await opened(site)
    worker = site.estate.principals[Role.WORKER]
    for act, more in ((Act.ASSIGN, {"person_id": worker.person_id}), (Act.CANCEL, {"reason": "不想做"})):
        with pytest.raises(Forbidden):
            await do(site, act, ticket_id, by=Role.WORKER, **more)
    assert acts_for(worker, await seen(site, ticket_id)) == {Act.TAKE}
    assert acts_for(site.estate.principals[Role.DESK], await seen(site, ticket_id)) == {
        Act.ASSIGN,
        Act.WAIT,
        Act.CANCEL,
        Act.MERGE,
    }


async def test_another_organisation_and_another_community_see_nothing(site: Site) -> None:
    ticket_id = await opened(site)
    neighbour = (await make_organisation(site.database, site.clock, name="邻家物业")).principals
    elsewhere = Principal(
        organisation_id=site.estate.organisation_id, roles=frozenset({Role.DESK}), communities=frozenset({999})
    )
    async with site.database.transaction() as session:
        for stranger in (neighbour[Role.DESK], elsewhere):
            with pytest.raises(NotFound):
                await ticket(session, site.clock, stranger, ticket_id=ticket_id)
            with pytest.raises(NotFound):
                await cancel(session, site.clock, stranger, ticket_id=ticket_id, version=1, reason="x")
            assert (await list_tickets(session, site.clock, stranger, Ask(), only_undone=False)).total == 0
        with pytest.raises(NotFound):
            await take(session, site.clock, neighbour[Role.WORKER], ticket_id=ticket_id)


async def test_the_list_is_filtered_by_late_state_and_owner(site: Site) -> None:
    late = await opened(site, priority=Priority.CRITICAL)
    site.clock.advance(days=1)
    mine = await opened(site, priority=Priority.LOW)
    await do(site, Act.TAKE, mine, by=Role.WORKER)
    worker = site.estate.principals[Role.WORKER]
    for column, value, expected in (
        ("late", 1, {late}),
        ("mine", 1, {mine}),
        ("owned", 0, {late}),
        ("state", State.ASSIGNED, {mine}),
    ):
        ask = Ask(filters=(Filter(column=column, operator=Operator.IS, values=(value,)),))
        async with site.database.reading() as session:
            found = await list_tickets(session, site.clock, worker, ask, only_undone=True)
        assert {row.id for row in found.rows} == expected, column


async def test_a_ticket_keeps_the_type_that_it_began_with(site: Site) -> None:
    before = await opened(site)
    repair = next(each for each in DEFAULT_TYPES if each.code == "repair")
    quick = replace(repair, targets={each: {Target.SOLUTION: 30} for each in Priority}, calendar="always")
    async with site.database.transaction() as session:
        await define_type(session, site.clock, site.estate.principals[Role.MANAGER], quick)
        assert len(await list_types(session, site.system)) == len(DEFAULT_TYPES)
    after = await opened(site)
    assert (await seen(site, before)).type == repair
    assert ((await seen(site, after)).type, (await seen(site, after)).type_version) == (quick, 2)
    assert (await seen(site, after)).due_at == site.clock.now() + timedelta(minutes=30)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"targets": {Priority.CRITICAL: {Target.SOLUTION: 60}}}, "targets", id="no deadline"),
        pytest.param({"targets": {each: {Target.ARRIVAL: 60} for each in Priority}}, "targets", id="no solution"),
        pytest.param({"name": Words(zh="", en="")}, "name_zh", id="no name"),
        pytest.param({"code": ""}, "code", id="no code"),
        pytest.param({"procedure": DEFAULT_TYPES[0].procedure * 2}, "procedure", id="a step twice"),
        pytest.param({"rework_days": -1}, "rework_days", id="days below none"),
        pytest.param({"parent_code": "dancing"}, "parent_code", id="part of nothing"),
        pytest.param({"parent_code": "repair"}, "parent_code", id="part of another kind"),
        pytest.param({"parent_code": ALARM_REPAIR}, "parent_code", id="part of itself"),
    ],
)
async def test_a_senseless_type_is_refused_at_its_field(site: Site, changes: dict[str, object], field: str) -> None:
    async with site.database.transaction() as session:
        with pytest.raises(Refused) as refused:
            await define_type(session, site.clock, site.estate.administrator, replace(DEFAULT_TYPES[0], **changes))
    assert refused.value.field == field


async def test_types_stand_below_what_they_are_a_part_of(site: Site) -> None:
    async with site.database.reading() as session:
        tree = in_tree(await list_types(session, site.system))
    assert len(tree) == len(DEFAULT_TYPES)
    depths = {ticket_type.code: depth for depth, ticket_type in tree}
    assert (depths["repair"], depths["water"], depths["water_burst"]) == (0, 1, 2)
    codes = [ticket_type.code for _, ticket_type in tree]
    assert codes.index("water") < codes.index("water_burst") < codes.index("electricity")


async def test_a_type_that_nobody_made_is_not_there(site: Site) -> None:
    async with site.database.transaction() as session:
        with pytest.raises(NotFound):
            await open_ticket(session, site.clock, site.system, type_code="dancing", subject=LEAK, location=Location())
        assert ALARM_REPAIR in {each.code for each in DEFAULT_TYPES}

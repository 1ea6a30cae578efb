import asyncio
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from cloud.accounts.tables import PersonRow
from cloud.core.errors import Conflict, Forbidden, GatehouseError, NotFound, Refused
from cloud.core.principal import Principal, Role
from cloud.notifications.domain import Kind
from cloud.notifications.tables import MessageRow
from cloud.tickets import searching
from cloud.tickets import service as tickets
from cloud.tickets.dispatch import Obstacle
from cloud.tickets.dispatch_tables import OfferState, Search
from cloud.tickets.dispatching import begin_search, dispatch_due
from cloud.tickets.domain import Deed, State, TicketOpened
from cloud.tickets.offers import accept, decline, open_offers
from cloud.tickets.searching import alone
from cloud.tickets.verdicts import restored
from tests.cloud.tickets.dispatch.team import EMERGENCY, ORDINARY, Team


async def answer(team: Team, ticket_id: int, principal: Principal, *, reason: str | None = None) -> None:
    """Accept the open offer of a ticket, or decline it for a reason."""
    offer_id = (await team.offers(ticket_id))[-1].id
    if reason is None:
        await team.do(accept, principal, offer_id=offer_id)
    else:
        await team.do(decline, principal, offer_id=offer_id, reason=reason)


async def test_a_ticket_is_offered_to_the_best_with_a_time_to_accept(team: Team) -> None:
    first, second = await team.add("张三"), await team.add("王五")
    ticket_id = await team.open()
    (offer,) = await team.offers(ticket_id)
    assert (offer.person_id, offer.state) == (first.person_id, OfferState.OPEN)
    assert offer.due_at == team.site.clock.now() + timedelta(minutes=10)
    assert [each.person_id for each in restored(ticket_id, offer.verdicts or {}).ranked] == [
        first.person_id,
        second.person_id,
    ]
    assert (await team.search(ticket_id)).state is Search.OFFERED
    assert (await team.see(ticket_id)).state is State.OPEN
    assert await team.messages(first) == ["A job for you: No water or low pressure (2026-000001)"]
    assert await team.messages(second) == []


async def test_accepting_gives_the_ticket(team: Team) -> None:
    first = await team.add("张三")
    ticket_id = await team.open()
    await answer(team, ticket_id, first)
    assert (await team.see(ticket_id)).assignee_name == "张三"
    assert (await team.offers(ticket_id))[0].state is OfferState.ACCEPTED
    assert (await team.search(ticket_id)).state is Search.OVER


async def test_declining_needs_a_reason_and_asks_the_next(team: Team) -> None:
    first, second = await team.add("张三"), await team.add("王五")
    ticket_id = await team.open()
    with pytest.raises(Refused) as refused:
        await answer(team, ticket_id, first, reason="  ")
    assert refused.value.field == "reason"
    await answer(team, ticket_id, first, reason="在外地")
    assert await team.asked(ticket_id) == [first.person_id, second.person_id]
    assert (Deed.DECLINED, "在外地") in await team.told(ticket_id)
    assert restored(ticket_id, (await team.offers(ticket_id))[1].verdicts or {}).barred[first.person_id or 0] == (
        Obstacle.ASKED,
    )


async def test_who_says_nothing_in_time_is_passed_over(team: Team) -> None:
    first, second = await team.add("张三"), await team.add("王五")
    ticket_id = await team.open()
    await team.go_on(minutes=9)
    assert await team.asked(ticket_id) == [first.person_id]
    await team.go_on(minutes=1)
    assert await team.asked(ticket_id) == [first.person_id, second.person_id]
    with pytest.raises(Conflict):
        async with team.site.database.transaction() as session:
            offer_id = (await team.offers(ticket_id))[0].id
            await accept(session, team.site.clock, first, offer_id=offer_id)
    assert (Deed.LAPSED, "张三") in await team.told(ticket_id)


async def test_when_all_have_said_no_it_is_the_dispatchers_and_then_a_supervisor_is_called(team: Team) -> None:
    first = await team.add("张三")
    desk, manager = team.site.estate.principals[Role.DESK], team.site.estate.principals[Role.MANAGER]
    ticket_id = await team.open()
    await answer(team, ticket_id, first, reason="没有工具")
    assert (await team.search(ticket_id)).state is Search.QUEUED
    assert await team.messages(desk) == ["To be given: No water or low pressure (2026-000001)"]
    await team.go_on(minutes=14)
    assert await team.messages(manager) == []
    await team.go_on(minutes=1)
    await team.go_on(minutes=30)
    assert await team.messages(manager) == ["Nobody to be found: No water or low pressure (2026-000001)"]


async def test_an_offer_waits_for_no_morning_since_who_is_asked_is_at_work(team: Team) -> None:
    worker = await team.add("张三")
    await team.open()
    async with team.site.database.reading() as session:
        told = await session.execute(
            select(MessageRow.kind, MessageRow.is_urgent).where(MessageRow.person_id == worker.person_id)
        )
        assert [tuple(each) for each in told] == [(Kind.TICKET_OFFERED, True)]


async def test_only_so_many_are_asked(team: Team) -> None:
    asked = [await team.add(name) for name in ("张三", "王五", "赵六")]
    await team.rule(asked_at_most=2)
    ticket_id = await team.open()
    for person in asked[:2]:
        await answer(team, ticket_id, person, reason="忙")
    assert await team.asked(ticket_id) == [person.person_id for person in asked[:2]]
    assert (await team.search(ticket_id)).state is Search.QUEUED


async def test_nobody_to_be_found_is_a_state_with_reasons_that_calls_a_supervisor_at_once(team: Team) -> None:
    expired = await team.add("张三", skills={"plumbing": date(2026, 3, 1)})
    at_home = await team.add("王五", on_shift=False)
    ticket_id = await team.open()
    search = await team.search(ticket_id)
    assert search.state is Search.NO_CANDIDATE
    barred = restored(ticket_id, search.verdicts or {}).barred
    assert barred[expired.person_id or 0] == (Obstacle.CERTIFICATE_EXPIRED,)
    assert barred[at_home.person_id or 0] == (Obstacle.OFF_SHIFT,)
    assert (Deed.NOBODY_FOUND, "") in await team.told(ticket_id)
    manager = team.site.estate.principals[Role.MANAGER]
    assert await team.messages(manager) == ["Nobody to be found: No water or low pressure (2026-000001)"]


async def test_a_shift_that_begins_is_seen_within_a_minute(team: Team) -> None:
    late = await team.add("张三", on_shift=False)
    ticket_id = await team.open()
    await team.start_shift(late)
    await team.go_on(minutes=1)
    assert await team.asked(ticket_id) == [late.person_id]


async def test_who_is_on_leave_is_not_asked(team: Team) -> None:
    sick, well = await team.add("张三"), await team.add("王五")
    await team.send_away(sick)
    assert await team.asked(await team.open()) == [well.person_id]


async def test_when_capacity_frees_the_oldest_ticket_is_first(team: Team) -> None:
    worker = await team.add("张三")
    await team.rule(cap=1)
    busy = await team.open()
    await answer(team, busy, worker)
    older = await team.open()
    team.site.clock.advance(minutes=5)
    newer = await team.open()
    assert [(await team.search(each)).state for each in (older, newer)] == [Search.WAITING, Search.WAITING]
    await team.finish(busy)
    assert (await team.asked(older), await team.asked(newer)) == ([worker.person_id], [])


async def test_a_ticket_that_waits_for_capacity_calls_a_supervisor_after_a_while(team: Team) -> None:
    worker = await team.add("张三")
    await team.rule(cap=1)
    await answer(team, await team.open(), worker)
    ticket_id = await team.open()
    manager = team.site.estate.principals[Role.MANAGER]
    assert (await team.search(ticket_id)).called_at is None
    await team.go_on(minutes=15)
    assert await team.messages(manager) == ["Nobody to be found: No water or low pressure (2026-000002)"]


async def test_offers_count_as_load(team: Team) -> None:
    first, second = await team.add("张三"), await team.add("王五")
    ids = [await team.open() for _ in range(4)]
    assert [(await team.asked(each))[0] for each in ids] == [
        first.person_id,
        second.person_id,
        first.person_id,
        second.person_id,
    ]


async def test_of_equals_the_one_who_was_in_the_building_last_is_asked(team: Team) -> None:
    await team.add("张三")
    second = await team.add("王五")
    ticket_id = await team.open()
    await team.do(tickets.take, second, ticket_id=ticket_id)
    await team.finish(ticket_id)
    assert await team.asked(await team.open()) == [second.person_id]


async def test_an_emergency_is_given_at_once_whoever_is_full(team: Team) -> None:
    worker = await team.add("张三")
    await team.rule(cap=1)
    await answer(team, await team.open(), worker)
    ticket_id = await team.open(EMERGENCY)
    assert (await team.see(ticket_id)).assignee_id == worker.person_id
    (given,) = await team.offers(ticket_id)
    assert (given.state, restored(ticket_id, given.verdicts or {}).best) == (OfferState.GIVEN, worker.person_id)
    manager = team.site.estate.principals[Role.MANAGER]
    assert await team.messages(manager) == ["Emergency: Burst pipe (2026-000002) is 张三's"]


async def test_an_emergency_never_goes_to_who_may_not_do_it(team: Team) -> None:
    await team.add("张三", skills={"plumbing": date(2026, 3, 1)})
    ticket_id = await team.open(EMERGENCY)
    assert (await team.see(ticket_id)).assignee_id is None
    assert (await team.search(ticket_id)).state is Search.NO_CANDIDATE


async def test_taking_it_by_hand_closes_the_offer(team: Team) -> None:
    first, second = await team.add("张三"), await team.add("王五")
    ticket_id = await team.open()
    await team.do(tickets.take, second, ticket_id=ticket_id)
    (offer,) = await team.offers(ticket_id)
    assert (offer.person_id, offer.state) == (first.person_id, OfferState.WITHDRAWN)
    with pytest.raises(Conflict):
        await answer(team, ticket_id, first)


async def test_who_gave_it_back_is_not_asked_again(team: Team) -> None:
    first, second = await team.add("张三"), await team.add("王五")
    ticket_id = await team.open()
    await answer(team, ticket_id, first)
    version = (await team.see(ticket_id)).version
    await team.do(tickets.release, first, ticket_id=ticket_id, version=version)
    assert (await team.offers(ticket_id))[-1].person_id == second.person_id


async def test_what_is_given_by_hand_is_the_dispatchers_at_once(team: Team) -> None:
    await team.add("张三")
    ticket_id = await team.open("noise")
    assert (await team.search(ticket_id)).state is Search.QUEUED
    assert await team.offers(ticket_id) == []


async def test_a_cancelled_ticket_is_no_longer_offered(team: Team) -> None:
    await team.add("张三")
    ticket_id = await team.open()
    version = (await team.see(ticket_id)).version
    desk = team.site.estate.principals[Role.DESK]
    await team.do(tickets.cancel, desk, ticket_id=ticket_id, version=version, reason="重复")
    assert [offer.state for offer in await team.offers(ticket_id)] == [OfferState.WITHDRAWN]
    assert (await team.search(ticket_id)).next_at is None


async def test_the_same_event_again_changes_nothing(team: Team) -> None:
    await team.add("张三")
    ticket_id = await team.open()
    before = await team.offers(ticket_id)
    opened = TicketOpened(organisation_id=team.site.estate.organisation_id, ticket_id=ticket_id)
    async with team.site.database.transaction() as session:
        await begin_search(session, team.site.clock, opened)
    await team.go_on()
    assert [offer.id for offer in await team.offers(ticket_id)] == [offer.id for offer in before]


async def test_only_whom_it_was_made_to_answers_an_offer(team: Team) -> None:
    await team.add("张三")
    second = await team.add("王五")
    ticket_id = await team.open()
    for use_case in (accept, lambda *args, **what: decline(*args, **what, reason="忙")):
        with pytest.raises(NotFound):
            async with team.site.database.transaction() as session:
                offer_id = (await team.offers(ticket_id))[0].id
                await use_case(session, team.site.clock, second, offer_id=offer_id)
    with pytest.raises(Forbidden):
        async with team.site.database.transaction() as session:
            await accept(session, team.site.clock, team.site.estate.principals[Role.OFFICE], offer_id=1)


async def test_a_worker_sees_their_open_offers_until_their_time_is_up(team: Team) -> None:
    first = await team.add("张三")
    ticket_id = await team.open()
    async with team.site.database.reading() as session:
        (offer,) = await open_offers(session, team.site.clock, first)
        assert offer.ticket.id == ticket_id
        team.site.clock.advance(minutes=10)
        assert await open_offers(session, team.site.clock, first) == []


async def outcome(work: object) -> str:
    try:
        await work  # type: ignore[misc]  # any coroutine
    except GatehouseError as error:
        return error.code
    return "done"


async def test_of_an_acceptance_and_a_taking_at_once_one_counts(team: Team) -> None:
    first, second = await team.add("张三"), await team.add("王五")
    ticket_id = await team.open()
    offer_id = (await team.offers(ticket_id))[0].id

    async def act(use_case: object, principal: Principal, **what: int) -> None:
        async with team.site.database.transaction() as session:
            await use_case(session, team.site.clock, principal, **what)  # type: ignore[operator]  # any use case

    outcomes = await asyncio.gather(
        outcome(act(accept, first, offer_id=offer_id)), outcome(act(tickets.take, second, ticket_id=ticket_id))
    )
    assert sorted(outcomes) == ["conflict", "done"]
    await team.go_on()
    found = await team.see(ticket_id)
    assert found.assignee_id == (first.person_id if outcomes[0] == "done" else second.person_id)
    states = [offer.state for offer in await team.offers(ticket_id)]
    assert states == [OfferState.ACCEPTED if outcomes[0] == "done" else OfferState.WITHDRAWN]


async def test_of_an_acceptance_and_the_end_of_its_time_one_counts(team: Team) -> None:
    first, second = await team.add("张三"), await team.add("王五")
    ticket_id = await team.open()
    offer_id = (await team.offers(ticket_id))[0].id

    async def take_it() -> None:
        async with team.site.database.transaction() as session:
            await accept(session, team.site.clock, first, offer_id=offer_id)
            team.site.clock.advance(minutes=10)
            await asyncio.sleep(0.05)

    async def look() -> None:
        await asyncio.sleep(0.01)
        await team._round(dispatch_due)

    outcomes = await asyncio.gather(outcome(take_it()), outcome(look()))
    assert outcomes == ["done", "done"]
    await team.go_on()
    assert (await team.see(ticket_id)).assignee_id == first.person_id
    assert await team.asked(ticket_id) == [first.person_id]
    assert second.person_id not in await team.asked(ticket_id)


async def test_two_searches_at_once_never_give_the_last_free_place_twice(team: Team) -> None:
    await team.add("张三")
    await team.rule(cap=1)
    ids = [await team.open(deliver=False) for _ in range(4)]
    await team.loop.deliver_due()
    await asyncio.gather(*(team._round(dispatch_due) for _ in range(3)))
    await team.go_on()
    assert sorted([len(await team.asked(each)) for each in ids]) == [0, 0, 0, 1]


async def test_who_declines_waits_for_the_search_that_runs(team: Team) -> None:
    first = await team.add("张三")
    ticket_id = await team.open()
    offer_id, order, searches = (await team.offers(ticket_id))[0].id, [], asyncio.Event()

    async def step() -> None:
        async with team.site.database.transaction() as session:
            await alone(session, team.site.system)
            searches.set()
            await asyncio.sleep(0.1)  # so that who declines has every chance to come first
            order.append("search")

    async def say_no() -> None:
        await searches.wait()
        async with team.site.database.transaction() as session:
            await decline(session, team.site.clock, first, offer_id=offer_id, reason="在外地")
            order.append("decline")

    await asyncio.gather(step(), say_no())
    assert order == ["search", "decline"]


async def test_an_emergency_that_the_only_one_gave_back_calls_a_supervisor_at_once(team: Team) -> None:
    first, manager = await team.add("张三"), team.site.estate.principals[Role.MANAGER]
    ticket_id = await team.open(EMERGENCY)
    version = (await team.see(ticket_id)).version
    await team.do(tickets.release, first, ticket_id=ticket_id, version=version)
    assert (await team.search(ticket_id)).state is Search.NO_CANDIDATE
    assert [each for each in await team.messages(manager) if each.startswith("Nobody to be found")]


async def test_what_is_taken_up_again_goes_to_somebody_else_where_its_owner_has_left(team: Team) -> None:
    first, second = await team.add("张三"), await team.add("王五")
    ticket_id = await team.open()
    await answer(team, ticket_id, first)
    await team.finish(ticket_id)
    async with team.site.database.transaction() as session:
        (await session.get_one(PersonRow, first.person_id)).is_active = False
    desk, version = team.site.estate.principals[Role.DESK], (await team.see(ticket_id)).version
    await team.do(tickets.reopen, desk, ticket_id=ticket_id, version=version, reason="又停了")
    assert (await team.see(ticket_id)).state is State.OPEN
    assert (await team.asked(ticket_id))[-1] == second.person_id


@pytest.mark.parametrize(
    ("type_code", "skills", "sentence"),
    [
        (ORDINARY, {"plumbing": date(2026, 3, 1)}, "certificate for this work has ended"),
        ("lift_trapped", {}, "no certificate for this work"),
        ("lift_trapped", {"electrical": None}, "no certificate for this work"),
    ],
    ids=["it has ended", "there is none", "it is for other work"],
)
async def test_nobody_is_given_or_takes_what_no_certificate_allows(
    team: Team, type_code: str, skills: dict[str, date | None], sentence: str
) -> None:
    worker = await team.add("张三", skills=skills)
    ticket_id = await team.open(type_code)
    with pytest.raises(Refused, match=sentence):
        await team.do(tickets.take, worker, ticket_id=ticket_id)
    desk, version = team.site.estate.principals[Role.DESK], (await team.see(ticket_id)).version
    with pytest.raises(Refused, match=sentence) as refused:
        await team.do(tickets.assign, desk, ticket_id=ticket_id, version=version, person_id=worker.person_id)
    assert refused.value.field == "person_id"
    assert (await team.see(ticket_id)).assignee_id is None


async def test_what_needs_no_certificate_may_be_given_to_whoever_the_dispatcher_knows_can_do_it(team: Team) -> None:
    worker = await team.add("张三", skills={})
    ticket_id = await team.open()
    desk, version = team.site.estate.principals[Role.DESK], (await team.see(ticket_id)).version
    await team.do(tickets.assign, desk, ticket_id=ticket_id, version=version, person_id=worker.person_id)
    assert (await team.see(ticket_id)).assignee_id == worker.person_id


async def test_steps_that_take_a_few_tickets_each_let_none_overtake_an_older_one(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "_ROUND", 2)
    await team.rule(cap=2)
    ticket_ids = [await team.open() for _number in range(5)]
    worker = await team.add("张三")
    await team.go_on(minutes=1)
    assert [await team.asked(ticket_id) for ticket_id in ticket_ids] == [[worker.person_id]] * 2 + [[]] * 3
    assert {(await team.search(ticket_id)).state for ticket_id in ticket_ids[2:]} == {Search.WAITING}
    youngest = await team.open()
    await answer(team, ticket_ids[0], worker)
    await team.finish(ticket_ids[0])
    assert await team.asked(ticket_ids[2]) == [worker.person_id]
    assert await team.asked(youngest) == []

from datetime import UTC, datetime, timedelta

import pytest

from cloud.alarms.domain import Priority
from cloud.core.errors import Conflict, NotFound
from cloud.core.principal import Role
from cloud.tickets.contacts import contact, contacts
from cloud.tickets.domain import Act, Deed, How, Outcome, State, Target, TargetBreached, TargetWarned
from cloud.tickets.opening import Location, open_ticket
from cloud.tickets.service import arrive, note, reclassify
from cloud.tickets.types import list_types, retire_type
from tests.cloud.tickets.desk import LEAK, Desk

HOUR = timedelta(hours=1)


def local(day: int, hour: int, minute: int = 0) -> datetime:
    """Return an instant of March 2026 by the clock in Shanghai; the tests begin on Monday the 2nd at 16:00."""
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC) - 8 * HOUR


async def speak(desk: Desk, ticket_id: int, outcome: Outcome = Outcome.REACHED, *, by: Role = Role.DESK) -> None:
    site = desk.site
    async with site.database.transaction() as session:
        await contact(
            session,
            site.clock,
            desk.principal(by),
            ticket_id=ticket_id,
            how=How.PHONE,
            outcome=outcome,
            text="阀门已关",
            next_step="明天上午九点上门",
        )


async def classify(desk: Desk, ticket_id: int, type_code: str, priority: Priority) -> None:
    site = desk.site
    async with site.database.transaction() as session:
        version = (await desk.see(ticket_id)).version
        await reclassify(
            session,
            site.clock,
            desk.principal(Role.DESK),
            ticket_id=ticket_id,
            version=version,
            type_code=type_code,
            priority=priority,
        )


async def test_a_ticket_has_the_deadlines_of_its_type_on_its_calendar(desk: Desk) -> None:
    found = await desk.deadlines(await desk.open())
    assert {target: deadline.due_at for target, deadline in found.items()} == {
        Target.FIRST_CONTACT: local(2, 16, 30),
        Target.ARRIVAL: local(3, 16, 0),
        Target.PLAN: local(3, 16, 0),
        Target.SOLUTION: local(4, 16, 0),
    }


async def test_there_is_nobody_to_speak_to_and_no_plan_to_make_where_none_is_needed(desk: Desk) -> None:
    ticket_id = await desk.open("light_public", requester_name="", requester_phone="")
    assert set(await desk.deadlines(ticket_id)) == {Target.ARRIVAL, Target.SOLUTION}


async def test_an_emergency_counts_round_the_clock(desk: Desk) -> None:
    found = await desk.deadlines(await desk.open("water_burst"))
    assert found[Target.ARRIVAL].due_at == local(2, 16, 30)
    assert found[Target.SOLUTION].due_at == local(2, 20, 0)


async def test_warnings_and_the_breach_are_said_once_each_and_kept(desk: Desk) -> None:
    ticket_id = await desk.open("water_burst")
    desk.site.clock.advance(hours=2, minutes=1)
    assert await desk.look_at_the_clock() == {desk.site.estate.organisation_id}
    assert await desk.look_at_the_clock() == set()
    desk.site.clock.advance(hours=10)
    await desk.look_at_the_clock()
    await desk.look_at_the_clock()
    assert await desk.turns(ticket_id) == [("began", 0), ("warned", 50), ("warned", 80), ("breached", 0)]
    warned = [each for each in await desk.site.emitted(TargetWarned.kind) if each["target"] == Target.SOLUTION]
    breached = [each for each in await desk.site.emitted(TargetBreached.kind) if each["target"] == Target.SOLUTION]
    assert [each["level"] for each in warned] == [50, 80]
    assert len(breached) == 1
    await desk.do(Act.ASSIGN, ticket_id)
    await desk.do(Act.START, ticket_id)
    await desk.do(Act.RESOLVE, ticket_id)
    solution = (await desk.deadlines(ticket_id))[Target.SOLUTION]
    assert (solution.is_met, solution.breached_at) == (True, local(2, 20, 0))
    lines = [line for line in await desk.told(ticket_id) if line.deed is Deed.BREACHED]
    assert {line.text for line in lines} == {"first_contact", "arrival", "solution"}
    assert not any(line.is_public for line in lines)


async def test_a_wait_stops_the_clock_and_leaves_no_deadline(desk: Desk) -> None:
    ticket_id = await desk.open()
    await desk.do(Act.ASSIGN, ticket_id)
    desk.site.clock.set(local(2, 17, 0))
    await desk.do(Act.WAIT, ticket_id)
    waiting = await desk.see(ticket_id)
    assert (waiting.state, waiting.waiting_for, waiting.due_at, waiting.is_late) == (
        State.WAITING,
        "等配件",
        None,
        False,
    )
    desk.site.clock.set(local(20, 9, 0))
    assert await desk.look_at_the_clock() == set()
    await desk.do(Act.CONTINUE, ticket_id)
    # 900 working minutes, 60 of which were used: 840 from Friday at nine.
    assert (await desk.see(ticket_id)).due_at == local(23, 17, 0)
    assert (await desk.see(ticket_id)).state is State.ASSIGNED


async def test_a_deadline_that_passed_before_the_wait_is_told_by_the_wait(desk: Desk) -> None:
    ticket_id = await desk.open("water_burst")
    await desk.do(Act.ASSIGN, ticket_id)
    desk.site.clock.advance(hours=5)
    await desk.do(Act.WAIT, ticket_id)
    assert [turn for turn, _level in await desk.turns(ticket_id)] == [
        "began",
        "warned",
        "warned",
        "breached",
        "stopped",
    ]


async def test_the_clock_stands_while_a_plan_waits_for_consent(desk: Desk) -> None:
    ticket_id = await desk.open()
    await desk.do(Act.ASSIGN, ticket_id)
    desk.site.clock.set(local(3, 16, 0))
    await desk.do(Act.PROPOSE, ticket_id)
    found = await desk.deadlines(ticket_id)
    assert (found[Target.PLAN].is_met, found[Target.ARRIVAL].is_met) == (True, True)
    assert found[Target.SOLUTION].due_at is None
    desk.site.clock.set(local(10, 9, 0))
    await desk.do(Act.AGREE, ticket_id)
    assert (await desk.see(ticket_id)).due_at == local(10, 18, 0)


async def test_what_is_opened_waiting_has_no_deadline_until_it_goes_on(desk: Desk) -> None:
    ticket_id = await desk.open(waiting_for="业主回国")
    desk.site.clock.set(local(9, 9, 0))
    assert await desk.look_at_the_clock() == set()
    await desk.do(Act.CONTINUE, ticket_id)
    assert (await desk.see(ticket_id)).state is State.OPEN
    assert (await desk.deadlines(ticket_id))[Target.FIRST_CONTACT].due_at == local(9, 9, 30)


async def test_only_reaching_somebody_is_a_first_contact(desk: Desk) -> None:
    ticket_id = await desk.open()
    site = desk.site
    async with site.database.transaction() as session:
        await note(session, site.clock, desk.principal(Role.DESK), ticket_id=ticket_id, text="x", is_public=False)
        await note(session, site.clock, desk.principal(Role.DESK), ticket_id=ticket_id, text="y", is_public=True)
        await contact(
            session,
            site.clock,
            site.system,
            ticket_id=ticket_id,
            how=How.MAIL,
            outcome=Outcome.REACHED,
            next_step="已收到",
        )
    await speak(desk, ticket_id, Outcome.NOT_REACHED)
    await desk.do(Act.ASSIGN, ticket_id)
    assert (await desk.deadlines(ticket_id))[Target.FIRST_CONTACT].ended_at is None
    await speak(desk, ticket_id, by=Role.WORKER)
    assert (await desk.deadlines(ticket_id))[Target.FIRST_CONTACT].is_met
    line = (await desk.told(ticket_id))[0]
    assert (line.deed, line.text, line.is_public) == (Deed.CONTACTED, "明天上午九点上门", True)
    async with site.database.reading() as session:
        found = await contacts(session, site.system, ticket_id=ticket_id)
    assert [(each.actor, each.outcome) for each in found] == [
        ("李四", Outcome.REACHED),
        ("孙三", Outcome.NOT_REACHED),
        ("", Outcome.REACHED),
    ]


async def test_being_there_is_told_and_meets_the_arrival(desk: Desk) -> None:
    ticket_id = await desk.open()
    await desk.do(Act.TAKE, ticket_id, by=Role.WORKER)
    site = desk.site
    for _ in range(2):
        async with site.database.transaction() as session:
            await arrive(session, site.clock, desk.principal(Role.WORKER), ticket_id=ticket_id)
    assert (await desk.deadlines(ticket_id))[Target.ARRIVAL].is_met
    assert [turn for turn, _level in await desk.turns(ticket_id, Target.ARRIVAL)] == ["began", "ended"]


async def test_another_priority_keeps_what_was_used(desk: Desk) -> None:
    ticket_id = await desk.open("light_public")
    desk.site.clock.set(local(3, 11, 0))
    await classify(desk, ticket_id, "light_public", Priority.LOW)
    assert await desk.used(ticket_id) == timedelta(hours=4)
    # 1,350 working minutes in all, 240 of which were used before the 3rd at eleven.
    assert (await desk.see(ticket_id)).due_at == local(5, 16, 0)
    lines = await desk.told(ticket_id)
    assert lines[0].deed is Deed.RECLASSIFIED


async def test_another_type_keeps_what_was_used_and_counts_on_its_own_calendar(desk: Desk) -> None:
    ticket_id = await desk.open("light_public")
    desk.site.clock.set(local(2, 17, 0))
    await classify(desk, ticket_id, "electric_danger", Priority.CRITICAL)
    assert (await desk.see(ticket_id)).due_at == local(2, 20, 0)
    assert await desk.used(ticket_id) == HOUR


async def test_a_type_that_needs_a_plan_adds_its_deadline_and_stops_the_work(desk: Desk) -> None:
    ticket_id = await desk.open("public_area")
    await desk.do(Act.ASSIGN, ticket_id)
    await desk.do(Act.START, ticket_id)
    await classify(desk, ticket_id, "water_indoor", Priority.MEDIUM)
    assert (await desk.see(ticket_id)).state is State.ASSIGNED
    assert Target.PLAN in await desk.deadlines(ticket_id)
    with pytest.raises(Conflict, match="once its plan is agreed to"):
        await desk.do(Act.START, ticket_id)


async def test_what_was_cancelled_by_mistake_has_all_its_deadlines_again(desk: Desk) -> None:
    ticket_id = await desk.open()
    before = {target: deadline.due_at for target, deadline in (await desk.deadlines(ticket_id)).items()}
    await desk.do(Act.CANCEL, ticket_id)
    await desk.do(Act.REOPEN, ticket_id)
    found = await desk.deadlines(ticket_id)
    assert {target: deadline.due_at for target, deadline in found.items()} == before
    assert {deadline.ended_at for deadline in found.values()} == {None}


async def test_what_was_resolved_counts_for_its_solution_alone_when_it_is_taken_up_again(desk: Desk) -> None:
    ticket_id = await desk.open("public_area")
    for act in (Act.ASSIGN, Act.START, Act.RESOLVE, Act.REOPEN, Act.CANCEL, Act.REOPEN):
        desk.site.clock.advance(minutes=1)
        await desk.do(act, ticket_id)
    found = await desk.deadlines(ticket_id)
    assert [target for target, deadline in found.items() if deadline.ended_at is None] == [Target.SOLUTION]


async def test_taken_up_again_the_solution_goes_on_from_what_was_used(desk: Desk) -> None:
    ticket_id = await desk.open("public_area")
    await desk.do(Act.ASSIGN, ticket_id)
    await desk.do(Act.START, ticket_id)
    desk.site.clock.set(local(3, 12, 0))
    await desk.do(Act.RESOLVE, ticket_id)
    desk.site.clock.set(local(16, 9, 0))
    await desk.do(Act.REOPEN, ticket_id)
    assert await desk.used(ticket_id) == timedelta(hours=5)
    # Ten working hours are left, and the two weeks between do not count.
    assert (await desk.see(ticket_id)).due_at == local(17, 11, 30)
    assert [turn for turn, _level in await desk.turns(ticket_id)] == ["began", "ended", "resumed"]


async def test_a_cancelled_ticket_drops_its_timers(desk: Desk) -> None:
    ticket_id = await desk.open()
    await desk.do(Act.CANCEL, ticket_id)
    desk.site.clock.advance(days=60)
    assert await desk.look_at_the_clock() == set()
    assert [each.is_met for each in (await desk.deadlines(ticket_id)).values()] == [False] * 4


async def test_a_retired_type_opens_nothing_and_its_open_tickets_have_no_deadline(desk: Desk) -> None:
    ticket_id = await desk.open("light_public")
    broken = await desk.open("light_public", priority=Priority.CRITICAL)
    desk.site.clock.set(local(3, 15, 0))
    await desk.look_at_the_clock()
    site = desk.site
    async with site.database.transaction() as session:
        await retire_type(session, site.clock, desk.principal(Role.MANAGER), code="light_public")
        assert "light_public" not in {each.code for each in await list_types(session, site.system)}
        with pytest.raises(NotFound):
            await open_ticket(
                session, site.clock, site.system, type_code="light_public", subject=LEAK, location=Location()
            )
    site.clock.advance(days=90)
    assert await desk.look_at_the_clock() == set()
    assert (await desk.see(ticket_id)).due_at is None
    assert (await desk.deadlines(broken))[Target.SOLUTION].breached_at == local(3, 11, 0)


@pytest.mark.parametrize("code", ["alarm_repair", "inspection", "repair", "water"])
async def test_a_type_that_others_stand_on_is_not_retired(desk: Desk, code: str) -> None:
    async with desk.site.database.transaction() as session:
        with pytest.raises(Conflict):
            await retire_type(session, desk.site.clock, desk.principal(Role.MANAGER), code=code)


async def test_a_ticket_of_a_retired_type_has_deadlines_again_once_it_is_of_another(desk: Desk) -> None:
    ticket_id = await desk.open("light_public")
    site = desk.site
    site.clock.advance(minutes=30)
    async with site.database.transaction() as session:
        await retire_type(session, site.clock, desk.principal(Role.MANAGER), code="light_public")
    await classify(desk, ticket_id, "light_public", Priority.CRITICAL)
    assert (await desk.see(ticket_id)).due_at is None
    site.clock.advance(minutes=30)
    await classify(desk, ticket_id, "water_burst", Priority.CRITICAL)
    found = await desk.deadlines(ticket_id)
    assert found[Target.SOLUTION].due_at == (await desk.see(ticket_id)).due_at == local(2, 20, 30)
    assert found[Target.FIRST_CONTACT].ended_at is None


async def test_a_target_that_another_type_had_not_counts_again_with_what_the_solution_has_used(desk: Desk) -> None:
    ticket_id = await desk.open("water_burst")
    await classify(desk, ticket_id, "water_indoor", Priority.CRITICAL)
    assert (await desk.deadlines(ticket_id))[Target.PLAN].ended_at is None
    await classify(desk, ticket_id, "water_burst", Priority.CRITICAL)
    assert (await desk.deadlines(ticket_id))[Target.PLAN].ended_at is not None
    desk.site.clock.advance(minutes=20)
    await classify(desk, ticket_id, "water_indoor", Priority.CRITICAL)
    plan = (await desk.deadlines(ticket_id))[Target.PLAN]
    assert (plan.ended_at, await desk.used(ticket_id, Target.PLAN)) == (None, timedelta(minutes=20))

from dataclasses import replace

import pytest

from cloud.alarms.service import Alarm
from cloud.core.errors import Forbidden, Refused
from cloud.core.principal import Role
from cloud.tickets.domain import Act, Deed, State, Target
from cloud.tickets.from_alarms import open_for_alarm
from cloud.tickets.reading import Ticket, tickets_of_alarms
from tests.cloud.alarms.site import OFFICE
from tests.cloud.tickets.desk import Desk
from tests.cloud.tickets.test_from_alarms import deliver
from tests.cloud.tickets.test_merging import join


async def newest(desk: Desk) -> Alarm:
    return (await desk.site.alarms())[-1]


async def ticket_of(desk: Desk, alarm: Alarm) -> Ticket:
    site = desk.site
    async with site.database.reading() as session:
        return (await tickets_of_alarms(session, site.clock, site.system, alarm_ids=[alarm.id]))[alarm.id]


async def raised(desk: Desk, value: float = 91.0) -> Alarm:
    """Let the value be abnormal now, and return the alarm."""
    desk.site.clock.advance(minutes=1)
    await desk.site.measure((-1, value))
    await deliver(desk.site)
    return await newest(desk)


async def returned(desk: Desk) -> None:
    """Let the value be normal now."""
    desk.site.clock.advance(minutes=1)
    await desk.site.measure((-1, 70.0))
    await deliver(desk.site)


async def worked(desk: Desk, ticket_id: int) -> None:
    """Let a worker take the ticket and say that it is done."""
    for act in (Act.TAKE, Act.START, Act.RESOLVE):
        await desk.do(act, ticket_id, by=Role.WORKER)


@pytest.fixture
async def ticket_id(desk: Desk) -> int:
    """The ticket of an alarm that stands."""
    await desk.site.rule()
    return (await ticket_of(desk, await raised(desk))).id


async def test_the_work_is_done_when_the_value_is_normal(desk: Desk, ticket_id: int) -> None:
    await worked(desk, ticket_id)
    found = await desk.see(ticket_id)
    assert (found.state, found.result, found.closed_at) == (State.VERIFYING, "换了接头", None)
    desk.site.clock.advance(minutes=10)
    await returned(desk)
    found = await desk.see(ticket_id)
    assert (found.state, found.closed_at) == (State.RESOLVED, desk.site.clock.now())
    deeds = [line.deed for line in await desk.told(ticket_id)]
    assert deeds[:3] == [Deed.VERIFIED, Deed.ALARM_RETURNED, Deed.RESOLVED]


async def test_where_the_value_is_normal_already_the_work_is_done_at_once(desk: Desk, ticket_id: int) -> None:
    await returned(desk)
    assert (await desk.see(ticket_id)).state is State.OPEN
    await worked(desk, ticket_id)
    assert (await desk.see(ticket_id)).state is State.RESOLVED


async def test_work_that_did_not_help_can_be_taken_up_before_the_value_is_normal(desk: Desk, ticket_id: int) -> None:
    await worked(desk, ticket_id)
    await desk.do(Act.REOPEN, ticket_id, by=Role.WORKER)
    found = await desk.see(ticket_id)
    assert (found.state, found.assignee_name) == (State.ASSIGNED, "李四")
    await returned(desk)
    assert (await desk.see(ticket_id)).state is State.ASSIGNED


async def test_the_same_trouble_within_the_days_of_rework_takes_the_ticket_up_again(desk: Desk, ticket_id: int) -> None:
    await worked(desk, ticket_id)
    await returned(desk)
    desk.site.clock.advance(days=6)
    again = await ticket_of(desk, await raised(desk))
    assert again.id == ticket_id
    assert (again.state, again.reworked, again.reopened, len(again.alarm_ids)) == (State.ASSIGNED, 1, 1, 2)
    assert Deed.REWORKED in [line.deed for line in await desk.told(ticket_id)]
    await deliver(desk.site)
    assert (await desk.see(ticket_id)).reworked == 1


async def test_the_same_trouble_after_the_days_of_rework_is_another_ticket(desk: Desk, ticket_id: int) -> None:
    await worked(desk, ticket_id)
    await returned(desk)
    desk.site.clock.advance(days=8)
    again = await ticket_of(desk, await raised(desk))
    assert again.id != ticket_id
    assert (again.state, again.reworked) == (State.OPEN, 0)


async def test_the_same_trouble_without_any_work_between_is_another_ticket(desk: Desk, ticket_id: int) -> None:
    await returned(desk)
    desk.site.clock.advance(hours=1)
    assert (await ticket_of(desk, await raised(desk))).id != ticket_id


async def test_another_trouble_is_another_ticket(desk: Desk, ticket_id: int) -> None:
    await worked(desk, ticket_id)
    await returned(desk)
    await desk.site.rule(point="probe/humidity", unit="%")
    await desk.site.measure((-1, 91.0), point="probe/humidity")
    await deliver(desk.site)
    assert (await ticket_of(desk, await newest(desk))).id != ticket_id


async def test_an_alarm_from_before_the_work_is_no_rework(desk: Desk) -> None:
    site = desk.site
    await site.rule()
    await site.measure((0, 70.0), pending=2)
    await site.measure((-7200, 91.0), (-3600, 70.0))
    late = await raised(desk)
    ticket_id = (await ticket_of(desk, late)).id
    await worked(desk, ticket_id)
    await returned(desk)
    old = (await site.alarms())[0]
    async with site.database.transaction() as session:
        assert await open_for_alarm(session, site.clock, site.operator, alarm_id=old.id) != ticket_id


async def test_an_alarm_that_somebody_works_on_stays_and_ends_with_its_ticket(desk: Desk) -> None:
    """It stands in a box's backlog, so that it has asked for nobody and late readings could still undo it."""
    site = desk.site
    await site.rule(replace(OFFICE, on_delay_s=60))
    await site.measure((-4000, 91.0), (-3900, 91.0), pending=1)
    alarm = await newest(desk)
    assert alarm.announced_at is None
    async with site.database.transaction() as session:
        ticket_id = await open_for_alarm(session, site.clock, site.operator, alarm_id=alarm.id)
    await worked(desk, ticket_id)
    assert (await desk.see(ticket_id)).state is State.VERIFYING
    await site.measure((-3970, 70.0), pending=1)
    await deliver(site)
    assert (await newest(desk)).withdrawn_at is not None
    assert (await desk.see(ticket_id)).state is State.RESOLVED


async def test_a_merged_ticket_s_alarm_is_verified_in_the_one_that_holds_it(desk: Desk, ticket_id: int) -> None:
    between, into = await desk.open("alarm_repair"), await desk.open("alarm_repair")
    await join(desk, ticket_id, between)
    await join(desk, between, into)
    await worked(desk, into)
    assert (await desk.see(into)).state is State.VERIFYING
    await returned(desk)
    found = await desk.see(into)
    assert (found.state, found.closed_at) == (State.RESOLVED, desk.site.clock.now())


async def test_the_same_trouble_after_work_in_the_ticket_that_held_it_is_that_one_s_rework(
    desk: Desk, ticket_id: int
) -> None:
    between, into = await desk.open("alarm_repair"), await desk.open("alarm_repair")
    await join(desk, ticket_id, between)
    await join(desk, between, into)
    await worked(desk, into)
    await returned(desk)
    again = await ticket_of(desk, await raised(desk))
    assert (again.id, again.state, again.reworked) == (into, State.ASSIGNED, 1)


@pytest.mark.parametrize("role", [Role.DESK, Role.OPERATOR])
async def test_where_the_sensor_is_dead_somebody_says_that_the_work_is_done(
    desk: Desk, ticket_id: int, role: Role
) -> None:
    await worked(desk, ticket_id)
    desk.site.clock.advance(minutes=10)
    await desk.do(Act.VOUCH, ticket_id, by=role)
    found = await desk.see(ticket_id)
    assert (found.state, found.result, found.closed_at) == (State.RESOLVED, "换了接头", desk.site.clock.now())
    line = (await desk.told(ticket_id))[0]
    assert (line.deed, line.text, line.is_public) == (Deed.VOUCHED, "探头坏了，现场看过", False)
    assert (await desk.deadlines(ticket_id))[Target.SOLUTION].is_met


async def test_whoever_did_the_work_does_not_vouch_for_it(desk: Desk, ticket_id: int) -> None:
    await worked(desk, ticket_id)
    with pytest.raises(Forbidden):
        await desk.do(Act.VOUCH, ticket_id, by=Role.WORKER)
    with pytest.raises(Refused):
        await desk.do(Act.VOUCH, ticket_id, reason=" ")
    assert (await desk.see(ticket_id)).state is State.VERIFYING


async def test_a_work_that_was_vouched_for_is_rework_once_its_sensor_lives_and_raises_again(
    desk: Desk, ticket_id: int
) -> None:
    await worked(desk, ticket_id)
    await desk.do(Act.VOUCH, ticket_id)
    await returned(desk)
    assert (await desk.see(ticket_id)).state is State.RESOLVED
    assert (await ticket_of(desk, await raised(desk))).id == ticket_id
    found = await desk.see(ticket_id)
    assert (found.state, found.reworked) == (State.ASSIGNED, 1)


async def test_a_ticket_that_waits_for_its_sensor_can_be_cancelled_and_its_alarm_opens_no_other(
    desk: Desk, ticket_id: int
) -> None:
    await worked(desk, ticket_id)
    await desk.do(Act.CANCEL, ticket_id)
    await deliver(desk.site)
    found = await desk.see(ticket_id)
    assert (found.state, found.result, found.assignee_id) == (State.CANCELLED, "重复", None)
    assert (await ticket_of(desk, await newest(desk))).id == ticket_id
    await returned(desk)
    assert (await desk.see(ticket_id)).state is State.CANCELLED

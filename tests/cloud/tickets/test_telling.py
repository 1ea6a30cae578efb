from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from cloud.core import audit
from cloud.core.audit import AuditEntry
from cloud.core.clock import Clock, SystemClock, ToldLate
from cloud.core.principal import Role
from cloud.tickets.contacts import contact
from cloud.tickets.domain import Act, Deed, How, Outcome, Target
from cloud.tickets.service import note
from cloud.tickets.telling import AT_ONCE, FURTHEST, clock_of, happened
from tests.cloud.tickets.desk import Desk

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
AGES = st.timedeltas(min_value=-30 * timedelta(days=1), max_value=30 * timedelta(days=1))
WRONG = st.timedeltas(min_value=-3650 * timedelta(days=1), max_value=3650 * timedelta(days=1))


@pytest.mark.parametrize(
    ("age", "not_before", "at"),
    [
        pytest.param(40 * MINUTE, NOON - 90 * MINUTE, NOON - 40 * MINUTE, id="as long ago as it waited"),
        pytest.param(AT_ONCE, NOON - 90 * MINUTE, NOON, id="told at once"),
        pytest.param(-5 * MINUTE, NOON - 90 * MINUTE, NOON, id="the clock was put back meanwhile"),
        pytest.param(40 * MINUTE, NOON - 10 * MINUTE, NOON - 10 * MINUTE, id="not before the act before it"),
        pytest.param(9 * FURTHEST, NOON - 20 * FURTHEST, NOON - FURTHEST, id="no longer ago than a week"),
        pytest.param(40 * MINUTE, NOON + MINUTE, NOON, id="never in the future"),
    ],
)
def test_an_act_happened_as_long_before_its_arrival_as_it_waited(
    age: timedelta, not_before: datetime, at: datetime
) -> None:
    assert happened(pressed=NOON, sent=NOON + age, arrived=NOON, not_before=not_before) == at


@given(age=AGES, wrong=WRONG, before=st.timedeltas(max_value=timedelta(days=30), min_value=timedelta()))
def test_a_telephones_clock_may_be_wrong_and_what_it_tells_stays_within_bounds(
    age: timedelta, wrong: timedelta, before: timedelta
) -> None:
    found = happened(pressed=NOON + wrong, sent=NOON + wrong + age, arrived=NOON, not_before=NOON - before)
    assert found == happened(pressed=NOON, sent=NOON + age, arrived=NOON, not_before=NOON - before)
    assert NOON - min(before, FURTHEST) <= found <= NOON


@given(ages=st.lists(AGES, min_size=2, max_size=2).map(sorted), before=st.timedeltas(timedelta(), timedelta(days=30)))
def test_what_waited_longer_never_happened_later(ages: list[timedelta], before: timedelta) -> None:
    shorter, longer = (happened(pressed=NOON, sent=NOON + age, arrived=NOON, not_before=NOON - before) for age in ages)
    assert longer <= shorter


async def clock_after(desk: Desk, ticket_id: int, *, waited: timedelta) -> Clock:
    """Return the clock of what the worker did so long ago and tells now."""
    now = desk.site.clock.now()
    async with desk.site.database.reading() as session:
        who = desk.principal(Role.WORKER)
        return await clock_of(session, desk.site.clock, who, ticket_id=ticket_id, pressed=now - waited, sent=now)


async def speak(desk: Desk, ticket_id: int, *, waited: timedelta, by: Role = Role.WORKER) -> None:
    """Write down that whoever asked was reached so long ago."""
    clock = await clock_after(desk, ticket_id, waited=waited)
    async with desk.site.database.transaction() as session:
        await contact(
            session,
            clock,
            desk.principal(by),
            ticket_id=ticket_id,
            how=How.PHONE,
            outcome=Outcome.REACHED,
            next_step="下午到",
        )


async def given_ticket(desk: Desk) -> int:
    ticket_id = await desk.open()
    await desk.do(Act.TAKE, ticket_id, by=Role.WORKER)
    return ticket_id


async def withdrawals(desk: Desk) -> list[dict[str, object] | None]:
    async with desk.site.database.reading() as session:
        found = await session.scalars(
            select(AuditEntry.before).where(AuditEntry.action == "tickets.breach_withdrawn").order_by(AuditEntry.id)
        )
        return list(found)


async def test_a_contact_in_time_that_is_told_late_is_no_breach_though_one_was_noted(desk: Desk) -> None:
    ticket_id = await given_ticket(desk)
    began = desk.site.clock.now()
    desk.site.clock.advance(minutes=50)
    await desk.look_at_the_clock()
    assert (await desk.deadlines(ticket_id))[Target.FIRST_CONTACT].breached_at == began + 30 * MINUTE
    await speak(desk, ticket_id, waited=30 * MINUTE)
    deadline = (await desk.deadlines(ticket_id))[Target.FIRST_CONTACT]
    assert (deadline.is_met, deadline.breached_at, deadline.ended_at) == (True, None, began + 20 * MINUTE)
    turns = await desk.turns(ticket_id, Target.FIRST_CONTACT)
    assert [turn for turn, _level in turns] == ["began", "warned", "warned", "breached", "withdrawn", "ended"]
    lines = {line.deed: line for line in await desk.told(ticket_id)}
    assert (lines[Deed.CONTACTED].at, lines[Deed.CONTACTED].told_at) == (began + 20 * MINUTE, began + 50 * MINUTE)
    assert (lines[Deed.BREACH_WITHDRAWN].text, lines[Deed.BREACH_WITHDRAWN].is_public) == ("first_contact", False)
    assert await withdrawals(desk) == [{"target": "first_contact", "breached_at": (began + 30 * MINUTE).isoformat()}]


async def test_a_contact_at_the_very_deadline_is_in_time(desk: Desk) -> None:
    ticket_id = await given_ticket(desk)
    desk.site.clock.advance(minutes=50)
    await desk.look_at_the_clock()
    await speak(desk, ticket_id, waited=20 * MINUTE)
    assert (await desk.deadlines(ticket_id))[Target.FIRST_CONTACT].breached_at is None


async def test_a_contact_after_the_deadline_stays_a_breach_however_it_is_told(desk: Desk) -> None:
    ticket_id = await given_ticket(desk)
    began = desk.site.clock.now()
    desk.site.clock.advance(minutes=50)
    await desk.look_at_the_clock()
    await speak(desk, ticket_id, waited=19 * MINUTE)
    deadline = (await desk.deadlines(ticket_id))[Target.FIRST_CONTACT]
    assert (deadline.is_met, deadline.breached_at) == (True, began + 30 * MINUTE)
    assert await withdrawals(desk) == []


async def test_who_spoke_first_met_the_target_though_somebody_else_told_before(desk: Desk) -> None:
    ticket_id = await given_ticket(desk)
    began = desk.site.clock.now()
    desk.site.clock.advance(minutes=40)
    await speak(desk, ticket_id, waited=timedelta(), by=Role.DESK)
    desk.site.clock.advance(minutes=10)
    await speak(desk, ticket_id, waited=40 * MINUTE)
    deadline = (await desk.deadlines(ticket_id))[Target.FIRST_CONTACT]
    assert (deadline.breached_at, deadline.ended_at) == (None, began + 10 * MINUTE)


async def test_a_plan_that_was_made_in_time_stopped_the_clock_then(desk: Desk) -> None:
    ticket_id = await given_ticket(desk)
    desk.site.clock.advance(days=2, hours=1)
    await desk.look_at_the_clock()
    assert (await desk.deadlines(ticket_id))[Target.SOLUTION].breached_at is not None
    late = await clock_after(desk, ticket_id, waited=timedelta(hours=2))
    assert isinstance(late, ToldLate)
    used = timedelta(hours=14)  # of fifteen working hours in two days
    await desk.do(Act.PROPOSE, ticket_id, by=Role.WORKER, clock=late)
    assert (await desk.deadlines(ticket_id))[Target.SOLUTION].breached_at is None
    assert await desk.used(ticket_id) == used


async def test_nothing_happened_before_the_act_that_made_it_possible(desk: Desk) -> None:
    ticket_id = await desk.open()
    desk.site.clock.advance(minutes=20)
    await desk.do(Act.TAKE, ticket_id, by=Role.WORKER)
    taken = desk.site.clock.now()
    desk.site.clock.advance(minutes=10)
    assert (await clock_after(desk, ticket_id, waited=25 * MINUTE)).now() == taken


async def test_what_is_told_at_once_has_one_time_though_the_clock_goes_on(desk: Desk) -> None:
    ticket_id = await desk.open()
    clock, who = SystemClock(), desk.principal(Role.DESK)
    async with desk.site.database.transaction() as session:
        await note(session, clock, who, ticket_id=ticket_id, text="业主催", is_public=False)
        audit.record(session, clock, who, action="test.done", subject="ticket:1", after={"name": "x"})
    async with desk.site.database.reading() as session:
        after = await session.scalar(select(AuditEntry.after).where(AuditEntry.action == "test.done"))
    assert (await desk.told(ticket_id))[0].told_at is None
    assert after == {"name": "x"}


async def test_the_audit_of_what_is_told_late_knows_both_times(desk: Desk) -> None:
    late = ToldLate(happened=NOON - 40 * MINUTE, told=NOON)
    async with desk.site.database.transaction() as session:
        audit.record(session, late, desk.principal(Role.DESK), action="test.done", subject="ticket:1")
    async with desk.site.database.reading() as session:
        entry = await session.scalar(select(AuditEntry).where(AuditEntry.action == "test.done"))
    assert (entry.at, entry.after) == (NOON, {"happened_at": (NOON - 40 * MINUTE).isoformat()})


async def test_what_others_write_meanwhile_bounds_nothing(desk: Desk) -> None:
    ticket_id = await given_ticket(desk)
    desk.site.clock.advance(minutes=20)
    async with desk.site.database.transaction() as session:
        who = desk.principal(Role.DESK)
        await note(session, desk.site.clock, who, ticket_id=ticket_id, text="业主催", is_public=False)
    desk.site.clock.advance(minutes=5)
    now = desk.site.clock.now()
    assert (await clock_after(desk, ticket_id, waited=15 * MINUTE)).now() == now - 15 * MINUTE

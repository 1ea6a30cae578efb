"""Whoever is let go or goes on leave: what they had goes to somebody else, and a supervisor knows."""

import pytest
from sqlalchemy import select

from cloud.accounts import people
from cloud.calendars import planning
from cloud.core.principal import Principal, Role
from cloud.notifications.tables import MessageRow
from cloud.tickets import service as tickets
from cloud.tickets.dispatch_tables import OfferState
from cloud.tickets.domain import Deed, State
from cloud.tickets.offers import accept
from tests.cloud.tickets.dispatch.team import EMERGENCY, Team


@pytest.fixture
async def first(team: Team) -> Principal:
    """Whoever is asked first."""
    return await team.add("张三")


@pytest.fixture
async def second(team: Team, first: Principal) -> Principal:
    return await team.add("王五")


async def have(team: Team, person: Principal) -> int:
    """Let somebody accept a ticket, and return it."""
    ticket_id = await team.open()
    offer = (await team.offers(ticket_id))[-1]
    await team.do(accept, person, offer_id=offer.id)
    return ticket_id


async def act(team: Team, use_case: object, person: Principal, ticket_id: int, **more: object) -> None:
    version = (await team.see(ticket_id)).version
    await team.do(use_case, person, ticket_id=ticket_id, version=version, **more)


async def let_go(team: Team, person: Principal) -> None:
    await team.do(people.deactivate_person, team.site.estate.administrator, person_id=person.person_id)


async def texts(team: Team, role: Role) -> list[str]:
    """Return what somebody was written about tickets that are to be given, in English."""
    person_id = team.site.estate.principals[role].person_id
    async with team.site.database.reading() as session:
        found = await session.scalars(
            select(MessageRow.text_en)
            .where(MessageRow.person_id == person_id, MessageRow.subject_en.contains("tickets to be given"))
            .order_by(MessageRow.id)
        )
        return list(found)


async def test_what_somebody_had_who_is_let_go_is_offered_to_the_next(
    team: Team, first: Principal, second: Principal
) -> None:
    ticket_id = await have(team, first)
    await act(team, tickets.start, first, ticket_id)
    await let_go(team, first)
    found = await team.see(ticket_id)
    assert (found.state, found.assignee_id) == (State.OPEN, None)
    assert (Deed.RELEASED, "张三") in await team.told(ticket_id)
    assert (await team.offers(ticket_id))[-1].person_id == second.person_id
    assert await texts(team, Role.MANAGER) == [f"Back in dispatch: {found.number}"]


async def test_what_somebody_was_asked_to_take_is_offered_to_the_next_at_once(
    team: Team, first: Principal, second: Principal
) -> None:
    ticket_id = await team.open()
    await let_go(team, first)
    offers = await team.offers(ticket_id)
    assert [(offer.person_id, offer.state) for offer in offers] == [
        (first.person_id, OfferState.WITHDRAWN),
        (second.person_id, OfferState.OPEN),
    ]
    assert await texts(team, Role.MANAGER) == [f"Back in dispatch: {(await team.see(ticket_id)).number}"]


async def test_an_emergency_of_somebody_who_is_let_go_is_somebody_elses_at_once(
    team: Team, first: Principal, second: Principal
) -> None:
    ticket_id = await team.open(EMERGENCY)
    assert (await team.see(ticket_id)).assignee_id == first.person_id
    await let_go(team, first)
    assert (await team.see(ticket_id)).assignee_id == second.person_id


async def test_what_waits_stays_and_is_named_to_the_supervisor(team: Team, first: Principal, second: Principal) -> None:
    ticket_id = await have(team, first)
    await act(team, tickets.wait, first, ticket_id, reason="等配件")
    await let_go(team, first)
    found = await team.see(ticket_id)
    assert (found.state, found.assignee_id) == (State.WAITING, first.person_id)
    assert await texts(team, Role.MANAGER) == [f"Waiting; please give them to somebody by hand: {found.number}"]


async def test_who_had_nothing_goes_without_a_word(team: Team, first: Principal, second: Principal) -> None:
    await have(team, first)
    await let_go(team, second)
    assert await texts(team, Role.MANAGER) == []


async def test_who_was_taken_back_before_anybody_heard_of_it_keeps_what_they_had(
    team: Team, first: Principal, second: Principal
) -> None:
    ticket_id = await have(team, first)
    boss, person_id = team.site.estate.administrator, first.person_id or 0
    async with team.site.database.transaction() as session:
        await people.deactivate_person(session, team.site.clock, boss, person_id)
        await people.reactivate_person(session, team.site.clock, boss, person_id)
    await team.go_on()
    assert (await team.see(ticket_id)).assignee_id == first.person_id


async def test_leave_from_today_gives_back_what_somebody_had(team: Team, first: Principal, second: Principal) -> None:
    ticket_id = await have(team, first)
    await team.send_away(first)
    await team.go_on()
    assert (await team.offers(ticket_id))[-1].person_id == second.person_id
    assert len(await texts(team, Role.MANAGER)) == 1


async def test_leave_to_come_gives_back_nothing_until_it_begins(
    team: Team, first: Principal, second: Principal
) -> None:
    ticket_id = await have(team, first)
    await team.send_away(first, in_days=2)
    await team.go_on(hours=24)
    assert (await team.see(ticket_id)).assignee_id == first.person_id
    await team.go_on(hours=24)
    assert (await team.see(ticket_id)).assignee_id is None
    await team.go_on(hours=1)
    assert len(await texts(team, Role.MANAGER)) == 1


async def test_leave_that_was_taken_back_gives_back_nothing(team: Team, first: Principal, second: Principal) -> None:
    ticket_id = await have(team, first)
    leave_id = await team.send_away(first)
    async with team.site.database.transaction() as session:
        await planning.cancel_leave(
            session,
            team.site.clock,
            team.site.estate.administrator,
            person_id=first.person_id or 0,
            leave_id=leave_id,
        )
    await team.go_on()
    assert (await team.see(ticket_id)).assignee_id == first.person_id

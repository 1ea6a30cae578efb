"""A ticket that becomes another one is looked for anew at once."""

from cloud.alarms.domain import Priority
from cloud.core.principal import Role
from cloud.tickets import service as tickets
from cloud.tickets.dispatch_tables import OfferState
from cloud.tickets.domain import State
from tests.cloud.tickets.dispatch.team import ORDINARY, Team

TRAPPED = "lift_trapped"


async def become(team: Team, ticket_id: int, type_code: str) -> None:
    desk = team.site.estate.principals[Role.DESK]
    await team.do(
        tickets.reclassify,
        desk,
        ticket_id=ticket_id,
        version=(await team.see(ticket_id)).version,
        type_code=type_code,
        priority=Priority.CRITICAL,
    )


async def test_what_becomes_an_emergency_is_given_at_once_and_no_longer_offered(team: Team) -> None:
    plumber, fitter = await team.add("张三"), await team.add("王五", skills={"lift": None})
    ticket_id = await team.open()
    assert await team.asked(ticket_id) == [plumber.person_id]
    await become(team, ticket_id, TRAPPED)
    assert (await team.see(ticket_id)).assignee_id == fitter.person_id
    assert [each.state for each in await team.offers(ticket_id)] == [OfferState.WITHDRAWN, OfferState.GIVEN]


async def test_what_becomes_other_ordinary_work_is_offered_to_who_can_do_that(team: Team) -> None:
    plumber, fitter = await team.add("张三"), await team.add("王五", skills={"lift": None})
    ticket_id = await team.open()
    await become(team, ticket_id, "lift")
    assert await team.asked(ticket_id) == [plumber.person_id, fitter.person_id]


async def test_who_has_no_certificate_for_what_it_is_now_loses_it_and_is_told(team: Team) -> None:
    plumber = await team.add("张三")
    ticket_id = await team.open()
    await team.do(tickets.take, plumber, ticket_id=ticket_id)
    fitter = await team.add("王五", skills={"lift": None})
    await become(team, ticket_id, TRAPPED)
    assert (await team.see(ticket_id)).assignee_id == fitter.person_id
    assert await team.messages(plumber) == [
        f"A job for you: No water or low pressure ({(await team.see(ticket_id)).number})",
        f"Ticket {(await team.see(ticket_id)).number} is no longer yours: it is now People held in a lift",
    ]


async def test_what_waits_is_free_when_it_goes_on(team: Team) -> None:
    plumber, desk = await team.add("张三"), team.site.estate.principals[Role.DESK]
    ticket_id = await team.open()
    await team.do(tickets.take, plumber, ticket_id=ticket_id)
    seen = await team.see(ticket_id)
    await team.do(tickets.wait, desk, ticket_id=ticket_id, version=seen.version, reason="等配件")
    await become(team, ticket_id, "lift")
    waiting = await team.see(ticket_id)
    assert (waiting.state, waiting.assignee_id) == (State.WAITING, None)
    await team.do(tickets.go_on, desk, ticket_id=ticket_id, version=waiting.version)
    assert (await team.see(ticket_id)).state is State.OPEN


async def test_who_may_do_it_keeps_it(team: Team) -> None:
    able = await team.add("张三", skills={"plumbing": None, "lift": None})
    ticket_id = await team.open(ORDINARY)
    await team.do(tickets.take, able, ticket_id=ticket_id)
    await become(team, ticket_id, "lift")
    assert (await team.see(ticket_id)).assignee_id == able.person_id

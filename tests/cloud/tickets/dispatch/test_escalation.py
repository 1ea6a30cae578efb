from collections.abc import Sequence

import pytest
from sqlalchemy import select

from cloud.accounts.tables import PersonRow
from cloud.core.principal import Role
from cloud.tickets import service as tickets
from cloud.tickets.dispatch_tables import EscalationRow
from cloud.tickets.domain import Deed, Target, TargetBreached, TargetWarned
from cloud.tickets.escalation import climb_breached, climb_warned
from cloud.tickets.ladder import Rung, Whom
from tests.cloud.tickets.dispatch.team import EMERGENCY, ORDINARY, Team

USED = "of the time for solution is used"
"""An emergency of this type must be solved within 240 minutes, round the clock."""


async def escalated(team: Team, ticket_id: int) -> list[str]:
    """Return the steps that the timeline tells of, the first one first."""
    return [text for deed, text in await team.told(ticket_id) if deed is Deed.ESCALATED]


async def steps(team: Team, ticket_id: int) -> Sequence[EscalationRow]:
    async with team.site.database.reading() as session:
        found = await session.scalars(
            select(EscalationRow).where(EscalationRow.ticket_id == ticket_id, EscalationRow.target == Target.SOLUTION)
        )
        return found.all()


async def arrived(team: Team) -> int:
    """Return an emergency that somebody has and is at, so that only its solution's clock runs."""
    await team.add("张三")
    ticket_id = await team.open(EMERGENCY)
    version = (await team.see(ticket_id)).version
    await team.do(tickets.start, team.site.system, ticket_id=ticket_id, version=version)
    return ticket_id


async def test_an_emergency_climbs_the_whole_ladder_each_step_once(team: Team) -> None:
    ticket_id = await arrived(team)
    seen = []
    for minutes in (119, 2, 72, 48, 118, 1, 600):
        await team.go_on(minutes=minutes)
        seen.append(await escalated(team, ticket_id))
    assert [len(lines) for lines in seen] == [0, 1, 2, 3, 3, 4, 4]
    assert seen[-1] == ["50 % → 张三", "80 % → 孙三", "100 % → 吴六", "150 % → 吴六"]
    assert (await team.see(ticket_id)).escalated == 150
    manager = await team.messages(team.site.estate.principals[Role.MANAGER])
    assert [text for text in manager if USED in text] == [
        f"Ticket 2026-000001: 100% {USED}",
        f"Ticket 2026-000001: 150% {USED}",
    ]


async def test_ordinary_work_stops_at_the_manager(team: Team) -> None:
    await team.add("张三")
    ticket_id = await team.open(ORDINARY)
    await team.go_on(days=10)
    lines = await escalated(team, ticket_id)
    assert not any(line.startswith("150 %") for line in lines)
    assert [line for line in lines if line.startswith("100 %")]


async def test_what_is_done_climbs_no_further(team: Team) -> None:
    ticket_id = await arrived(team)
    await team.go_on(minutes=241)
    version = (await team.see(ticket_id)).version
    await team.do(tickets.resolve, team.site.system, ticket_id=ticket_id, version=version, result="好了")
    await team.go_on(minutes=600)
    assert [line[:5] for line in await escalated(team, ticket_id)] == ["50 % ", "80 % ", "100 %"]
    assert all(step.due_at is None for step in await steps(team, ticket_id))


async def test_time_in_which_it_waits_does_not_climb(team: Team) -> None:
    ticket_id = await arrived(team)
    await team.go_on(minutes=241)
    version = (await team.see(ticket_id)).version
    await team.do(tickets.wait, team.site.system, ticket_id=ticket_id, version=version, reason="等配件")
    await team.go_on(minutes=600)
    assert len(await escalated(team, ticket_id)) == 3
    version = (await team.see(ticket_id)).version
    await team.do(tickets.go_on, team.site.system, ticket_id=ticket_id, version=version)
    await team.go_on(minutes=118)
    assert len(await escalated(team, ticket_id)) == 3
    await team.go_on(minutes=6)
    assert len(await escalated(team, ticket_id)) == 4


async def test_a_ticket_keeps_the_ladder_that_it_began_with(team: Team) -> None:
    ticket_id = await arrived(team)
    await team.rule(ladder=(Rung(percent=50, whom=Whom.MANAGER),))
    await team.go_on(minutes=121)
    assert await escalated(team, ticket_id) == ["50 % → 张三"]


async def test_leads_who_are_named_are_told_in_place_of_the_desk(team: Team) -> None:
    lead = team.site.estate.principals[Role.OPERATOR]
    await team.rule(lead_ids=(lead.person_id,))
    ticket_id = await arrived(team)
    await team.go_on(minutes=193)
    assert (await escalated(team, ticket_id))[-1] == "80 % → 钱二"


async def test_a_lead_of_another_community_is_told_nothing(team: Team) -> None:
    lead = team.site.estate.principals[Role.OPERATOR]
    await team.rule(lead_ids=(lead.person_id,))
    async with team.site.database.transaction() as session:
        (await session.get_one(PersonRow, lead.person_id)).communities = [team.site.community_id + 1]
    ticket_id = await arrived(team)
    before = await team.messages(lead)
    await team.go_on(minutes=193)
    assert (await escalated(team, ticket_id))[-1] == "80 % → 孙三"
    assert await team.messages(lead) == before == []


@pytest.mark.parametrize(("percent", "minutes", "step"), [(50, 121, "50 % → 张三"), (100, 241, "100 % → 吴六")])
async def test_the_same_event_again_tells_nobody_twice(team: Team, percent: int, minutes: int, step: str) -> None:
    ticket_id = await arrived(team)
    await team.go_on(minutes=minutes)
    ours = {"organisation_id": team.site.estate.organisation_id, "ticket_id": ticket_id, "target": Target.SOLUTION}
    for _ in range(2):
        async with team.site.database.transaction() as session:
            if percent == 100:
                await climb_breached(session, team.site.clock, TargetBreached(**ours))
            else:
                await climb_warned(session, team.site.clock, TargetWarned(**ours, level=percent))
    assert (await escalated(team, ticket_id)).count(step) == 1

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from cloud.core.errors import Conflict, Forbidden, NotFound, Refused
from cloud.core.principal import Principal, Role
from cloud.core.words import Words
from cloud.feedback import rules, service
from cloud.feedback.domain import FeedbackRules, OnPoor, OpinionDue, Rating
from cloud.repairs.domain import Reply
from cloud.tickets.domain import State
from cloud.tickets.merging import merge
from cloud.tickets.opening import Location, open_ticket
from tests.cloud.repairs.job import Job, give_job, messages_of


async def finish(job: Job) -> None:
    """Carry the repair to its end, and let the news of it be heard, twice as the outbox may."""
    await job.propose()
    await job.say(Reply.AGREED)
    await job.start()
    await job.spend(60)
    await job.finish()
    await hear(job)
    await hear(job)


async def hear(job: Job) -> None:
    event = OpinionDue(organisation_id=job.site.estate.organisation_id, ticket_id=job.ticket_id)
    async with job.work() as session:
        await service.ask_when_done(session, job.site.clock, event)


async def token(job: Job) -> str:
    (link,) = [link for _subject, link in await messages_of(job.site, job.owner) if link.startswith("/opinion/")]
    return link.removeprefix("/opinion/")


async def rate(job: Job, rating: Rating, **more: Any) -> None:
    async with job.work() as session:
        await service.rate_by_link(session, job.site.clock, token=await token(job), rating=rating, **more)


async def opinion(job: Job, by: Principal) -> tuple[int, str] | None:
    async with job.site.database.reading() as session:
        found = (await service.opinions(session, by, ticket_ids=[job.ticket_id])).get(job.ticket_id)
    return (int(found.rating), found.text) if found is not None else None


async def choose(job: Job, **changes: Any) -> None:
    async with job.work() as session:
        await rules.define_rules(
            session, job.site.clock, job.person(Role.MANAGER), replace(FeedbackRules(), **changes), version=0
        )


async def test_whoever_asked_for_the_work_is_asked_once_when_it_is_done(job: Job) -> None:
    await hear(job)  # the ticket is not done, whatever an old event says
    assert await messages_of(job.site, job.owner) == []
    await finish(job)
    assert await token(job)


async def test_whose_ticket_was_merged_into_it_is_told_the_result_and_asked_too(job: Job) -> None:
    desk, clock = job.person(Role.DESK), job.site.clock
    async with job.work() as session:
        merged_id = await open_ticket(
            session,
            clock,
            desk,
            type_code="water_indoor",
            subject=Words(zh="楼上漏水", en="Water comes from above"),
            location=Location(community_id=job.site.community_id, place="云杉苑 · 3 栋 · 502"),
            unit_id=job.homes.next_door_unit_id,
            requester_id=job.next_door.person_id,
        )
        await merge(session, clock, desk, ticket_id=merged_id, version=1, into_id=job.ticket_id)
    await finish(job)
    links = [link for _subject, link in await messages_of(job.site, job.next_door)]
    assert f"/my/repairs/{merged_id}" in links
    assert len([link for link in links if link.startswith("/opinion/")]) == 1
    assert await token(job)


async def test_looking_at_the_link_rates_nothing(job: Job) -> None:
    await finish(job)
    for _again in range(2):
        async with job.site.database.reading() as session:
            asked = await service.asked_by_link(session, job.site.clock, token=await token(job))
        assert (asked.rating, asked.can_be_given) == (None, True)
    with pytest.raises(NotFound):
        async with job.site.database.reading() as session:
            await service.asked_by_link(session, job.site.clock, token=(await token(job))[:-1])


async def test_one_request_takes_one_opinion_that_may_be_changed_for_a_while(job: Job) -> None:
    await finish(job)
    await rate(job, Rating.GOOD)
    await rate(job, Rating.GOOD)
    await rate(job, Rating.VERY_GOOD, text="很快")
    await rate(job, Rating.VERY_GOOD)
    assert await opinion(job, job.person(Role.DESK)) == (5, "很快")
    job.site.clock.advance(hours=25)
    await rate(job, Rating.VERY_GOOD)  # the same again
    with pytest.raises(Conflict, match="too late"):
        await rate(job, Rating.FAIR)
    assert await opinion(job, job.person(Role.DESK)) == (5, "很快")


async def test_many_taps_at_once_are_one_opinion(job: Job) -> None:
    await finish(job)
    await asyncio.gather(*(rate(job, Rating.GOOD) for _ in range(5)))
    assert await opinion(job, job.owner) == (4, "")


async def test_it_is_too_late_when_the_request_is_closed(job: Job) -> None:
    await finish(job)
    job.site.clock.advance(days=30)
    with pytest.raises(Conflict, match="too late"):
        await rate(job, Rating.GOOD)


async def test_nobody_is_asked_again_within_the_days_of_the_cap(job: Job) -> None:
    await finish(job)
    other = replace(job, ticket_id=await give_job(job.site, job.homes))
    await finish(other)
    assert len(await asked(job)) == 1
    job.site.clock.advance(days=8)
    await hear(other)
    assert len(await asked(job)) == 2


async def asked(job: Job) -> list[str]:
    return [link for _subject, link in await messages_of(job.site, job.owner) if link.startswith("/opinion/")]


async def test_a_poor_opinion_takes_the_case_up_again_once_and_gives_no_score_away(job: Job) -> None:
    await finish(job)
    await rate(job, Rating.POOR, text="还在漏")
    ticket = await job.see()
    assert (ticket.state, ticket.reopened) == (State.ASSIGNED, 1)
    await rate(job, Rating.GOOD)
    await rate(job, Rating.VERY_POOR)
    assert (await job.see()).reopened == 1
    assert await opinion(job, job.worker) is None
    assert await opinion(job, job.person(Role.MANAGER)) == (1, "还在漏")


async def test_a_poor_opinion_calls_the_lead_where_the_organisation_wants_that(job: Job) -> None:
    await choose(job, on_poor=OnPoor.CALL)
    await finish(job)
    await rate(job, Rating.POOR)
    assert (await job.see()).state is State.RESOLVED
    ((subject, link),) = await messages_of(job.site, job.person(Role.MANAGER))
    assert subject.endswith("a poor opinion; please call")
    assert link == f"/tickets/{job.ticket_id}"


async def test_a_worker_sees_what_is_not_poor(job: Job) -> None:
    await finish(job)
    await rate(job, Rating.FAIR)
    assert await opinion(job, job.worker) == (3, "")


async def test_an_owner_rates_their_own_ticket_and_nobody_elses(job: Job) -> None:
    await finish(job)
    for by, error in ((job.person(Role.DESK), Forbidden), (job.next_door, Forbidden)):
        with pytest.raises(error):
            async with job.work() as session:
                await service.rate(session, job.site.clock, by, ticket_id=job.ticket_id, rating=Rating.GOOD)
    async with job.work() as session:
        await service.rate(session, job.site.clock, job.owner, ticket_id=job.ticket_id, rating=Rating.GOOD)
        seen = await service.asked_about(session, job.site.clock, job.owner, ticket_id=job.ticket_id)
        assert await service.asked_about(session, job.site.clock, job.next_door, ticket_id=job.ticket_id) is None
    assert seen is not None
    assert (seen.rating, seen.can_be_given) == (Rating.GOOD, True)


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"cap_days": -1}, "cap_days"), ({"open_days": 0}, "open_days"), ({"poor_at": Rating.VERY_GOOD}, "poor_at")],
    ids=["a cap below zero", "never open", "everything is poor"],
)
async def test_rules_that_cannot_be_are_refused(job: Job, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refused:
        await choose(job, **changes)
    assert refused.value.field == field


async def test_rules_are_a_managers_and_nobody_overwrites_anothers(job: Job) -> None:
    await choose(job, cap_days=3)
    with pytest.raises(Conflict):
        await choose(job, cap_days=4)
    with pytest.raises(Forbidden):
        async with job.work() as session:
            await rules.define_rules(session, job.site.clock, job.worker, FeedbackRules(), version=1)

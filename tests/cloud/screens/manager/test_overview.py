"""A manager's first page, and what stands behind its figures."""

import re

from cloud.core.principal import Role
from cloud.feedback import service as feedback
from cloud.feedback.domain import OpinionDue, Rating
from cloud.repairs.domain import Reply
from cloud.tickets import service as tickets
from cloud.tickets.dispatching import begin_search, dispatch_due
from cloud.tickets.domain import TicketOpened
from tests.cloud.repairs.job import Job, give_job
from tests.cloud.screens.house import House


def figures(page: str) -> dict[str, int]:
    return {name: int(number) for name, number in re.findall(r"<dt>([^<]*)</dt><dd>(\d+)</dd>", page)}


async def complain(job: Job, text: str) -> None:
    """Carry the repair to its end, and let its owner be discontent with it."""
    await job.propose()
    await job.say(Reply.AGREED)
    await job.start()
    await job.spend(60)
    await job.finish()
    async with job.work() as session:
        due = OpinionDue(organisation_id=job.site.estate.organisation_id, ticket_id=job.ticket_id)
        await feedback.ask_when_done(session, job.site.clock, due)
        await feedback.rate(session, job.site.clock, job.owner, ticket_id=job.ticket_id, rating=Rating.POOR, text=text)


async def test_a_manager_begins_with_what_does_not_go_as_it_should(house: House, job: Job) -> None:
    async with house.signed_in(Role.MANAGER) as manager:
        start = await manager.sign_in(Role.MANAGER)
        page = (await manager.get("/overview")).text
    assert start.headers["location"] == "/overview"
    assert figures(page) == {"late now": 0, "nobody to be found for": 0, "poor opinions": 0}
    assert "Nobody was discontent." in page


async def test_what_is_late_is_counted_and_listed(house: House, job: Job) -> None:
    house.site.clock.advance(days=6)
    async with house.signed_in(Role.MANAGER) as manager:
        page, behind = (await manager.get("/overview")).text, (await manager.get("/tickets?late=yes")).text
    assert figures(page)["late now"] == 1
    assert 'href="/tickets?late=yes"' in page
    assert "2026-000001" in behind


async def test_what_nobody_was_found_for_is_counted_and_listed(house: House, job: Job) -> None:
    lost = await give_job(job.site, job.homes)
    async with job.work() as session:
        await tickets.release(session, job.site.clock, job.worker, ticket_id=lost, version=2)
        opened = TicketOpened(organisation_id=job.site.estate.organisation_id, ticket_id=lost)
        await begin_search(session, job.site.clock, opened)
    async with job.work() as session:
        await dispatch_due(session, job.site.clock)
    async with house.signed_in(Role.MANAGER) as manager:
        page, behind = (await manager.get("/overview")).text, (await manager.get("/dispatch?search=no_candidate")).text
    assert figures(page)["nobody to be found for"] == 1
    assert "2026-000002" in behind
    assert "2026-000001" not in behind


async def test_a_poor_opinion_leads_to_its_ticket_for_a_month(house: House, job: Job) -> None:
    await complain(job, "师傅迟到了")
    async with house.signed_in(Role.MANAGER) as manager:
        page = (await manager.get("/overview")).text
        house.site.clock.advance(days=31)
        await manager.sign_in(Role.MANAGER)
        after = (await manager.get("/overview")).text
    assert 'href="/tickets/1"' in page
    assert "师傅迟到了" in page
    assert figures(after)["poor opinions"] == 0


async def test_the_desk_has_another_first_page(house: House, job: Job) -> None:
    async with house.signed_in(Role.DESK) as desk:
        assert (await desk.get("/overview")).status_code == 403

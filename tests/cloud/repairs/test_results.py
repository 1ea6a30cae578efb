from collections.abc import Awaitable, Callable

import msgspec
import pytest

from cloud.alarms.domain import Priority
from cloud.core import files
from cloud.core.errors import Conflict, Refused
from cloud.core.files import Saved
from cloud.core.money import Money
from cloud.core.principal import Principal, Role
from cloud.repairs import charges, plans, results, surveys, visits
from cloud.repairs.domain import Hazard, Reply, Stage
from cloud.tickets import service as tickets
from cloud.tickets.attachments import NewAttachment
from cloud.tickets.domain import Payer, State, TicketMoved
from cloud.tickets.incidents import open_incident, resolve_incident
from tests.cloud.repairs.job import Job


async def begin(job: Job) -> None:
    await job.propose()
    await job.say(Reply.AGREED)
    await job.start()


async def test_a_result_is_reported_and_charged_once_with_what_was_done_and_used(job: Job) -> None:
    await begin(job)
    await job.take("3")
    await job.spend(60)
    await job.finish("换了两米水管")
    assert (await job.see()).state is State.RESOLVED
    (charged,) = await job.charged()
    (plan,) = await job.plans()
    assert charged == {
        "organisation_id": job.site.estate.organisation_id,
        "ticket_id": job.ticket_id,
        "result_id": 1,
        "payer": Payer.OWNER,
        "unit_id": job.homes.unit_id,
        "amount_minor": 8_000 + 2_598,
        "currency": "CNY",
        "plan_id": plan.id,
        "plan_version": 1,
        "lines": [
            {
                "kind": "labour", "text": "水工", "quantity": "1", "unit": "h",
                "rate_minor": 8_000, "total_minor": 8_000,
            },
            {
                "kind": "material", "text": "PPR 管", "quantity": "2", "unit": "m",
                "rate_minor": 1_299, "total_minor": 2_598,
            },
        ],
    }  # fmt: skip
    assert "What was done: The kitchen leaks" in await job.messages(job.owner)
    async with job.site.database.reading() as session:
        (reported,) = await results.results(session, job.owner, ticket_id=job.ticket_id)
        (amount,) = [each.amount for each in await charges.charges(session, job.owner, ticket_id=job.ticket_id)]
    assert (reported.text, reported.actor, amount) == ("换了两米水管", "李四", Money(10_598, "CNY"))


async def test_a_repair_that_is_taken_up_again_is_charged_by_a_new_plan_only(job: Job) -> None:
    await begin(job)
    await job.spend(60)
    await job.finish()
    seen = await job.see()
    async with job.work() as session:
        await tickets.reopen(
            session, job.site.clock, job.worker, ticket_id=job.ticket_id, version=seen.version, reason="还在漏"
        )
    await job.start()
    await job.spend(30)
    await job.finish("再次修好")
    assert len(await job.charged()) == 1
    async with job.site.database.reading() as session:
        assert len(await results.results(session, job.owner, ticket_id=job.ticket_id)) == 2


async def test_an_emergency_is_charged_when_its_consent_is_there(job: Job) -> None:
    await job.start(emergency="水漫到楼下")
    await job.propose()
    await job.spend(60)
    await job.finish()
    assert await job.charged() == []
    await job.say(Reply.AGREED)
    assert [each["amount_minor"] for each in await job.charged()] == [8_000]
    assert (await job.see()).state is State.RESOLVED


async def test_an_emergency_that_lapsed_is_asked_again_after_its_end(job: Job) -> None:
    await job.start(emergency="水漫到楼下")
    await job.propose()
    await job.spend(60)
    await job.finish()
    job.site.clock.advance(days=3)
    async with job.work() as session:
        await plans.lapse(session, job.site.clock)
    await job.propose(job.terms(hours="0.5"))
    await job.say(Reply.AGREED)
    assert [(each["amount_minor"], each["plan_version"]) for each in await job.charged()] == [(4_000, 2)]


async def test_planned_labour_needs_its_time_and_an_open_visit_its_end(job: Job) -> None:
    await begin(job)
    with pytest.raises(Refused, match="working time first"):
        await job.finish()
    async with job.work() as session:
        await visits.arrive(session, job.site.clock, job.worker, ticket_id=job.ticket_id)
    with pytest.raises(Refused, match="Finish the visit first"):
        await job.finish()
    assert (await job.see()).state is State.IN_WORK


async def test_a_danger_makes_the_ticket_one_of_the_highest_priority(job: Job) -> None:
    async with job.work() as session:
        await surveys.survey(
            session, job.site.clock, job.worker, ticket_id=job.ticket_id, findings="插座进水", hazard=Hazard.DANGER
        )
    assert (await job.see()).priority is Priority.CRITICAL
    await job.start(emergency="插座进水，有触电危险")
    async with job.site.database.reading() as session:
        (found,) = await surveys.surveys(session, job.worker, ticket_id=job.ticket_id)
    assert (found.findings, found.hazard, found.actor) == ("插座进水", Hazard.DANGER, "李四")


async def test_a_survey_says_something(job: Job) -> None:
    with pytest.raises(Refused) as refused:
        async with job.work() as session:
            await surveys.survey(
                session, job.site.clock, job.worker, ticket_id=job.ticket_id, findings=" ", hazard=Hazard.NONE
            )
    assert refused.value.field == "findings"


async def test_photos_are_for_those_who_may_see_the_ticket(job: Job) -> None:
    async with job.work() as session:
        file_id = await files.add(
            session, job.site.clock, job.worker, Saved(sha256="0" * 64, size_bytes=3), name="a.jpg",
            media_type="image/jpeg",
        )  # fmt: skip
        await surveys.survey(
            session, job.site.clock, job.worker, ticket_id=job.ticket_id, findings="漏水点在水槽下",
            hazard=Hazard.CAUTION, photos=[NewAttachment(file_id=file_id, name="a.jpg", width=4, height=3)],
        )  # fmt: skip
        assert [each.stage for each in await surveys.photos(session, job.worker, ticket_id=job.ticket_id)] == [
            Stage.SURVEY
        ]

    async def sees(person: Principal, wanted: int = file_id) -> bool:
        async with job.site.database.reading() as session:
            return await surveys.may_see_photo(session, person, file_id=wanted)

    assert [await sees(person) for person in (job.owner, job.worker, job.person(Role.DESK))] == [True] * 3
    assert not await sees(job.next_door)
    assert not await sees(job.worker, wanted=file_id + 1)


async def test_a_closed_ticket_is_worked_on_no_more(job: Job) -> None:
    await begin(job)
    await job.take("1")
    await job.spend(10)
    await job.finish()
    with pytest.raises(Conflict, match="closed"):
        await job.take("1")
    with pytest.raises(Conflict, match="closed"):
        await job.give_back("1")


async def settle(job: Job) -> None:
    """Open an incident that explains the ticket, end it with its tickets, and let the word of it come round."""
    site, desk = job.site, job.person(Role.DESK)
    async with job.work() as session:
        incident_id = await open_incident(
            session, site.clock, desk, type_code="water_burst", title="总管爆裂", script="", notice="",
            community_id=site.community_id, affected=[], ticket_ids=[job.ticket_id],
        )  # fmt: skip
        await resolve_incident(
            session, site.clock, desk, incident_id=incident_id, version=1, result="总管已修复", with_tickets=True
        )
    for told in await site.emitted(TicketMoved.kind):
        async with job.work() as session:
            await results.report_settled(session, site.clock, msgspec.convert(told, TicketMoved))


async def test_an_end_that_an_incident_brought_is_reported_and_charges_nothing(job: Job) -> None:
    await settle(job)
    assert (await job.see()).state is State.RESOLVED
    async with job.site.database.reading() as session:
        (reported,) = await results.results(session, job.owner, ticket_id=job.ticket_id)
    assert (reported.text, reported.actor) == ("总管已修复", "")
    assert (await job.messages(job.owner))[-1] == "What was done: The kitchen leaks"
    assert await job.charged() == []


async def begin_at_once(job: Job) -> None:
    await job.start(emergency="水漫到楼下")


@pytest.mark.parametrize("beginning", [begin, begin_at_once], ids=["agreed to", "an emergency"])
async def test_work_that_somebody_is_to_pay_for_does_not_end_with_an_incident(
    job: Job, beginning: Callable[[Job], Awaitable[None]]
) -> None:
    await beginning(job)
    await settle(job)
    assert (await job.see()).state is State.IN_WORK
    async with job.site.database.reading() as session:
        assert await results.results(session, job.owner, ticket_id=job.ticket_id) == []


async def test_a_job_is_a_plan_a_visit_or_a_checklist(job: Job) -> None:
    async with job.site.database.reading() as session:
        assert not await results.has_job(session, job.worker, ticket_id=job.ticket_id)
    await job.spend(10)
    async with job.site.database.reading() as session:
        assert await results.has_job(session, job.worker, ticket_id=job.ticket_id)

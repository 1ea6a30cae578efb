from dataclasses import replace
from datetime import timedelta

import pytest

from cloud.core.errors import Conflict, Forbidden, NotFound, Refused
from cloud.core.money import Money
from cloud.core.principal import Role
from cloud.properties import occupancies
from cloud.properties.domain import OccupancyKind
from cloud.repairs import consent, plans
from cloud.repairs.domain import Differs, Means, Reply, Standing
from cloud.tickets.domain import Consent, Payer, State
from tests.cloud.estate import add_owner
from tests.cloud.repairs.job import Job
from tests.cloud.screens.households import SINCE


async def test_a_plan_asks_the_units_owner_and_work_waits_for_the_answer(job: Job) -> None:
    assert await job.propose() == 1
    assert (await job.see()).state is State.PLANNED
    assert await job.messages(job.owner) == ["A plan waits for your consent: 145.98 CNY"]
    assert await job.messages(job.next_door) == []
    with pytest.raises(Conflict, match="waits for consent"):
        await job.start()


async def test_consent_holds_for_the_version_and_the_amount_that_were_seen(job: Job) -> None:
    await job.propose()
    (first,) = await job.plans()
    await job.propose(job.terms(hours="3"))
    with pytest.raises(Conflict, match="different"):
        await job.say(Reply.AGREED, plan=first)
    (second, *_older) = await job.plans()
    with pytest.raises(Conflict, match="different"):
        await job.say(Reply.AGREED, plan=replace(second, budget=second.budget - Money(1, "CNY")))
    await job.say(Reply.AGREED, plan=second)
    assert [each.standing for each in await job.plans()] == [Standing.AGREED, Standing.REPLACED]
    ticket = await job.see()
    assert (ticket.state, ticket.consent) == (State.AGREED, Consent.GIVEN)


async def test_a_newer_version_shows_what_differs_and_asks_again(job: Job) -> None:
    await job.propose()
    await job.say(Reply.AGREED)
    await job.start()
    await job.propose(job.terms(metres="3"))
    assert (await job.see()).state is State.PLANNED
    newest = (await job.plans())[0]
    assert [(each.how, each.after and each.after.item) for each in newest.differences] == [(Differs.CHANGED, "pipe-20")]
    assert newest.before == Money(14_598, "CNY")
    assert (await job.messages(job.owner))[-1].startswith("The plan has changed")
    with pytest.raises(Conflict):
        await job.start()


async def test_agreeing_twice_is_agreeing_once(job: Job) -> None:
    await job.propose()
    await job.say(Reply.AGREED)
    await job.say(Reply.AGREED)
    (plan,) = await job.plans()
    assert [said.reply for said in plan.replies] == [Reply.AGREED]


async def test_a_refused_plan_goes_back_to_whoever_made_it(job: Job) -> None:
    await job.propose()
    await job.say(Reply.REFUSED, text="太贵")
    ticket = await job.see()
    assert (ticket.state, ticket.consent) == (State.ASSIGNED, Consent.NEEDED)
    with pytest.raises(Conflict, match="has been answered"):
        await job.say(Reply.AGREED)
    with pytest.raises(Conflict, match="once its plan is agreed"):
        await job.start()
    await job.propose(job.terms(hours="1"))
    await job.say(Reply.AGREED)
    await job.start()


async def test_a_question_is_answered_and_then_asks_again(job: Job) -> None:
    await job.propose()
    await job.say(Reply.ASKED, text="能用旧的阀门吗？")
    assert (await job.plans())[0].standing is Standing.QUESTION
    async with job.work() as session:
        await consent.explain(session, job.site.clock, job.worker, ticket_id=job.ticket_id, text="不能，已经锈穿")
    (plan,) = await job.plans()
    assert plan.standing is Standing.ASKED
    assert [(said.reply, said.text) for said in plan.replies] == [
        (Reply.ASKED, "能用旧的阀门吗？"),
        (Reply.ANSWERED, "不能，已经锈穿"),
    ]
    assert (await job.messages(job.owner))[-1].startswith("Your question is answered")
    await job.say(Reply.AGREED)


async def test_the_clock_runs_while_a_question_is_ours_to_answer(job: Job) -> None:
    await job.propose()
    assert (await job.see()).due_at is None
    await job.say(Reply.ASKED, text="能用旧的阀门吗？")
    assert (await job.see()).due_at is not None
    async with job.work() as session:
        await consent.explain(session, job.site.clock, job.worker, ticket_id=job.ticket_id, text="不能，已经锈穿")
    assert (await job.see()).due_at is None


async def test_nobody_answers_what_nobody_asked(job: Job) -> None:
    await job.propose()
    with pytest.raises(Conflict, match="Nobody has asked"):
        async with job.work() as session:
            await consent.explain(session, job.site.clock, job.worker, ticket_id=job.ticket_id, text="好的")
    with pytest.raises(Refused, match="question"):
        await job.say(Reply.ASKED, text=" ")


async def test_only_who_may_decide_for_the_payer_consents(job: Job) -> None:
    await job.propose()
    with pytest.raises(NotFound):
        await job.say(Reply.AGREED, by=job.next_door)
    for role in (Role.WORKER, Role.DESK, Role.ADMINISTRATOR):
        with pytest.raises(Forbidden, match="owner decides"):
            await job.say(Reply.AGREED, by=job.person(role))
    await job.propose(job.terms(payer=Payer.COMMON_FUND))
    with pytest.raises(Forbidden, match="manager decides"):
        await job.say(Reply.AGREED)
    await job.say(Reply.AGREED, by=job.person(Role.MANAGER))
    assert (await job.see()).state is State.AGREED


async def test_a_tenant_sees_the_plan_and_does_not_decide_about_it(job: Job) -> None:
    site = job.site
    tenant = await add_owner(site.database, site.clock, site.estate, name="租客", login="tenant")
    async with job.work() as session:
        await occupancies.settle(
            session, site.clock, site.estate.administrator, unit_id=job.homes.unit_id,
            person_id=tenant.person_id or 0, kind=OccupancyKind.TENANT, since=SINCE,
        )  # fmt: skip
        tenant = await occupancies.at_home(session, tenant, on=site.clock.now().date())
    await job.propose()
    with pytest.raises(Forbidden, match="owner decides"):
        await job.say(Reply.AGREED, by=tenant)
    ticket = await job.see()
    async with site.database.reading() as session:
        assert await consent.asked_of(session, site.clock, tenant, of=[ticket]) == frozenset()
        assert await consent.asked_of(session, site.clock, job.owner, of=[ticket]) == {ticket.id}


async def test_the_desk_writes_down_who_consented_how_and_in_which_words(job: Job) -> None:
    await job.propose()
    with pytest.raises(Refused, match="who may decide"):
        await job.tell_desk(Reply.AGREED, decider_id=job.next_door.person_id or 0)
    with pytest.raises(Refused, match="what was said"):
        await job.tell_desk(Reply.AGREED, decider_id=job.owner.person_id or 0, text="")
    with pytest.raises(Forbidden):
        await job.say(Reply.AGREED, by=job.worker, means=Means.PHONE, text="同意", decider_id=job.owner.person_id)
    await job.tell_desk(Reply.AGREED, decider_id=job.owner.person_id or 0)
    ((said,),) = [plan.replies for plan in await job.plans()]
    assert (said.decider, said.actor, said.means, said.text) == ("冯九", "孙三", Means.PHONE, "电话中同意")
    assert said.amount == Money(14_598, "CNY")


async def test_a_plan_that_is_no_longer_valid_asks_again(job: Job) -> None:
    await job.propose()
    job.site.clock.advance(days=2)
    with pytest.raises(Conflict, match="no longer valid"):
        await job.say(Reply.AGREED)
    async with job.work() as session:
        assert await plans.lapse(session, job.site.clock) == {job.site.estate.organisation_id}
    async with job.work() as session:
        assert await plans.lapse(session, job.site.clock) == set()
    assert (await job.plans())[0].standing is Standing.LAPSED
    assert (await job.see()).state is State.ASSIGNED
    for told in (job.worker, job.person(Role.DESK)):
        assert (await job.messages(told))[-1].endswith("the plan has lapsed: ask again")
    async with job.work() as session:
        await plans.ask_again(
            session,
            job.site.clock,
            job.worker,
            ticket_id=job.ticket_id,
            valid_until=job.site.clock.now() + timedelta(days=2),
        )
    assert [(each.version, each.standing, each.budget.minor) for each in await job.plans()] == [
        (2, Standing.ASKED, 14_598),
        (1, Standing.LAPSED, 14_598),
    ]
    await job.say(Reply.AGREED)


async def test_an_emergency_starts_first_and_its_consent_is_caught_up_with(job: Job) -> None:
    await job.start(emergency="水漫到楼下")
    await job.propose()
    ticket = await job.see()
    assert (ticket.state, ticket.consent, ticket.emergency_reason) == (State.IN_WORK, Consent.NEEDED, "水漫到楼下")
    await job.say(Reply.AGREED)
    ticket = await job.see()
    assert (ticket.state, ticket.consent) == (State.IN_WORK, Consent.GIVEN)


async def test_an_emergency_whose_plan_is_refused_stops(job: Job) -> None:
    await job.start(emergency="水漫到楼下")
    await job.propose()
    await job.say(Reply.REFUSED)
    assert (await job.see()).state is State.ASSIGNED
    with pytest.raises(Conflict):
        await job.start()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"visits": 0}, "visits"),
        ({"lines": ()}, "lines"),
        ({"valid_until": timedelta()}, "valid_until"),
        ({"valid_until": timedelta(days=400)}, "valid_until"),
        ({"finish_on": timedelta(days=-3)}, "finish_on"),
    ],
    ids=["no visit", "no line", "valid until now", "valid for too long", "finished in the past"],
)
async def test_a_plan_that_cannot_be_is_refused(job: Job, changes: dict[str, object], field: str) -> None:
    now = job.site.clock.now()
    days = {name: now + value for name, value in changes.items() if isinstance(value, timedelta)}
    days |= {"finish_on": days["finish_on"].date()} if "finish_on" in days else {}
    with pytest.raises(Refused) as refused:
        await job.propose(job.terms(**{**changes, **days}))
    assert refused.value.field == field
    assert await job.plans() == []


async def test_a_plan_that_nobody_could_agree_to_is_refused(job: Job) -> None:
    async with job.work() as session:
        await occupancies.move_out(
            session, job.site.clock, job.person(Role.DESK), occupancy_id=job.homes.occupancy_id,
            until=job.site.clock.now().date(),
        )  # fmt: skip
    with pytest.raises(Refused, match="Nobody is known as this unit's owner") as refused:
        await job.propose()
    assert refused.value.field == "payer"


async def test_only_whoever_has_the_ticket_plans(job: Job) -> None:
    with pytest.raises(Forbidden):
        await job.propose(by=job.owner)
    with pytest.raises(NotFound):
        await job.propose(by=job.next_door)
    await job.propose(by=job.person(Role.DESK))

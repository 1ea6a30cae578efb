"""A repair at every stage that a form can be sent from, with its number and version as examples."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import cast

from cloud.core.listing import Ask
from cloud.core.principal import Role
from cloud.repairs import checks, plans, preventive, visits
from cloud.repairs.domain import Reply
from cloud.repairs.visits import Window
from cloud.tickets import from_alarms
from cloud.tickets import service as tickets
from cloud.tickets.domain import Kind
from cloud.tickets.reading import list_tickets
from tests.cloud.alarms.site import Site
from tests.cloud.repairs.job import Job, give_job
from tests.cloud.screens.households import Households


async def make_stages(site: Site, households: Households) -> dict[str, object]:
    """Return `<stage>_id` and `<stage>_version` of a repair of the owner's, which the worker has, at each stage."""
    found: dict[str, object] = {}
    for name, come_to in STAGES.items():
        job = Job(site=site, homes=households, ticket_id=await give_job(site, households))
        await come_to(job)
        seen = await job.see()
        found |= {f"{name}_id": seen.id, f"{name}_version": seen.version, f"{name}_number": seen.number}
        for plan in (await job.plans())[:1]:
            found |= {f"{name}_plan": plan.version, f"{name}_amount": plan.budget.minor}
    return {
        **found,
        **await _offered_visit(site, found),
        **await _inspection(site),
        **await _verifying(site, households),
    }


async def _offered_visit(site: Site, found: dict[str, object]) -> dict[str, object]:
    ticket_id = cast("int", found["offered_id"])
    async with site.database.reading() as session:
        [visit] = (await visits.visits(session, site.system, ticket_ids=[ticket_id]))[ticket_id]
    return {"visit_id": visit.id, "visit_at": visit.windows[1].starts_at.isoformat()}


async def _inspection(site: Site) -> dict[str, object]:
    """Let the plan that is due make its inspection, and give that to the worker."""
    desk, worker = site.estate.principals[Role.DESK], site.estate.principals[Role.WORKER]
    async with site.database.transaction() as session:
        await preventive.make_due(session, site.clock)
        every = (await list_tickets(session, site.clock, desk, Ask(limit=None), only_undone=True)).rows
        [inspection] = [each for each in every if each.kind is Kind.INSPECTION]
        await tickets.assign(
            session, site.clock, desk, ticket_id=inspection.id, version=inspection.version,
            person_id=worker.person_id or 0,
        )  # fmt: skip
        [item] = await checks.checklist(session, desk, ticket_id=inspection.id)
    return {"inspection_id": inspection.id, "inspection_version": inspection.version + 1, "check_code": item.code}


async def _verifying(site: Site, households: Households) -> dict[str, object]:
    """Let the worker be done with an alarm that stands still."""
    await site.rule(point="probe/humidity", unit="%")
    await site.measure((-120, 70.0), (-30, 95.0), point="probe/humidity")
    *_others, alarm = await site.alarms()
    desk, worker = site.estate.principals[Role.DESK], site.estate.principals[Role.WORKER]
    async with site.database.transaction() as session:
        ticket_id = await from_alarms.open_for_alarm(session, site.clock, site.operator, alarm_id=alarm.id)
        await tickets.assign(session, site.clock, desk, ticket_id=ticket_id, version=1, person_id=worker.person_id or 0)
    job = Job(site=site, homes=households, ticket_id=ticket_id)
    await job.start()
    await job.finish("换了除湿机")
    return {"verifying_id": ticket_id, "verifying_version": (await job.see()).version}


async def _assigned(_job: Job) -> None:
    return


async def _open(job: Job) -> None:
    async with job.work() as session:
        await tickets.release(
            session, job.site.clock, job.person(Role.DESK), ticket_id=job.ticket_id, version=(await job.see()).version
        )


async def _planned(job: Job) -> None:
    await job.propose()


async def _asked(job: Job) -> None:
    await job.propose()
    await job.say(Reply.ASKED, text="为什么要换？")


async def _lapsed(job: Job) -> None:
    clock = job.site.clock
    now = clock.now()
    await job.propose(job.terms(valid_until=now + timedelta(hours=1)))
    clock.advance(hours=2)
    async with job.work() as session:
        await plans.lapse(session, clock)
    clock.set(now)


async def _agreed(job: Job) -> None:
    await job.propose()
    await job.say(Reply.AGREED)


async def _offered(job: Job) -> None:
    now = job.site.clock.now()
    windows = [
        Window(starts_at=now + timedelta(hours=hours), ends_at=now + timedelta(hours=hours + 2)) for hours in (2, 4)
    ]
    async with job.work() as session:
        await visits.offer(session, job.site.clock, job.worker, ticket_id=job.ticket_id, windows=windows)


async def _in_work(job: Job) -> None:
    await _agreed(job)
    await job.start()


async def _waiting(job: Job) -> None:
    seen = await job.see()
    async with job.work() as session:
        await tickets.wait(
            session,
            job.site.clock,
            job.person(Role.DESK),
            ticket_id=job.ticket_id,
            version=seen.version,
            reason="等配件",
        )


async def _on_the_spot(job: Job) -> None:
    await _in_work(job)
    await job.take("2")
    async with job.work() as session:
        await visits.arrive(session, job.site.clock, job.worker, ticket_id=job.ticket_id)


async def _spent(job: Job) -> None:
    now = job.site.clock.now()
    await _in_work(job)
    await job.spend(30)
    job.site.clock.set(now)  # what else stands may not lapse meanwhile


async def _resolved(job: Job) -> None:
    await _spent(job)
    await job.finish()


STAGES: dict[str, Callable[[Job], Awaitable[None]]] = {
    "assigned": _assigned,
    "open": _open,
    "planned": _planned,
    "asked": _asked,
    "lapsed": _lapsed,
    "agreed": _agreed,
    "in_work": _in_work,
    "waiting": _waiting,
    "on_the_spot": _on_the_spot,
    "spent": _spent,
    "resolved": _resolved,
    "offered": _offered,
}

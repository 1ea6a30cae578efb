from datetime import timedelta

import pytest

from cloud.core.errors import Conflict, Forbidden, NotFound, Refused
from cloud.core.principal import Role
from cloud.repairs import visits
from cloud.repairs.visits import Visit, Window
from cloud.tickets.domain import Deed
from cloud.tickets.timeline import timeline
from tests.cloud.repairs.job import Job


def windows(job: Job, *hours: float) -> list[Window]:
    now = job.site.clock.now()
    return [Window(starts_at=now + timedelta(hours=hour), ends_at=now + timedelta(hours=hour + 2)) for hour in hours]


async def offer(job: Job, *hours: float) -> int:
    async with job.work() as session:
        return await visits.offer(
            session, job.site.clock, job.worker, ticket_id=job.ticket_id, windows=windows(job, *hours)
        )


async def seen(job: Job) -> list[Visit]:
    async with job.site.database.reading() as session:
        return (await visits.visits(session, job.site.system, ticket_ids=[job.ticket_id]))[job.ticket_id]


async def test_the_owner_chooses_from_the_times_that_are_offered(job: Job) -> None:
    visit_id = await offer(job, 2, 26)
    first, second = windows(job, 2, 26)
    assert await job.messages(job.owner) == ["Please choose when we may come"]
    for window in (first, second, second):
        async with job.work() as session:
            await visits.choose(
                session, job.site.clock, job.owner, ticket_id=job.ticket_id, visit_id=visit_id,
                starts_at=window.starts_at,
            )  # fmt: skip
    (visit,) = await seen(job)
    assert visit.chosen == second


async def test_a_time_that_is_not_offered_or_over_is_not_chosen(job: Job) -> None:
    visit_id = await offer(job, 2)
    (window,) = windows(job, 2)
    for starts_at, advance in ((window.starts_at + timedelta(minutes=1), 0), (window.starts_at, 5)):
        job.site.clock.advance(hours=advance)
        with pytest.raises(Conflict, match="not offered any more"):
            async with job.work() as session:
                await visits.choose(
                    session, job.site.clock, job.owner, ticket_id=job.ticket_id, visit_id=visit_id, starts_at=starts_at
                )


async def test_times_offered_again_take_the_place_of_the_old_ones(job: Job) -> None:
    assert await offer(job, 2, 4) == await offer(job, 30)
    (visit,) = await seen(job)
    assert visit.windows == tuple(windows(job, 30))
    assert visit.chosen == windows(job, 30)[0]


@pytest.mark.parametrize(
    ("starts", "length"), [(-3, 2), (1, 0), (1, 13), (24 * 200, 2)], ids=["over", "empty", "too long", "too far"]
)
async def test_a_time_that_cannot_be_is_not_offered(job: Job, starts: int, length: int) -> None:
    at = job.site.clock.now() + timedelta(hours=starts)
    with pytest.raises(Refused) as refused:
        async with job.work() as session:
            await visits.offer(
                session, job.site.clock, job.worker, ticket_id=job.ticket_id,
                windows=[Window(starts_at=at, ends_at=at + timedelta(hours=length))],
            )  # fmt: skip
    assert refused.value.field == "windows"


async def test_a_neighbour_chooses_nothing_and_only_whoever_has_the_ticket_offers(job: Job) -> None:
    visit_id = await offer(job, 2)
    (window,) = windows(job, 2)
    with pytest.raises(NotFound):
        async with job.work() as session:
            await visits.choose(
                session, job.site.clock, job.next_door, ticket_id=job.ticket_id, visit_id=visit_id,
                starts_at=window.starts_at,
            )  # fmt: skip
    with pytest.raises(Forbidden):
        async with job.work() as session:
            await visits.offer(session, job.site.clock, job.owner, ticket_id=job.ticket_id, windows=[window])


async def test_a_visit_keeps_arrival_time_worked_and_who_signed(job: Job) -> None:
    await offer(job, 0.5)
    arrived_at = job.site.clock.now()
    for _again in range(2):
        async with job.work() as session:
            await visits.arrive(session, job.site.clock, job.worker, ticket_id=job.ticket_id)
    await job.spend(45, signer="冯九", text="关了阀门")
    (visit,) = await seen(job)
    assert (visit.number, visit.arrived_at, visit.labour_minutes, visit.signer) == (1, arrived_at, 45, "冯九")
    assert visit.left_at == job.site.clock.now()
    async with job.site.database.reading() as session:
        lines = (await timeline(session, job.site.system, ticket_ids=[job.ticket_id]))[job.ticket_id]
    assert [line.deed for line in lines].count(Deed.ARRIVED) == 1


async def test_nobody_leaves_who_did_not_come(job: Job) -> None:
    for minutes, error in ((30, Conflict), (-1, Refused)):
        with pytest.raises(error):
            async with job.work() as session:
                await visits.leave(session, job.site.clock, job.worker, ticket_id=job.ticket_id, labour_minutes=minutes)
        async with job.work() as session:
            await visits.arrive(session, job.site.clock, job.worker, ticket_id=job.ticket_id)


async def test_a_missed_visit_is_told_and_another_one_is_offered(job: Job) -> None:
    await offer(job, 1)
    async with job.work() as session:
        await visits.miss(session, job.site.clock, job.worker, ticket_id=job.ticket_id, reason="家中无人")
    assert (await job.messages(job.owner))[-1].startswith("The visit came to nothing")
    with pytest.raises(Conflict, match="No visit is due"):
        async with job.work() as session:
            await visits.miss(session, job.site.clock, job.worker, ticket_id=job.ticket_id, reason="家中无人")
    await offer(job, 20)
    assert [(each.number, each.is_over) for each in await seen(job)] == [(1, True), (2, False)]


async def test_the_desk_chooses_for_an_owner_on_the_telephone(job: Job) -> None:
    visit_id = await offer(job, 2, 4)
    (window,) = windows(job, 4)
    with pytest.raises(NotFound):
        async with job.work() as session:
            await visits.choose(
                session, job.site.clock, job.person(Role.DESK), ticket_id=job.ticket_id, visit_id=visit_id + 1,
                starts_at=window.starts_at,
            )  # fmt: skip
    async with job.work() as session:
        await visits.choose(
            session, job.site.clock, job.person(Role.DESK), ticket_id=job.ticket_id, visit_id=visit_id,
            starts_at=window.starts_at,
        )  # fmt: skip
    assert (await seen(job))[0].chosen == window

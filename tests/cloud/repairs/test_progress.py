"""What whoever asked for a ticket is told of its progress, and who hears what they say."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from cloud.core.database import Routes
from cloud.core.delivery import DeliveryLoop
from cloud.core.errors import Refused
from cloud.core.principal import Principal, Role
from cloud.core.wiring import Wiring, hears
from cloud.notifications.tables import MessageRow
from cloud.repairs import visits
from cloud.repairs.progress import tell_progress
from cloud.repairs.visits import Window
from cloud.tickets import merging, service
from cloud.tickets.domain import TicketMoved
from cloud.tickets.saying import say
from tests.cloud.repairs.job import Job, give_job

WIRING = Wiring(hears(TicketMoved, {"progress": tell_progress}))


@pytest.fixture
def routes() -> Routes:
    return WIRING.routes


async def told(job: Job, person: Principal) -> list[tuple[str, str, str]]:
    """Let events come round; return subject, text and link of somebody's messages, the oldest first."""
    await DeliveryLoop(job.site.database, job.site.clock, WIRING).deliver_due()
    async with job.site.database.reading() as session:
        rows = await session.scalars(
            select(MessageRow).where(MessageRow.person_id == person.person_id).order_by(MessageRow.id)
        )
        return [(row.subject_en, row.text_en, row.link) for row in rows]


async def version(job: Job) -> int:
    return (await job.see()).version


async def test_whoever_asked_is_told_who_sees_to_it(job: Job) -> None:
    assert await told(job, job.owner) == [
        ("Somebody sees to it now: The kitchen leaks", "2026-000001 · 李四", "/my/repairs/1")
    ]
    assert await told(job, job.next_door) == []


async def test_they_are_told_of_a_wait_a_new_beginning_and_an_end_each_once(job: Job) -> None:
    await told(job, job.owner)
    desk, clock = job.person(Role.DESK), job.site.clock
    async with job.work() as session:
        await service.wait(session, clock, job.worker, ticket_id=1, version=await version(job), reason="等配件")
    await told(job, job.owner)
    async with job.work() as session:
        await service.cancel(session, clock, desk, ticket_id=1, version=await version(job), reason="业主已自行修好")
    await told(job, job.owner)
    async with job.work() as session:
        await service.reopen(session, clock, desk, ticket_id=1, version=await version(job), reason="又漏了")
    assert [(subject, text) for subject, text, _link in (await told(job, job.owner))[1:]] == [
        ("It has to wait: The kitchen leaks", "2026-000001 · 等配件"),
        ("Ended without work: The kitchen leaks", "2026-000001 · 业主已自行修好"),
        ("Taken up again: The kitchen leaks", "2026-000001"),
    ]


async def test_what_is_merged_goes_on_together(job: Job) -> None:
    into_id = await give_job(job.site, job.homes)
    async with job.work() as session:
        await merging.merge(
            session, job.site.clock, job.person(Role.DESK), ticket_id=1, version=await version(job), into_id=into_id
        )
    assert ("It goes on together with another report: The kitchen leaks", "2026-000001", "/my/repairs/1") in await told(
        job, job.owner
    )


async def test_what_was_taken_back_before_anybody_was_told_is_not_told(job: Job) -> None:
    async with job.work() as session:
        await service.release(session, job.site.clock, job.worker, ticket_id=1, version=await version(job))
    assert await told(job, job.owner) == []


async def test_what_they_say_is_told_to_whoever_has_the_ticket(job: Job) -> None:
    async with job.work() as session:
        await say(session, job.site.clock, job.owner, ticket_id=1, text="今天下午在家")
    assert await told(job, job.worker) == [("冯九 wrote about ticket 2026-000001", "今天下午在家", "/tickets/1")]
    assert await told(job, job.person(Role.DESK)) == []


async def test_what_they_say_is_told_to_the_desk_while_nobody_has_the_ticket(job: Job) -> None:
    async with job.work() as session:
        await service.release(session, job.site.clock, job.worker, ticket_id=1, version=await version(job))
        await say(session, job.site.clock, job.owner, ticket_id=1, text="还没有人来")
    assert await told(job, job.person(Role.DESK)) == [
        ("冯九 wrote about ticket 2026-000001", "还没有人来", "/tickets/1")
    ]


async def test_neither_word_nor_photo_is_nothing_to_tell(job: Job) -> None:
    with pytest.raises(Refused):
        async with job.work() as session:
            await say(session, job.site.clock, job.owner, ticket_id=1, text=" ")
    assert await told(job, job.worker) == []


async def test_the_time_that_an_owner_chooses_is_told_where_it_is_local(job: Job) -> None:
    clock = job.site.clock
    starts = clock.now().replace(hour=1, minute=30) + timedelta(days=1)
    async with job.work() as session:
        window = Window(starts_at=starts, ends_at=starts + timedelta(hours=2))
        visit_id = await visits.offer(session, clock, job.worker, ticket_id=1, windows=[window])
        await visits.choose(session, clock, job.owner, ticket_id=1, visit_id=visit_id, starts_at=starts)
    assert await told(job, job.worker) == [
        ("2026-000001: come on 03-03 09:30", "The kitchen leaks · 云杉苑 · 3 栋 · 501", "/work/1")
    ]

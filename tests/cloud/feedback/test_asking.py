"""When somebody is asked: once the end of their ticket can't be taken back by a tap any more."""

from datetime import timedelta

import pytest

from cloud.core.database import Routes
from cloud.core.delivery import DeliveryLoop
from cloud.core.wiring import Wiring, hears
from cloud.feedback import service
from cloud.feedback.domain import ASKED_AFTER, OpinionDue
from cloud.repairs.domain import Reply
from cloud.tickets import service as tickets
from cloud.tickets.domain import TicketMoved
from cloud.web.notices import UNDO_S
from tests.cloud.repairs.job import Job, messages_of

WIRING = Wiring(
    hears(TicketMoved, {"feedback": service.ask_later}), hears(OpinionDue, {"feedback": service.ask_when_done})
)


@pytest.fixture
def routes() -> Routes:
    return WIRING.routes


@pytest.fixture
async def done(job: Job) -> Job:
    """The repair, done a moment ago."""
    await job.propose()
    await job.say(Reply.AGREED)
    await job.start()
    await job.spend(60)
    await job.finish()
    return job


async def asked(job: Job, *, after: timedelta = timedelta()) -> int:
    """Let time pass and events come round; return how often the owner was asked."""
    site = job.site
    await DeliveryLoop(site.database, site.clock, WIRING).deliver_due()
    site.clock.advance(seconds=after.total_seconds())
    await DeliveryLoop(site.database, site.clock, WIRING).deliver_due()
    return sum(link.startswith("/opinion/") for _subject, link in await messages_of(site, job.owner))


async def take_back(job: Job) -> None:
    seen = await job.see()
    async with job.work() as session:
        await tickets.reopen(
            session, job.site.clock, job.worker, ticket_id=job.ticket_id, version=seen.version, reason="按错了"
        )


async def test_nobody_is_asked_while_a_page_offers_to_take_the_end_back(done: Job) -> None:
    within = timedelta(seconds=UNDO_S)
    assert within < ASKED_AFTER
    assert await asked(done, after=within) == 0
    assert await asked(done, after=ASKED_AFTER - within) == 1


async def test_an_end_that_was_taken_back_asks_nobody_and_the_next_one_once(done: Job) -> None:
    await asked(done)
    await take_back(done)
    assert await asked(done, after=ASKED_AFTER) == 0
    await done.start()
    await done.spend(10)
    await done.finish()
    assert await asked(done, after=ASKED_AFTER) == 1

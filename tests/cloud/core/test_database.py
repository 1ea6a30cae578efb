import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import StatementError
from sqlalchemy.pool import AsyncAdaptedQueuePool

from cloud.core.database import Database
from cloud.core.outbox import OutboxEvent


def _event(emitted_at: datetime) -> OutboxEvent:
    return OutboxEvent(organisation_id=1, kind="k", subject="s", payload="{}", emitted_at=emitted_at)


async def test_a_block_that_raises_leaves_nothing_behind(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as session:
            session.add(_event(datetime(2026, 1, 1, tzinfo=UTC)))
            await session.flush()
            raise ZeroDivisionError
    async with database.reading() as session:
        assert (await session.scalars(select(OutboxEvent))).all() == []


async def test_who_is_cancelled_while_committing_has_committed_and_leaves_no_broken_connection(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    committing = asyncio.Event()

    async def work() -> None:
        async with database.transaction() as session:
            event.listen(session.sync_session, "before_commit", lambda _session: committing.set())
            session.add(_event(datetime(2026, 1, 1, tzinfo=UTC)))

    task = asyncio.create_task(work())
    await committing.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with database.reading() as session:
        assert len((await session.scalars(select(OutboxEvent))).all()) == 1
    assert caplog.records == []


async def test_who_is_cancelled_again_and_again_while_reading_leaves_no_open_connection(database: Database) -> None:
    """As a request is whose browser has left."""

    async def work() -> None:
        async with database.reading() as session:
            await session.execute(select(OutboxEvent))

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    while not task.done():
        task.cancel()
        await asyncio.sleep(0)
    assert task.cancelled()
    pool = database.engine.pool
    assert isinstance(pool, AsyncAdaptedQueuePool)
    assert pool.checkedout() == 0


async def test_a_naive_time_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="no time zone"):
        async with database.transaction() as session:
            session.add(_event(datetime(2026, 1, 1)))  # noqa: DTZ001  the mistake under test


async def test_an_instant_comes_back_aware_and_in_utc(database: Database) -> None:
    shanghai = timezone(timedelta(hours=8))
    async with database.transaction() as session:
        session.add(_event(datetime(2026, 1, 1, 8, 0, tzinfo=shanghai)))
    async with database.reading() as session:
        instant = await session.scalar(select(OutboxEvent.emitted_at))
    assert instant == datetime(2026, 1, 1, tzinfo=UTC)
    assert instant.utcoffset() == timedelta(0)

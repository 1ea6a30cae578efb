import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core import postgresql as own_connections
from cloud.core.clock import Clock, SystemClock
from cloud.core.database import Base, Database
from cloud.core.jobs import Job, JobRun, JobRunner, in_one_transaction, list_runs
from cloud.core.outbox import OutboxEvent
from tests.clocks import FixedClock
from tests.cloud.waiting import until
from tests.servers.postgresql import PostgreSQL

BEGAN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


async def _says_something(session: AsyncSession, clock: Clock) -> None:
    session.add(OutboxEvent(organisation_id=1, kind="said", subject="s", payload="{}", emitted_at=clock.now()))


async def _says_something_and_fails(session: AsyncSession, clock: Clock) -> None:
    await _says_something(session, clock)
    await session.flush()
    raise ZeroDivisionError("by zero\nwith a second line")


async def _said(database: Database) -> int:
    async with database.reading() as session:
        return len((await session.scalars(select(OutboxEvent.id))).all())


async def _runs(database: Database) -> list[tuple[str, datetime, str | None, datetime | None]]:
    async with database.reading() as session:
        return [(run.name, run.ended_at, run.error, run.failed_at) for run in await list_runs(session)]


async def test_a_jobs_work_is_one_transaction_and_its_run_is_noted(database: Database, clock: FixedClock) -> None:
    job = Job(name="say", period_s=60, run=in_one_transaction(_says_something))
    await JobRunner(database, clock, [job]).run_once(job)
    assert await _said(database) == 1
    assert await _runs(database) == [("say", BEGAN, None, None)]


async def test_a_failing_jobs_work_is_undone_and_its_error_noted(
    database: Database, clock: FixedClock, caplog: pytest.LogCaptureFixture
) -> None:
    job = Job(name="say", period_s=60, run=in_one_transaction(_says_something_and_fails))
    await JobRunner(database, clock, [job]).run_once(job)
    assert await _said(database) == 0
    assert await _runs(database) == [("say", BEGAN, "ZeroDivisionError: by zero", BEGAN)]
    assert "Traceback" in caplog.text


async def test_a_job_that_is_well_again_keeps_when_it_last_failed(database: Database, clock: FixedClock) -> None:
    broken = Job(name="say", period_s=60, run=in_one_transaction(_says_something_and_fails))
    mended = Job(name="say", period_s=60, run=in_one_transaction(_says_something))
    runner = JobRunner(database, clock, [broken])
    await runner.run_once(broken)
    clock.advance(seconds=60)
    await runner.run_once(mended)
    assert await _runs(database) == [("say", BEGAN + timedelta(seconds=60), None, BEGAN)]


async def test_a_frequent_job_is_noted_once_a_minute_while_nothing_changes(
    database: Database, clock: FixedClock
) -> None:
    job = Job(name="say", period_s=1, run=in_one_transaction(_says_something))
    runner = JobRunner(database, clock, [job])
    noted = []
    for _ in range(62):
        await runner.run_once(job)
        noted.append((await _runs(database))[0][1])
        clock.advance(seconds=1)
    assert sorted(set(noted)) == [BEGAN, BEGAN + timedelta(seconds=60)]


async def test_two_jobs_of_one_name_are_refused(database: Database, clock: FixedClock) -> None:
    job = Job(name="say", period_s=1, run=in_one_transaction(_says_something))
    with pytest.raises(ValueError, match="one name"):
        JobRunner(database, clock, [job, job])


async def test_a_job_runs_at_the_start_and_then_once_a_period(database: Database) -> None:
    job = Job(name="say", period_s=0.2, run=in_one_transaction(_says_something))
    running = asyncio.create_task(JobRunner(database, SystemClock(), [job]).run(), name="jobs")

    async def has_run_twice() -> bool:
        return await _said(database) >= 2

    await until(has_run_twice)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_job_that_ran_before_a_restart_is_not_due_at_once(database: Database) -> None:
    clock = SystemClock()
    async with database.transaction() as session:
        session.add(JobRun(name="daily", began_at=clock.now(), ended_at=clock.now()))
    jobs = [
        Job(name="daily", period_s=86_400, run=in_one_transaction(_says_something_and_fails)),
        Job(name="say", period_s=3_600, run=in_one_transaction(_says_something)),
    ]
    running = asyncio.create_task(JobRunner(database, clock, jobs).run(), name="jobs")

    async def both_had_their_chance() -> bool:
        return await _said(database) == 1 and len(await _runs(database)) == 2

    await until(both_had_their_chance)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert [(name, error) for name, _, error, _ in await _runs(database)] == [("daily", None), ("say", None)]


@pytest.fixture
def url(postgresql: PostgreSQL) -> Iterator[str]:
    url = postgresql.create_database()
    yield url
    postgresql.drop_database(url)


async def test_of_two_processes_one_runs_the_jobs(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_connections, "_PROBE_S", 0.05)
    one, two = Database(url), Database(url)
    async with one.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    job = Job(name="say", period_s=3_600, run=in_one_transaction(_says_something))
    running = [asyncio.create_task(JobRunner(database, SystemClock(), [job]).run()) for database in (one, two)]

    async def has_run() -> bool:
        return await _said(one) >= 1

    await until(has_run)
    await asyncio.sleep(0.3)
    assert await _said(one) == 1
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    await one.close()
    await two.close()

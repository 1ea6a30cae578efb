"""Work that comes round: ticks that look for due rows, run by one process of a deployment."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy import String, Text, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from cloud.core.clock import EPOCH, Clock
from cloud.core.database import Base, Database
from cloud.core.errors import first_line
from cloud.core.postgresql import lead

Work = Callable[[Database, Clock], Awaitable[None]]

_TIMEOUT_S = 600.0
_NOTED_EVERY = timedelta(minutes=1)  # a job of every second must not write a row every second to say that all is well

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A tick and what it does; what is to be done, and when, stands in rows, so that a restart loses nothing.

    Attributes:
        name: stable, as its last run is stored under it.
        run: opens its own transactions; see in_one_transaction.
    """

    name: str
    period_s: float
    run: Work


def in_one_transaction(use_case: Callable[[AsyncSession, Clock], Awaitable[None]]) -> Work:
    """Return a job's work that is `use_case` in a transaction of its own."""

    async def run(database: Database, clock: Clock) -> None:
        async with database.transaction() as session:
            await use_case(session, clock)

    return run


class JobRun(Base):
    """How a job's last run went; of the whole deployment, so without an organisation."""

    __tablename__ = "job_runs"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime]
    error: Mapped[str | None] = mapped_column(Text)
    """Of the last run; None when it went well."""
    failed_at: Mapped[datetime | None]
    """When a run last failed, however long ago."""


async def list_runs(session: AsyncSession) -> Sequence[JobRun]:
    """Return the last run of every job that ran, by name."""
    return (await session.scalars(select(JobRun).order_by(JobRun.name))).all()


class JobRunner:
    """Runs every job once per period, in the one process that leads, until cancelled.

    A job that is cancelled or fails is undone as far as its transaction goes, and tried again at the next tick.
    """

    def __init__(self, database: Database, clock: Clock, jobs: Sequence[Job]) -> None:
        if len({job.name for job in jobs}) != len(jobs):
            raise ValueError("two jobs have one name: their last runs could not be told apart")
        self._database = database
        self._clock = clock
        self._jobs = jobs
        self._noted: dict[str, JobRun] = {}

    async def run(self) -> None:
        """Run the jobs whenever this process leads, until cancelled."""
        if self._database.is_sqlite:
            await self._tick()  # its file belongs to one process
        else:
            await lead(self._database, "jobs", self._tick)

    async def run_once(self, job: Job) -> None:
        """Run a job now and note how it went."""
        began_at = self._clock.now()
        error: str | None = None
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                await job.run(self._database, self._clock)
        except Exception as failure:  # noqa: BLE001  the outermost loop: logged with its traceback, and kept alive
            _log.exception("job %s failed", job.name)
            error = first_line(failure)
        run = JobRun(name=job.name, began_at=began_at, ended_at=self._clock.now(), error=error)
        if self._is_news(run):
            await self._note(run)

    async def _tick(self) -> None:
        due: asyncio.Queue[Job] = asyncio.Queue()
        async with self._database.reading() as session:
            last_began = {run.name: run.began_at for run in await list_runs(session)}
        scheduler = AsyncIOScheduler(timezone=UTC)
        for job in self._jobs:
            first_at = max(self._clock.now(), last_began.get(job.name, EPOCH) + timedelta(seconds=job.period_s))
            trigger = IntervalTrigger(seconds=job.period_s, timezone=UTC)
            # A late tick is as good as one in time, and one as good as many: it looks for whatever is due.
            options = {"next_run_time": first_at, "misfire_grace_time": None, "coalesce": True}
            scheduler.add_job(due.put, trigger, args=(job,), id=job.name, **options)
        scheduler.start()
        try:
            await self._run_due(due)
        finally:
            scheduler.shutdown(wait=False)

    async def _run_due(self, due: asyncio.Queue[Job]) -> None:
        async with asyncio.TaskGroup() as group:
            running: dict[str, asyncio.Task[None]] = {}
            while True:
                job = await due.get()
                if job.name not in running or running[job.name].done():
                    running[job.name] = group.create_task(self.run_once(job), name=f"job-{job.name}")

    def _is_news(self, run: JobRun) -> bool:
        noted = self._noted.get(run.name)
        return noted is None or run.error != noted.error or run.ended_at - noted.ended_at >= _NOTED_EVERY

    async def _note(self, run: JobRun) -> None:
        try:
            async with self._database.transaction() as session:
                before = await session.get(JobRun, run.name)
                run.failed_at = run.ended_at if run.error else before.failed_at if before else None
                self._noted[run.name] = await session.merge(run)
        except SQLAlchemyError:
            _log.exception("the run of job %s could not be noted", run.name)

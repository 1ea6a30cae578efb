"""The jobs: when each last ran, and how it went."""

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from cloud.core.jobs import list_runs
from cloud.core.principal import Role
from cloud.screens.admin.words import JOBS
from cloud.web.pages import OnPage
from cloud.web.routing import pages_for
from cloud.web.session import Work

router = pages_for(Role.ADMINISTRATOR)


@router.get("/admin/jobs")
async def jobs(work: Work, page: OnPage) -> Response:
    """Draw the last run of every job."""
    return page.show("admin/jobs.html", runs=await list_runs(work.session), titles=JOBS)


async def count_failing(session: AsyncSession) -> int:
    """Return how many jobs failed in their last run."""
    return sum(run.error is not None for run in await list_runs(session))

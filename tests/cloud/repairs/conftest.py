import pytest

from tests.cloud.alarms.conftest import routes, series, site
from tests.cloud.alarms.site import Site
from tests.cloud.repairs.job import Job, make_job
from tests.cloud.screens.households import make_households

__all__ = ["routes", "series", "site"]


@pytest.fixture
async def job(site: Site) -> Job:
    """A repair in flat 501, whose owner pays, given to the worker."""
    homes = await make_households(site.database, site.clock, site.estate, community_id=site.community_id)
    return await make_job(site, homes)

import pytest

from tests.cloud.repairs.job import Job, make_job
from tests.cloud.screens.controlroom.conftest import database, house, routes, series, site
from tests.cloud.screens.house import House
from tests.cloud.screens.households import make_households

__all__ = ["database", "house", "routes", "series", "site"]


@pytest.fixture
async def job(house: House) -> Job:
    site = house.site
    homes = await make_households(site.database, site.clock, site.estate, community_id=site.community_id)
    return await make_job(site, homes)

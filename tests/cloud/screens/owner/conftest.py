import pytest

from tests.cloud.screens.controlroom.conftest import database, house, routes, series, site
from tests.cloud.screens.house import House
from tests.cloud.screens.households import Households, make_households

__all__ = ["database", "house", "routes", "series", "site"]


@pytest.fixture
async def households(house: House) -> Households:
    site = house.site
    return await make_households(site.database, site.clock, site.estate, community_id=site.community_id)

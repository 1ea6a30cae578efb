import pytest

from tests.cloud.alarms.conftest import routes, series, site
from tests.cloud.alarms.site import Site
from tests.cloud.estate import make_organisation
from tests.cloud.screens.house import House, build_house

__all__ = ["routes", "series", "site"]


@pytest.fixture
async def house(site: Site) -> House:
    return build_house(site, await make_organisation(site.database, site.clock, name="邻家物业"))

import pytest

from tests.cloud.alarms.conftest import routes, series, site
from tests.cloud.alarms.site import Site
from tests.cloud.tickets.desk import Desk

__all__ = ["routes", "series", "site"]


@pytest.fixture
def desk(site: Site) -> Desk:
    return Desk(site)

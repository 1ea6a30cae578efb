import pytest

from cloud.core.database import Routes
from cloud.core.delivery import DeliveryLoop
from tests.cloud.alarms.site import Site
from tests.cloud.tickets.dispatch.team import WIRING, Team


@pytest.fixture
def routes() -> Routes:
    return WIRING.routes


@pytest.fixture
def team(site: Site) -> Team:
    """A building with whoever a test adds, and the search for them."""
    return Team(site, DeliveryLoop(site.database, site.clock, WIRING))

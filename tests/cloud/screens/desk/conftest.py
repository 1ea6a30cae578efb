from tests.cloud.screens.controlroom.conftest import database, house, routes, series, site
from tests.cloud.screens.owner.conftest import households

__all__ = ["database", "house", "households", "routes", "series", "site"]

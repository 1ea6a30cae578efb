from tests.cloud.screens.controlroom.conftest import database, house, routes, series, site

__all__ = ["database", "house", "routes", "series", "site"]

from tests.cloud.repairs.conftest import job, routes, series, site

__all__ = ["job", "routes", "series", "site"]

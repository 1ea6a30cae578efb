from tests.cloud.alarms.conftest import routes, series, site

__all__ = ["routes", "series", "site"]

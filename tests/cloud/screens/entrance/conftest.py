from tests.cloud.web.conftest import operator, site, stranger

__all__ = ["operator", "site", "stranger"]

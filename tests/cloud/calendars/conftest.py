import pytest

from cloud.core.database import Database
from tests.clocks import FixedClock
from tests.cloud.estate import Estate, make_organisation


@pytest.fixture
async def estate(database: Database, clock: FixedClock) -> Estate:
    return await make_organisation(database, clock)


@pytest.fixture
async def neighbour(database: Database, clock: FixedClock) -> Estate:
    return await make_organisation(database, clock, name="银杏物业")

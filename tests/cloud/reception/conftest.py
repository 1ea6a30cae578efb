import pytest

from cloud.core.database import Database
from tests.clocks import FixedClock
from tests.cloud.reception.counter import Counter, make_counter


@pytest.fixture
async def counter(database: Database, clock: FixedClock) -> Counter:
    return await make_counter(database, clock)

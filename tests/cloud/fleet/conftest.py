from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from cloud.core.clock import to_us
from cloud.core.database import Database
from cloud.fleet.intake import Intake
from cloud.fleet.series import SeriesStore
from cloud.fleet.series_url import open_series
from tests.clocks import FixedClock
from tests.cloud.fleet.boxes import Yard, make_yard
from tests.servers.influxdb import InfluxDB, running_influxdb


@pytest.fixture(scope="session")
def influxdb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxDB]:
    with running_influxdb(tmp_path_factory.mktemp("influxdb")) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql", "influxdb"])
async def series(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SeriesStore]:
    """An empty series store of each kind."""
    server = None
    match request.param:
        case "sqlite":
            url = f"sqlite+aiosqlite:///{tmp_path / 'series.db'}"
        case "postgresql":
            server = request.getfixturevalue("postgresql")
            url = server.create_database()
        case _:
            url = request.getfixturevalue("influxdb").new_url()
    store = open_series(url)
    await store.prepare()
    yield store
    await store.close()
    if server:
        server.drop_database(url)


@pytest.fixture
async def yard(database: Database, clock: FixedClock) -> Yard:
    return await make_yard(database, clock)


@pytest.fixture
async def neighbour(database: Database, clock: FixedClock, yard: Yard) -> Yard:
    """Another organisation with a box of its own, made after `yard`."""
    return await make_yard(database, clock, name="银杏物业")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SeriesStore]:
    """A series for tests of what stands on it, whichever it is."""
    store = open_series(f"sqlite+aiosqlite:///{tmp_path / 'series.db'}")
    await store.prepare()
    yield store
    await store.close()


@pytest.fixture
def taker(database: Database, store: SeriesStore, clock: FixedClock) -> Intake:
    return Intake(database, store, clock)


@pytest.fixture
def now_us(clock: FixedClock) -> int:
    return to_us(clock.now())

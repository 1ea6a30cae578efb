from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from cloud.fleet.series import SeriesStore
from cloud.fleet.series_url import open_series
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

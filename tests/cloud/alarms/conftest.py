from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cloud.alarms.domain import AlarmAnnounced, AlarmReturned
from cloud.core.database import Database, Routes
from cloud.fleet.series import SeriesStore
from cloud.fleet.series_url import open_series
from tests.clocks import FixedClock
from tests.cloud.alarms.site import Site, make_site
from tests.cloud.estate import make_organisation


@pytest.fixture
def routes() -> Routes:
    return {AlarmAnnounced.kind: ("tickets",), AlarmReturned.kind: ("tickets",)}


@pytest.fixture
async def series(tmp_path: Path) -> AsyncIterator[SeriesStore]:
    store = open_series(f"sqlite+aiosqlite:///{tmp_path / 'series.db'}")
    await store.prepare()
    yield store
    await store.close()


@pytest.fixture
async def site(database: Database, clock: FixedClock, series: SeriesStore) -> Site:
    """A building of one organisation, with nothing measured yet."""
    return await make_site(database, clock, series, await make_organisation(database, clock))

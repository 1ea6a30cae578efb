from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.api.edge import EdgeDoor
from cloud.core.database import Database
from cloud.fleet.channel import Channels
from cloud.fleet.intake import Intake
from cloud.fleet.series import SeriesStore
from cloud.fleet.series_url import open_series
from tests.clocks import FixedClock
from tests.cloud.api.door import Door, running_door
from tests.cloud.fleet.boxes import Yard, make_yard


@pytest.fixture
async def yard(database: Database, clock: FixedClock) -> Yard:
    return await make_yard(database, clock)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SeriesStore]:
    store = open_series(f"sqlite+aiosqlite:///{tmp_path / 'series.db'}")
    await store.prepare()
    yield store
    await store.close()


@pytest.fixture
def changes() -> list[int]:
    """The organisations of which a box came, went or moved on, in order."""
    return []


@pytest.fixture
def heartbeat_s() -> float:
    """How often a box shall speak; a test about silence makes it short."""
    return 30.0


@pytest.fixture
def channels(database: Database, clock: FixedClock, changes: list[int], heartbeat_s: float) -> Channels:
    """The channels, whose `run` the tests leave out: they call `tick` where a second would pass."""

    def note_change(_session: AsyncSession, organisation_id: int) -> None:
        changes.append(organisation_id)

    return Channels(database, clock, heartbeat_s=heartbeat_s, note_change=note_change)


@pytest.fixture
async def door(database: Database, store: SeriesStore, clock: FixedClock, channels: Channels) -> AsyncIterator[Door]:
    edge = EdgeDoor(
        database=database, clock=clock, intake=Intake(database, store, clock), channels=channels, batches_at_once=2
    )
    async with running_door(edge, channels, clock) as running:
        yield running

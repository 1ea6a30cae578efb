import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest

from edge.buffer.buffer import Buffer
from edge.buffer.store import Bounds
from edge.clock import SystemClock
from edge.sync.cloud import Cloud
from edge.sync.cloudtime import CloudTime
from edge.sync.configuration import Configuration
from edge.sync.identity import Identity
from edge.sync.persistence import Patience
from edge.sync.uploader import Pace, Uploader
from tests.edge.sync.faulty_cloud import CODE, FaultyCloud, running
from tests.edge.sync.uploads import DEVICES, PATIENCE


@pytest.fixture
async def faulty() -> AsyncIterator[FaultyCloud]:
    """The cloud's side, on a real port."""
    async with running(FaultyCloud()) as cloud:
        yield cloud


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def answer_s() -> float:
    """How long the box waits for an answer; a test about silence makes it short."""
    return 30.0


@pytest.fixture
async def buffer(tmp_path: Path) -> AsyncIterator[Buffer]:
    """A buffer whose rows stay live for a test, however slow; what it held when it was opened is backlog."""
    bounds = Bounds(live_s=600)
    async with await Buffer.open(tmp_path / "buffer.db", clock=SystemClock(), bounds=bounds, gather_s=0.02) as buffer:
        yield buffer


@pytest.fixture
def time(buffer: Buffer) -> CloudTime:
    return CloudTime(SystemClock(), offset_us=buffer.offset_us, learn=buffer.learn_offset)


@pytest.fixture
def identity(tmp_path: Path) -> Identity:
    return Identity.load(tmp_path)


@pytest.fixture
async def cloud(
    faulty: FaultyCloud, session: aiohttp.ClientSession, identity: Identity, time: CloudTime, answer_s: float
) -> Cloud:
    """The box's side, claimed."""
    cloud = Cloud(session, url=faulty.url, identity=identity, time=time, timeout_s=answer_s)
    await cloud.claim(CODE, hardware="test", software="test")
    return cloud


@pytest.fixture
def rng() -> random.Random:
    return random.Random(7)


@pytest.fixture
def configuration(tmp_path: Path, buffer: Buffer) -> Configuration:
    return Configuration.load(tmp_path, watch=buffer.watch)


@pytest.fixture
def make(buffer: Buffer, cloud: Cloud, configuration: Configuration, rng: random.Random) -> Callable[..., Uploader]:
    """Build an uploader of the claimed box, by Pace's fields."""

    def made(patience: Patience = PATIENCE, **pace: float) -> Uploader:
        return Uploader(
            buffer,
            cloud,
            devices=DEVICES,
            watch_points=configuration.watch_points,
            pace=Pace(**({"flush_s": 0.05, "backlog_rows_per_s": 100_000.0} | pace)),  # type: ignore[arg-type]
            patience=patience,
            rng=rng,
        )

    return made

import asyncio
import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.clocks import FixedClock
from tests.servers.postgresql import PostgreSQL, running_postgresql

SOAKING = os.environ.get("GATEHOUSE_SOAK") == "1"

settings.register_profile("test", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("soak", max_examples=2_000, deadline=None, print_blob=True)
settings.load_profile("soak" if SOAKING else "test")


@pytest.fixture(scope="session")
def soaking() -> bool:
    """Whether the full counts are asked for."""
    return SOAKING


@pytest.fixture(scope="session")
def seed() -> int:
    """What every drawn number comes from: fixed in tests, random in a soak, GATEHOUSE_SEED to repeat one."""
    chosen = int(os.environ.get("GATEHOUSE_SEED") or (random.SystemRandom().getrandbits(32) if SOAKING else 20140412))
    print(f"seed: repeat with GATEHOUSE_SEED={chosen}")
    return chosen


# looptime asks for the thread's loop before every test; where none was ever set, asyncio would make one for a first
# test without coroutines, and nobody would close it.
asyncio.set_event_loop(None)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """One cluster a session; a Unix socket's path must be short, so it lives right under the temporary folder."""
    folder = Path(tempfile.mkdtemp(prefix="gh-pg-"))
    with running_postgresql(folder) as server:
        yield server
    shutil.rmtree(folder)

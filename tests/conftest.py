import asyncio
import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.clocks import FixedClock
from tests.servers.postgresql import PostgreSQL, running_postgresql

_ROOMY_BYTES = 2 * 1024**3

SOAKING = os.environ.get("GATEHOUSE_SOAK") == "1"

# A busy machine is slow, not wrong.
_PATIENT = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow], "print_blob": True}
settings.register_profile("test", derandomize=True, **_PATIENT)
settings.register_profile("soak", max_examples=2_000, **_PATIENT)
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


def _quick_folder() -> Path:
    """Return a folder in memory that holds a few clusters, else the usual one."""
    memory = Path("/dev/shm")  # noqa: S108  the folder inside it is made by mkdtemp, for its owner alone
    is_roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > _ROOMY_BYTES
    return memory if is_roomy else Path(tempfile.gettempdir())


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """One cluster a session; a Unix socket's path must be short, so it lives right under the temporary folder.

    In memory where there is enough of it: a database is copied for every test, which a disk takes thirty times as long
    for.
    """
    folder = Path(tempfile.mkdtemp(prefix="gh-pg-", dir=_quick_folder()))
    with running_postgresql(folder) as server:
        yield server
    shutil.rmtree(folder)

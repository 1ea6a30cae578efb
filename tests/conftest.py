import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clocks import FixedClock
from tests.servers.postgresql import PostgreSQL, running_postgresql


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

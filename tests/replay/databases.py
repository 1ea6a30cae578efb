"""Where the rigs of these tests keep their data."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.replay.installation import Addresses


@pytest.fixture(params=["sqlite", "postgresql"])
def addresses(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Addresses]:
    """Databases of one cloud's own, on each of the two engines."""
    if request.param == "sqlite":
        folder = tmp_path / "cloud"
        folder.mkdir()
        yield Addresses(
            database=f"sqlite+aiosqlite:///{folder / 'gatehouse.db'}",
            series=f"sqlite+aiosqlite:///{folder / 'series.db'}",
        )
        return
    server = request.getfixturevalue("postgresql")
    urls = [server.create_database(), server.create_database()]
    yield Addresses(database=urls[0], series=urls[1])
    for url in urls:
        server.drop_database(url)

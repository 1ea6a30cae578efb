"""Files of every schema version that was ever shipped, kept as SQL, are opened by the present one."""

import sqlite3
from pathlib import Path

import pytest

from edge.buffer.database import MIGRATIONS
from edge.buffer.store import Bounds, Flow, Store
from protocols.readings import TIME_ESTIMATED
from protocols.wire import Rows
from tests.edge.buffer.clocks import BOOTS, HandClock
from tests.edge.buffer.stores import OFFSET_US, draw

_STORED = Path(__file__).parents[1] / "databases"
_FILES = sorted(_STORED.glob("buffer_v*.sql"))


def _restore(path: Path, stored: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(stored.read_text(encoding="utf-8"))
    connection.close()


def test_every_schema_version_has_a_stored_file() -> None:
    assert [file.name for file in _FILES] == [f"buffer_v{version}.sql" for version in range(1, len(MIGRATIONS) + 1)]


@pytest.mark.parametrize("stored", _FILES, ids=lambda file: file.stem)
def test_a_stored_file_opens_with_all_that_is_in_it(stored: Path, path: Path) -> None:
    """Two boots: the first learnt its offset, was sent rows 1 and 2 of 4 and lost row 3; the second holds 5 and 6."""
    _restore(path, stored)
    store = Store(path, clock=HandClock(boot_id=BOOTS[2]), bounds=Bounds())
    try:
        store.learn_offset(OFFSET_US + 60_000_000)
        batch = draw(store, Flow.BACKLOG).batch
        assert (batch.store, batch.head, batch.lost) == ("5" * 32, 6, [(3, 3)])
        assert batch.rows == Rows(
            ranges=[(4, 6)],
            points=["meter/energy", "hall/temperature"],
            point=[0, 1, 1],
            time_us=[OFFSET_US + 6_000_000, OFFSET_US + 35_000_000, 1_772_438_431_000_000],
            value=[1_209.42, 21.5, 21.625],
            flags=[0, TIME_ESTIMATED, 2],
        )
    finally:
        store.close()

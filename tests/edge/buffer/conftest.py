from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.buffer.store import Bounds, Store
from tests.edge.buffer.clocks import HandClock

OpenStore = Callable[..., Store]


@pytest.fixture
def hand() -> HandClock:
    return HandClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "buffer.db"


@pytest.fixture
def open_store(path: Path, hand: HandClock) -> Iterator[OpenStore]:
    """Open the store; a second call closes it and opens it again, as a start of the program does."""
    stores: list[Store] = []

    def opened(**bounds: float) -> Store:
        for store in stores:
            store.close()
        stores[:] = [Store(path, clock=hand, bounds=Bounds(**bounds))]
        return stores[0]

    yield opened
    for store in stores:
        store.close()


@pytest.fixture
def store(open_store: OpenStore) -> Store:
    return open_store()

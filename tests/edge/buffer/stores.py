"""Short ways to look into a store."""

from collections.abc import Sequence

from edge.buffer.rows import Row
from edge.buffer.store import Drawn, Flow, Store
from protocols.ranges import Range
from protocols.readings import RowClass
from protocols.wire import Batch

OFFSET_US = 1_772_438_400_000_000
"""2026-03-02T08:00Z at the monotonic zero of the boots in these tests."""


def register(value: float, mono_us: int, *, device_time_us: int | None = None, flags: int = 0) -> Row:
    return Row("meter/energy", RowClass.REGISTER, value, flags, mono_us, device_time_us)


def sample(value: float, mono_us: int) -> Row:
    return Row("meter/power", RowClass.SAMPLE, value, 0, mono_us, None)


def draw(store: Store, flow: Flow, max_rows: int = 100_000) -> Drawn:
    """Draw a batch that must be there."""
    drawn = store.draw(flow, max_rows)
    assert drawn is not None
    return drawn


def look(store: Store, flow: Flow, max_rows: int = 100_000) -> Batch | None:
    """Draw a batch and give it back."""
    drawn = store.draw(flow, max_rows)
    if drawn is None:
        return None
    store.release([drawn])
    return drawn.batch


def values(store: Store, flow: Flow, max_rows: int = 100_000) -> list[float]:
    batch = look(store, flow, max_rows)
    return list(batch.rows.value) if batch else []


def times(store: Store) -> list[int]:
    """Return the wall times of all rows that may be sent, in their order."""
    batches = [look(store, Flow.BACKLOG), look(store, Flow.LIVE)]
    return [time for batch in batches if batch for time in batch.rows.time_us]


def hold(store: Store, *held: Range) -> None:
    """Let the cloud say what it holds."""
    store.hold(held, store_id=store.store_id)


def lost(batch: Batch | None) -> Sequence[Range]:
    return batch.lost if batch else []

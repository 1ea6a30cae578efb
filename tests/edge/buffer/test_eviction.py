import logging

import pytest

from edge.buffer.store import Flow, Store
from edge.errors import BufferFull
from protocols.ranges import contains, normalise
from protocols.readings import RowClass
from tests.edge.buffer.clocks import HandClock
from tests.edge.buffer.conftest import OpenStore
from tests.edge.buffer.stores import OFFSET_US, draw, hold, look, lost, register, sample, values

ROOM = 256 * 1024


def _registers(store: Store, hand: HandClock, commits: int) -> None:
    for seed in range(commits):
        store.commit([register(hash((seed, at)) / 7, hand.mono_us) for at in range(500)])


def _samples(store: Store, hand: HandClock, commits: int) -> None:
    for seed in range(commits):
        store.commit([sample(hash((seed, at)) / 7, hand.mono_us) for at in range(500)])


def _kept(store: Store) -> list[tuple[int, int]]:
    """Return the numbers of all rows that are still here, held or not."""
    hold(store)
    ranges = [batch.rows.ranges for flow in (Flow.BACKLOG, Flow.LIVE) if (batch := look(store, flow))]
    return normalise(span for part in ranges for span in part)


@pytest.fixture
def small(open_store: OpenStore) -> Store:
    store = open_store(max_bytes=ROOM)
    store.learn_offset(OFFSET_US)
    return store


def test_the_file_stays_within_its_bounds(small: Store, hand: HandClock) -> None:
    _samples(small, hand, 200)
    assert small.statistics().used_bytes <= ROOM


def test_held_rows_are_kept_while_there_is_room(small: Store, hand: HandClock) -> None:
    _registers(small, hand, 5)
    hold(small, (1, 2_500))
    _registers(small, hand, 5)
    assert _kept(small) == [(1, 5_000)]


def test_held_rows_go_first_and_are_no_loss(small: Store, hand: HandClock) -> None:
    _samples(small, hand, 10)
    hold(small, (1, 5_000))
    _registers(small, hand, 40)
    assert small.statistics().unsent_rows == 20_000
    assert lost(look(small, Flow.BACKLOG)) == []


def test_unsent_samples_go_before_registers_and_their_loss_is_declared(small: Store, hand: HandClock) -> None:
    _registers(small, hand, 10)
    _samples(small, hand, 60)
    gone = draw(small, Flow.BACKLOG).batch.lost
    assert gone[0][0] == 5_001
    assert not contains(gone, 5_000)
    assert values(small, Flow.LIVE)[:5_000] == [hash((seed, at)) / 7 for seed in range(10) for at in range(500)]


def test_registers_go_last_and_oldest_first(small: Store, hand: HandClock) -> None:
    _samples(small, hand, 2)
    _registers(small, hand, 80)
    ((first, last),) = draw(small, Flow.BACKLOG).batch.lost
    assert first == 1
    assert 1_000 < last < 20_000
    assert small.statistics().rows == 41_000 - last


def test_numbers_of_lost_rows_are_not_pending(small: Store, hand: HandClock) -> None:
    _samples(small, hand, 100)
    rows = small.statistics().rows
    batch = draw(small, Flow.LIVE).batch
    assert (batch.head, len(batch.rows.point), batch.pending) == (50_000, rows, 0)


def test_held_rows_go_after_their_days_though_there_is_room(open_store: OpenStore, hand: HandClock) -> None:
    store = open_store(keep_held_days=2)
    store.learn_offset(OFFSET_US)
    store.commit([register(1.0, hand.mono_us)])
    store.commit([register(2.0, hand.mono_us)])
    hold(store, (1, 1))
    hand.advance(3 * 86_400)
    store.commit([register(3.0, hand.mono_us)])
    store.tidy()
    assert _kept(store) == [(2, 3)]


def test_the_first_loss_of_unsent_rows_is_logged_once(
    small: Store, hand: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    _samples(small, hand, 200)
    assert [record.levelno for record in caplog.records if "are lost from" in record.message] == [logging.WARNING]


def _take_no_more(store: Store) -> None:
    """Let SQLite itself refuse to grow the file, as on a full disk."""
    (pages,) = store._connection.execute("PRAGMA page_count").fetchone()
    store._connection.execute(f"PRAGMA max_page_count = {pages}")


def _fill(store: Store, hand: HandClock, row_class: RowClass) -> None:
    make = sample if row_class is RowClass.SAMPLE else register
    with pytest.raises(BufferFull, match="took no more"):
        for seed in range(100):
            store.commit([make(hash((seed, at)) / 7, hand.mono_us) for at in range(500)])


def test_on_a_full_disk_held_rows_make_room(store: Store, hand: HandClock) -> None:
    store.learn_offset(OFFSET_US)
    _samples(store, hand, 20)
    hold(store, (1, 10_000))
    _take_no_more(store)
    _samples(store, hand, 10)
    assert store.head == 15_000
    assert lost(look(store, Flow.BACKLOG)) == []


def test_on_a_full_disk_registers_push_out_unsent_samples(store: Store, hand: HandClock) -> None:
    store.learn_offset(OFFSET_US)
    _samples(store, hand, 20)
    _take_no_more(store)
    _registers(store, hand, 10)
    assert lost(look(store, Flow.BACKLOG))[0][0] == 1
    assert store.head == 15_000


def test_on_a_full_disk_new_samples_push_out_nothing_that_is_unsent(store: Store, hand: HandClock) -> None:
    store.learn_offset(OFFSET_US)
    _samples(store, hand, 20)
    _take_no_more(store)
    _fill(store, hand, RowClass.SAMPLE)
    assert lost(look(store, Flow.BACKLOG)) == []


def test_rows_that_found_no_room_have_no_number(store: Store, hand: HandClock) -> None:
    _registers(store, hand, 2)
    _take_no_more(store)
    _fill(store, hand, RowClass.REGISTER)
    head = store.head
    store._connection.execute("PRAGMA max_page_count = 1000000")
    store.commit([register(1.0, hand.mono_us)])
    assert store.head == head + 1
    assert store.statistics().rows == head + 1


def test_what_the_cloud_holds_is_known_though_a_full_disk_keeps_it_from_being_written(
    store: Store, hand: HandClock
) -> None:
    store.learn_offset(OFFSET_US)
    _registers(store, hand, 2)
    store._connection.execute("PRAGMA query_only = 1")
    store.settle(draw(store, Flow.LIVE), [(1, 1_000)])
    assert look(store, Flow.LIVE) is None

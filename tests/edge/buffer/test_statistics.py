import pytest

from edge.buffer.store import Store
from tests.edge.buffer.clocks import BOOTS, HandClock
from tests.edge.buffer.conftest import OpenStore
from tests.edge.buffer.stores import OFFSET_US, hold, register


def test_an_empty_store_has_nothing_to_tell(store: Store) -> None:
    statistics = store.statistics()
    assert (statistics.rows, statistics.unsent_rows, statistics.head) == (0, 0, 0)
    assert statistics.oldest_unsent_age_s is None
    assert statistics.hours_left is None


def test_rows_are_counted_by_what_has_become_of_them(store: Store, hand: HandClock) -> None:
    store.commit([register(float(at), hand.mono_us) for at in range(10)])
    hold(store, (1, 4))
    statistics = store.statistics()
    assert (statistics.rows, statistics.unsent_rows, statistics.head) == (10, 6, 10)


def test_the_oldest_unsent_row_has_an_age(store: Store, hand: HandClock) -> None:
    store.commit([register(1.0, hand.mono_us)])
    hand.advance(60)
    store.commit([register(2.0, hand.mono_us)])
    hand.advance(30)
    assert store.statistics().oldest_unsent_age_s == 90
    hold(store, (1, 1))
    assert store.statistics().oldest_unsent_age_s == 30


def test_the_age_of_a_row_of_an_earlier_boot_is_known_by_the_wall(open_store: OpenStore, hand: HandClock) -> None:
    store = open_store()
    store.learn_offset(OFFSET_US)
    store.commit([register(1.0, hand.mono_us)])
    hand.boot(BOOTS[1])
    store = open_store()
    assert store.statistics().oldest_unsent_age_s is None
    store.learn_offset(OFFSET_US + 3_600_000_000)
    assert store.statistics().oldest_unsent_age_s == 3_600


def test_hours_left_follow_from_the_rate_and_the_bound(open_store: OpenStore, hand: HandClock) -> None:
    store = open_store(max_bytes=10_000_000)
    for minute in range(30):
        store.commit([register(hash((minute, at)) / 7, hand.mono_us) for at in range(100)])
        hand.advance(60)
        store.tidy()
    statistics = store.statistics()
    rows = 10_000_000 / (statistics.used_bytes / 3_000) - 3_000
    assert statistics.hours_left == pytest.approx(rows / 100 / 60, rel=0.01)

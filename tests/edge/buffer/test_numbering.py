from pathlib import Path

from edge.buffer.store import Flow, Store
from tests.edge.buffer.clocks import BOOTS, HandClock
from tests.edge.buffer.conftest import OpenStore
from tests.edge.buffer.stores import OFFSET_US, draw, hold, look, register, sample, values


def test_a_new_store_draws_an_id_and_numbers_from_1(store: Store, hand: HandClock) -> None:
    store.learn_offset(OFFSET_US)
    store.commit([register(1.0, hand.mono_us), register(2.0, hand.mono_us)])
    batch = draw(store, Flow.LIVE).batch
    assert len(store.store_id) == 32
    assert (batch.store, batch.rows.ranges, batch.head, batch.pending) == (store.store_id, [(1, 2)], 2, 0)


def test_two_stores_have_two_ids(tmp_path: Path, hand: HandClock, open_store: OpenStore, store: Store) -> None:
    first = store.store_id
    store.close()
    (tmp_path / "buffer.db").unlink()
    assert open_store().store_id != first


def test_the_id_and_the_numbering_go_on_after_a_restart(open_store: OpenStore, hand: HandClock) -> None:
    store = open_store()
    store.commit([register(1.0, hand.mono_us)])
    store_id = store.store_id
    store = open_store()
    store.commit([register(2.0, hand.mono_us)])
    assert (store.store_id, store.head) == (store_id, 2)


def test_numbers_are_never_used_again_after_all_rows_were_evicted_and_the_box_restarted(
    open_store: OpenStore, hand: HandClock
) -> None:
    store = open_store(max_bytes=1)
    store.commit([sample(1.0, hand.mono_us), sample(2.0, hand.mono_us)])
    assert store.statistics().rows == 0
    hand.boot(BOOTS[1])
    store = open_store()
    store.commit([register(3.0, hand.mono_us)])
    assert store.head == 3


def test_rows_come_out_with_what_went_in(store: Store, hand: HandClock) -> None:
    store.learn_offset(OFFSET_US)
    hand.advance(1)
    store.commit([register(1.5, hand.mono_us, flags=2), register(-0.25, hand.mono_us + 7, device_time_us=123)])
    rows = draw(store, Flow.LIVE).batch.rows
    assert rows.points == ["meter/energy"]
    assert rows.point == [0, 0]
    assert rows.value == [1.5, -0.25]
    assert rows.time_us == [OFFSET_US + hand.mono_us, 123]
    assert rows.flags == [2, 0]


def test_flags_that_are_all_0_are_left_out(store: Store, hand: HandClock) -> None:
    store.learn_offset(OFFSET_US)
    store.commit([register(1.5, hand.mono_us)])
    assert draw(store, Flow.LIVE).batch.rows.flags == []


def test_a_batch_names_only_the_points_that_are_in_it(store: Store, hand: HandClock) -> None:
    store.learn_offset(OFFSET_US)
    store.commit([sample(1.0, hand.mono_us)])
    store.commit([register(2.0, hand.mono_us)])
    assert draw(store, Flow.LIVE, 1).batch.rows.points == ["meter/power"]
    assert draw(store, Flow.LIVE, 1).batch.rows.points == ["meter/energy"]


def test_rows_of_a_large_commit_are_drawn_in_order_and_in_parts(store: Store, hand: HandClock) -> None:
    store.learn_offset(OFFSET_US)
    store.commit([sample(float(at), hand.mono_us) for at in range(10_000)])
    parts = [draw(store, Flow.LIVE, 3_000).batch.rows for _ in range(4)]
    assert [part.ranges for part in parts] == [[(1, 3_000)], [(3_001, 6_000)], [(6_001, 9_000)], [(9_001, 10_000)]]
    assert [value for part in parts for value in part.value] == [float(at) for at in range(10_000)]


def test_a_cloud_that_knows_rows_above_the_newest_is_never_sent_their_numbers_again(
    open_store: OpenStore, hand: HandClock
) -> None:
    store = open_store()
    store.learn_offset(OFFSET_US)
    store.commit([register(1.0, hand.mono_us)])
    hold(store, (1, 40))
    store = open_store()
    store.commit([register(2.0, hand.mono_us)])
    assert draw(store, Flow.LIVE).batch.rows.ranges == [(41, 41)]


def test_rows_without_a_wall_time_are_kept_back(store: Store, hand: HandClock) -> None:
    store.commit([register(1.0, hand.mono_us)])
    assert look(store, Flow.LIVE) is None
    store.learn_offset(OFFSET_US)
    assert values(store, Flow.LIVE) == [1.0]

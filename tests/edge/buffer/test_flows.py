import pytest

from edge.buffer.store import LOST_RANGES, Flow, Store
from tests.edge.buffer.clocks import HandClock
from tests.edge.buffer.conftest import OpenStore
from tests.edge.buffer.stores import OFFSET_US, draw, hold, look, lost, register, sample, values


@pytest.fixture
def placed(store: Store) -> Store:
    store.learn_offset(OFFSET_US)
    return store


def test_what_was_committed_a_moment_ago_is_live_and_all_else_is_backlog(placed: Store, hand: HandClock) -> None:
    placed.commit([register(1.0, hand.mono_us)])
    hand.advance(11)
    placed.commit([register(2.0, hand.mono_us)])
    assert values(placed, Flow.LIVE) == [2.0]
    assert values(placed, Flow.BACKLOG) == [1.0]


def test_after_a_restart_everything_unsent_is_backlog(open_store: OpenStore, hand: HandClock) -> None:
    store = open_store()
    store.learn_offset(OFFSET_US)
    store.commit([register(1.0, hand.mono_us)])
    store = open_store()
    assert values(store, Flow.LIVE) == []
    assert values(store, Flow.BACKLOG) == [1.0]


def test_rows_in_flight_are_not_drawn_again_until_they_are_released(placed: Store, hand: HandClock) -> None:
    placed.commit([register(1.0, hand.mono_us)])
    drawn = draw(placed, Flow.LIVE)
    assert look(placed, Flow.LIVE) is None
    placed.release([drawn])
    assert values(placed, Flow.LIVE) == [1.0]


def test_all_batches_in_flight_can_be_taken_back(placed: Store, hand: HandClock) -> None:
    placed.commit([register(float(at), hand.mono_us) for at in range(4)])
    draw(placed, Flow.LIVE, 2)
    draw(placed, Flow.LIVE, 2)
    placed.release(placed.in_flight)
    assert values(placed, Flow.LIVE) == [0.0, 1.0, 2.0, 3.0]


def test_held_rows_are_not_drawn(placed: Store, hand: HandClock) -> None:
    placed.commit([register(float(at), hand.mono_us) for at in range(1, 6)])
    hold(placed, (2, 3))
    assert values(placed, Flow.LIVE) == [1.0, 4.0, 5.0]


def test_pending_counts_what_is_neither_held_nor_in_the_batch(placed: Store, hand: HandClock) -> None:
    placed.commit([register(float(at), hand.mono_us) for at in range(10)])
    hold(placed, (1, 2))
    draw(placed, Flow.LIVE, 3)  # in flight, and so not known to the cloud
    batch = draw(placed, Flow.LIVE, 1).batch
    assert (batch.head, batch.pending) == (10, 7)


def test_an_answer_replaces_what_is_held(placed: Store, hand: HandClock) -> None:
    placed.commit([register(float(at), hand.mono_us) for at in range(1, 5)])
    placed.settle(draw(placed, Flow.LIVE, 2), [(1, 2)])
    placed.settle(draw(placed, Flow.LIVE, 1), [(3, 3)])  # a cloud that was restored in between
    assert values(placed, Flow.LIVE) == [1.0, 2.0, 4.0]


def test_an_answer_that_overtakes_another_takes_nothing_back(placed: Store, hand: HandClock) -> None:
    placed.commit([register(float(at), hand.mono_us) for at in range(1, 5)])
    first, second = draw(placed, Flow.LIVE, 2), draw(placed, Flow.LIVE, 2)
    placed.settle(second, [(1, 4)])
    placed.settle(first, [(1, 2)])  # computed before the second batch was taken
    assert look(placed, Flow.LIVE) is None


def test_what_one_answer_knew_is_not_forgotten_over_an_older_one(placed: Store, hand: HandClock) -> None:
    placed.commit([register(float(at), hand.mono_us) for at in range(1, 7)])
    first, second = draw(placed, Flow.LIVE, 2), draw(placed, Flow.LIVE, 2)
    placed.settle(second, [(1, 4), (6, 6)])  # row 6 came in a batch whose answer got lost
    placed.settle(first, [(1, 2)])
    assert values(placed, Flow.LIVE) == [5.0]


def test_a_welcome_puts_aside_what_earlier_answers_said(placed: Store, hand: HandClock) -> None:
    placed.commit([register(float(at), hand.mono_us) for at in range(1, 5)])
    first, second = draw(placed, Flow.LIVE, 2), draw(placed, Flow.LIVE, 2)
    placed.settle(second, [(1, 4)])
    hold(placed)  # a cloud that was restored
    placed.settle(first, [(1, 2)])
    assert values(placed, Flow.LIVE) == [3.0, 4.0]


def test_what_is_held_is_kept_over_a_restart(open_store: OpenStore, hand: HandClock) -> None:
    store = open_store()
    store.learn_offset(OFFSET_US)
    store.commit([register(1.0, hand.mono_us), register(2.0, hand.mono_us)])
    store.settle(draw(store, Flow.LIVE, 1), [(1, 1)])
    assert values(open_store(), Flow.BACKLOG) == [2.0]


def test_a_welcome_that_says_less_makes_rows_unsent_again(placed: Store, hand: HandClock) -> None:
    placed.commit([register(1.0, hand.mono_us), register(2.0, hand.mono_us)])
    placed.settle(draw(placed, Flow.LIVE), [(1, 2)])
    hold(placed, (1, 1))
    assert values(placed, Flow.LIVE) == [2.0]


def test_a_welcome_about_another_store_changes_nothing(placed: Store, hand: HandClock) -> None:
    placed.commit([register(1.0, hand.mono_us)])
    placed.settle(draw(placed, Flow.LIVE), [(1, 1)])
    placed.hold([], store_id="0" * 32)
    assert look(placed, Flow.LIVE) is None


def test_an_answer_to_a_batch_of_another_store_changes_nothing(
    placed: Store, hand: HandClock, open_store: OpenStore
) -> None:
    placed.commit([register(1.0, hand.mono_us)])
    drawn = draw(placed, Flow.LIVE)
    store = open_store()
    store.settle(drawn, [(1, 1)])
    assert values(store, Flow.BACKLOG) == [1.0]


def test_lost_rows_travel_with_the_backlog_until_the_cloud_has_taken_that_they_are(
    open_store: OpenStore, hand: HandClock
) -> None:
    store = open_store(max_bytes=1)
    store.learn_offset(OFFSET_US)
    store.commit([sample(1.0, hand.mono_us), sample(2.0, hand.mono_us)])
    store = open_store()
    first = draw(store, Flow.BACKLOG)
    assert (first.batch.rows.ranges, first.batch.lost, first.batch.pending) == ([], [(1, 2)], 0)
    store.release([first])
    store.settle(draw(store, Flow.BACKLOG), [])
    assert look(store, Flow.BACKLOG) is None
    assert look(open_store(), Flow.BACKLOG) is None


def test_a_long_list_of_lost_rows_is_declared_in_parts(store: Store) -> None:
    rows = 2 * LOST_RANGES + 10
    hold(store, (1, rows))
    hold(store, *[(seq, seq) for seq in range(1, rows, 2)])  # restored: every other row, and none is here any more
    first = draw(store, Flow.BACKLOG)
    assert first.batch.lost == [(seq, seq) for seq in range(2, 2 * LOST_RANGES + 1, 2)]
    store.settle(first, [(seq, seq) for seq in range(1, rows, 2)])
    assert lost(look(store, Flow.BACKLOG)) == [(seq, seq) for seq in range(2 * LOST_RANGES + 2, rows + 1, 2)]

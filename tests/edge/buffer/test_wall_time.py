from edge.buffer.store import Flow, Store
from protocols.readings import TIME_ESTIMATED
from tests.edge.buffer.clocks import BOOTS, HandClock
from tests.edge.buffer.conftest import OpenStore
from tests.edge.buffer.stores import OFFSET_US, draw, look, register, times

SECOND = 1_000_000


def test_a_boots_rows_get_their_wall_time_when_its_offset_is_learnt(store: Store, hand: HandClock) -> None:
    store.commit([register(1.0, hand.mono_us)])
    hand.advance(100)
    store.learn_offset(OFFSET_US)
    store.commit([register(2.0, hand.mono_us)])
    assert times(store) == [OFFSET_US + 5 * SECOND, OFFSET_US + 105 * SECOND]


def test_a_jump_of_the_wall_clock_moves_no_reading(store: Store, hand: HandClock) -> None:
    store.commit([register(1.0, hand.mono_us)])
    store.learn_offset(OFFSET_US)
    hand.wall += 10**15
    hand.advance(1)
    store.commit([register(2.0, hand.mono_us)])
    hand.wall -= 2 * 10**15
    assert times(store) == [OFFSET_US + 5 * SECOND, OFFSET_US + 6 * SECOND]


def test_an_offset_that_is_learnt_later_holds_for_later_rows_and_moves_none_that_stands(
    store: Store, hand: HandClock
) -> None:
    store.learn_offset(OFFSET_US)
    store.commit([register(1.0, hand.mono_us)])
    store.learn_offset(OFFSET_US + 3_600 * SECOND)
    store.commit([register(2.0, hand.mono_us)])
    assert times(store) == [OFFSET_US + 5 * SECOND, OFFSET_US + 3_605 * SECOND]


def test_wall_times_are_the_same_after_a_restart_and_another_offset(open_store: OpenStore, hand: HandClock) -> None:
    store = open_store()
    store.commit([register(1.0, hand.mono_us)])
    store.learn_offset(OFFSET_US)
    before = times(store)
    store = open_store()
    assert store.offset_us == OFFSET_US
    store.learn_offset(OFFSET_US - 7 * SECOND)
    assert times(store) == before


def test_a_devices_own_time_is_kept(store: Store, hand: HandClock) -> None:
    store.commit([register(1.0, hand.mono_us, device_time_us=42)])
    store.learn_offset(OFFSET_US)
    assert times(store) == [42]


def _three_boots(open_store: OpenStore, hand: HandClock) -> Store:
    """Return a store whose first boot knew the time, whose second never did, and whose third has just begun."""
    store = open_store()
    store.learn_offset(OFFSET_US)
    store.commit([register(1.0, hand.mono_us)])
    hand.boot(BOOTS[1])
    store = open_store()
    for seconds in (0, 4, 6):
        store.commit([register(2.0, hand.mono_us + seconds * SECOND)])
    hand.boot(BOOTS[2])
    return open_store()


def test_a_boot_that_never_learnt_its_offset_is_placed_between_its_neighbours_and_marked(
    open_store: OpenStore, hand: HandClock
) -> None:
    store = _three_boots(open_store, hand)
    store.commit([register(3.0, hand.mono_us)])
    store.learn_offset(OFFSET_US + 26 * SECOND)
    rows = [batch.rows for flow in (Flow.BACKLOG, Flow.LIVE) if (batch := look(store, flow))]
    seconds = [(time - OFFSET_US) / SECOND for part in rows for time in part.time_us]
    assert seconds == [5, 15, 19, 21, 31]
    assert rows[0].flags == [0, TIME_ESTIMATED, TIME_ESTIMATED, TIME_ESTIMATED]
    assert rows[1].flags == []


def test_without_a_later_row_it_is_placed_before_now(open_store: OpenStore, hand: HandClock) -> None:
    store = _three_boots(open_store, hand)
    store.learn_offset(OFFSET_US + 26 * SECOND)
    assert [(time - OFFSET_US) / SECOND for time in times(store)] == [5, 15, 19, 21]


def test_without_any_row_that_knows_its_time_it_ends_a_second_before_now(
    open_store: OpenStore, hand: HandClock
) -> None:
    store = open_store()
    store.commit([register(1.0, hand.mono_us), register(2.0, hand.mono_us + SECOND)])
    hand.boot(BOOTS[1], mono_us=9 * SECOND)
    store = open_store()
    store.learn_offset(OFFSET_US)
    assert [(time - OFFSET_US) / SECOND for time in times(store)] == [7, 8]


def test_rows_of_an_earlier_boot_wait_until_the_running_one_knows_the_time(
    open_store: OpenStore, hand: HandClock
) -> None:
    store = _three_boots(open_store, hand)
    assert draw(store, Flow.BACKLOG).batch.rows.value == [1.0]
    assert look(store, Flow.BACKLOG) is None


def test_a_placed_boot_stays_where_it_is(open_store: OpenStore, hand: HandClock) -> None:
    store = _three_boots(open_store, hand)
    store.learn_offset(OFFSET_US + 26 * SECOND)
    before = times(store)
    hand.boot(BOOTS[3])
    store = open_store()
    store.learn_offset(OFFSET_US + 999 * SECOND)
    assert times(store) == before


def test_a_device_time_in_a_placed_boot_is_not_marked_as_estimated(open_store: OpenStore, hand: HandClock) -> None:
    store = open_store()
    store.commit([register(1.0, hand.mono_us, device_time_us=42), register(2.0, hand.mono_us)])
    hand.boot(BOOTS[1])
    store = open_store()
    store.learn_offset(OFFSET_US)
    assert draw(store, Flow.BACKLOG).batch.rows.flags == [0, TIME_ESTIMATED]


def test_a_boot_without_rows_leaves_no_trace(open_store: OpenStore, hand: HandClock) -> None:
    open_store().learn_offset(OFFSET_US)
    hand.boot(BOOTS[1])
    store = open_store()
    store.commit([register(1.0, hand.mono_us)])
    store.learn_offset(OFFSET_US + 50 * SECOND)
    assert times(store) == [OFFSET_US + 55 * SECOND]

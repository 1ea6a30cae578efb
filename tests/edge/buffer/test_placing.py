import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.buffer.placing import place

SECOND = 1_000_000


def test_a_boot_keeps_its_pace_in_the_middle_between_its_neighbours() -> None:
    (anchor,) = place([(5 * SECOND, 15 * SECOND)], lower_us=100 * SECOND, upper_us=130 * SECOND)
    assert anchor.wall_of(5 * SECOND) == 110 * SECOND
    assert anchor.wall_of(15 * SECOND) == 120 * SECOND
    assert anchor.estimated


def test_several_boots_share_the_time_between_them_evenly() -> None:
    first, second = place([(0, 10 * SECOND), (7, 20 * SECOND + 7)], lower_us=0, upper_us=60 * SECOND)
    assert (first.wall_of(0), first.wall_of(10 * SECOND)) == (10 * SECOND, 20 * SECOND)
    assert (second.wall_of(7), second.wall_of(20 * SECOND + 7)) == (30 * SECOND, 50 * SECOND)


def test_boots_that_took_longer_than_there_is_room_are_squeezed_between_their_neighbours() -> None:
    (anchor,) = place([(0, 100 * SECOND)], lower_us=0, upper_us=50 * SECOND)
    assert 0 < anchor.wall_of(0) < anchor.wall_of(SECOND) < anchor.wall_of(100 * SECOND) < 50 * SECOND


@pytest.mark.parametrize("lower_us", [None, 60 * SECOND], ids=["no neighbour before", "contradicting neighbours"])
def test_without_a_row_to_lean_on_a_boot_ends_right_before_the_next(lower_us: int | None) -> None:
    (anchor,) = place([(0, 10 * SECOND)], lower_us=lower_us, upper_us=50 * SECOND)
    assert (anchor.wall_of(0), anchor.wall_of(10 * SECOND)) == (39 * SECOND, 49 * SECOND)


_SPANS = st.lists(
    st.tuples(st.integers(0, 10**12), st.integers(0, 10**12)).map(lambda pair: (min(pair), max(pair))),
    min_size=1,
    max_size=5,
)


@given(_SPANS, st.integers(10**15, 2 * 10**15), st.integers(10 * SECOND, 10**13))
def test_boots_keep_their_order_and_stay_between_their_neighbours(
    spans: list[tuple[int, int]], lower_us: int, room_us: int
) -> None:
    anchors = place(spans, lower_us=lower_us, upper_us=lower_us + room_us)
    ends = [anchor.wall_of(mono) for anchor, span in zip(anchors, spans, strict=True) for mono in span]
    assert ends == sorted(ends)
    assert lower_us < ends[0]
    assert ends[-1] < lower_us + room_us

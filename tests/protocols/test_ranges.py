from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.ranges import Range, contains, gaps, intersect, normalise, size, subtract, union

NUMBERS = st.frozensets(st.integers(1, 60), max_size=40)


@st.composite
def pieces(draw: st.DrawFn) -> list[Range]:
    """Ranges in any order, overlapping and touching as they like."""
    firsts = draw(st.lists(st.integers(1, 60), max_size=12))
    return [(first, first + draw(st.integers(0, 12))) for first in firsts]


def numbers_of(ranges: list[Range]) -> set[int]:
    return {number for first, last in ranges for number in range(first, last + 1)}


def ranges_of(numbers: frozenset[int]) -> list[Range]:
    return normalise([(number, number) for number in numbers])


@given(pieces())
def test_normalising_keeps_the_set_and_leaves_a_gap_between_ranges(ranges: list[Range]) -> None:
    joined = normalise(ranges)

    assert numbers_of(joined) == numbers_of(ranges)
    assert all(before[1] + 1 < after[0] for before, after in pairwise(joined))


@given(NUMBERS, NUMBERS)
def test_the_arithmetic_is_that_of_sets(left: frozenset[int], right: frozenset[int]) -> None:
    a, b = ranges_of(left), ranges_of(right)

    assert union(a, b) == ranges_of(left | right)
    assert subtract(a, b) == ranges_of(left - right)
    assert intersect(a, b) == ranges_of(left & right)


@given(NUMBERS, st.integers(0, 70))
def test_gaps_are_what_is_missing_up_to_the_last(numbers: frozenset[int], last: int) -> None:
    assert gaps(ranges_of(numbers), last=last) == ranges_of(frozenset(range(1, last + 1)) - numbers)


@given(NUMBERS, st.integers(1, 61))
def test_size_counts_and_contains_looks_up(numbers: frozenset[int], number: int) -> None:
    assert size(ranges_of(numbers)) == len(numbers)
    assert contains(ranges_of(numbers), number) == (number in numbers)


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param((0, 3), id="numbers start at 1"),
        pytest.param((5, 4), id="the end before the start"),
        pytest.param((-2, -1), id="negative"),
    ],
)
def test_an_impossible_range_is_refused(bad: Range) -> None:
    with pytest.raises(ValueError, match=r"must be 1 or more and not above the last"):
        normalise([(1, 2), bad])

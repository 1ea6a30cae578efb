"""Sets of sequence numbers as sorted, disjoint, inclusive ranges; the arithmetic behind every acknowledgement."""

from collections.abc import Iterable, Sequence

Range = tuple[int, int]
"""First and last sequence number, both included; numbers start at 1."""


def normalise(ranges: Iterable[Range]) -> list[Range]:
    """Return the same set with its ranges sorted, and touching or overlapping ones joined.

    Raises:
        ValueError: a range ends before it starts, or starts below 1.
    """
    joined: list[Range] = []
    for first, last in sorted(ranges):
        if first < 1 or last < first:
            raise ValueError(f"range {first}..{last}: the first must be 1 or more and not above the last")
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined


def union(left: Sequence[Range], right: Sequence[Range]) -> list[Range]:
    """Return every number that stands in either set."""
    return normalise([*left, *right])


def subtract(left: Sequence[Range], right: Sequence[Range]) -> list[Range]:
    """Return the numbers of `left` that are not in `right`. Both must be normalised; the cost is linear."""
    rest: list[Range] = []
    at = 0
    for first, last in left:
        start = first
        while at < len(right) and right[at][0] <= last:
            taken_first, taken_last = right[at]
            if taken_first > start:
                rest.append((start, taken_first - 1))
            start = max(start, taken_last + 1)
            if taken_last > last:  # it reaches into the next of `left` too
                break
            at += 1
        if start <= last:
            rest.append((start, last))
    return rest


def intersect(left: Sequence[Range], right: Sequence[Range]) -> list[Range]:
    """Return the numbers that stand in both sets. Both must be normalised."""
    return subtract(left, subtract(left, right))


def gaps(ranges: Sequence[Range], *, last: int) -> list[Range]:
    """Return what is missing from 1..last: the gap ledger of a store whose newest row is `last`."""
    return subtract([(1, last)] if last >= 1 else [], ranges)


def size(ranges: Iterable[Range]) -> int:
    """Return how many numbers the ranges hold."""
    return sum(last - first + 1 for first, last in ranges)


def contains(ranges: Iterable[Range], number: int) -> bool:
    """Return whether `number` stands in the set."""
    return any(first <= number <= last for first, last in ranges)

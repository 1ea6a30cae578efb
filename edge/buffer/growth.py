"""How full a buffer is, and how fast it fills."""

from collections import deque
from dataclasses import dataclass

_MARK_US = 60_000_000
_MARKS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """What the box tells of its buffer."""

    rows: int
    unsent_rows: int
    head: int
    used_bytes: int
    oldest_unsent_age_s: float | None
    """None when nothing is unsent, or while the oldest row's wall time is unknown."""
    hours_left: float | None
    """Until unsent rows must be evicted at the last hour's rate; None while nothing is filling the buffer."""


class Growth:
    """What a buffer's newest number was at each of the last hour's minutes."""

    def __init__(self, *, now_us: int, head: int) -> None:
        self._marks = deque([(now_us, head)], maxlen=_MARKS)

    def note(self, *, now_us: int, head: int) -> None:
        """Keep the newest number, if the last one that is kept is a minute old."""
        if now_us - self._marks[-1][0] >= _MARK_US:
            self._marks.append((now_us, head))

    def hours_for(self, rows: float, *, now_us: int, head: int) -> float | None:
        """Return how long so many rows take to come at the last hour's rate; None while none come."""
        then_us, then_head = self._marks[0]
        grown, elapsed_us = head - then_head, now_us - then_us
        if grown <= 0 or elapsed_us <= 0:
            return None
        return max(rows, 0.0) / (grown / elapsed_us) / 3_600e6

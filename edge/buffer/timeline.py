"""When rows were taken: stretches of rows that share one relation between monotonic and wall time."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """What the wall showed at one monotonic instant."""

    mono_us: int
    wall_us: int
    rate: float = 1.0
    """Wall microseconds per monotonic one; below 1 only where an estimate had to be squeezed in."""
    estimated: bool = False

    def wall_of(self, mono_us: int) -> int:
        """Return the wall time of a monotonic instant of the same stretch."""
        elapsed_us = mono_us - self.mono_us
        return self.wall_us + (elapsed_us if self.rate == 1.0 else int(elapsed_us * self.rate))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Rows from `first_seq` to the next stretch: taken in one boot, placed by one anchor.

    An anchor, once attached, is never revised: what a boot learns later begins a stretch of its own.
    """

    first_seq: int
    boot: str
    anchor: Anchor | None
    """None until the boot's offset is learnt, or its rows are placed between their neighbours."""


def stretch_of(stretches: Sequence[Stretch], seq: int) -> Stretch:
    """Return the stretch that row `seq` stands in; `stretches` ascend."""
    return stretches[bisect_right(stretches, seq, key=lambda stretch: stretch.first_seq) - 1]

"""What goes first when room is needed: held rows, then unsent samples, then registers and events."""

from collections.abc import Sequence
from itertools import accumulate

from edge.buffer.coverage import Coverage
from edge.buffer.tables import Tables, Victim
from edge.buffer.timeline import Stretch, stretch_of
from protocols.readings import RowClass

_STEP_CHUNKS = 64
"""Chunks deleted in one transaction, so that an append never waits long for room."""

_CHUNK_OVERHEAD_BYTES = 64


class Eviction:
    """Chooses chunks; deletes nothing."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._samples_from = 0  # no chunk of samples begins below

    def held(self, coverage: Coverage) -> list[Victim]:
        """Return the oldest chunks that the cloud holds wholly."""
        found: list[Victim] = []
        for first, last in coverage.spent():
            found += self._tables.whole_within(first, last, limit=_STEP_CHUNKS - len(found))
            if len(found) == _STEP_CHUNKS:
                break
        return found

    def expired(self, coverage: Coverage, *, stretches: Sequence[Stretch], before_us: int) -> list[Victim]:
        """Return the oldest held chunks that were taken before a wall time."""
        found = []
        for victim in self.held(coverage):
            anchor = stretch_of(stretches, victim.first_seq).anchor
            if anchor is None or anchor.wall_of(victim.last_us) >= before_us:
                break
            found.append(victim)
        return found

    def samples(self) -> list[Victim]:
        """Return the oldest chunks of samples, held or not."""
        found = self._tables.oldest([RowClass.SAMPLE], from_seq=self._samples_from, limit=_STEP_CHUNKS)
        if found:
            self._samples_from = found[0].first_seq
        return found

    def any(self) -> list[Victim]:
        """Return the oldest chunks, whatever they are worth."""
        return self._tables.oldest(list(RowClass), from_seq=0, limit=_STEP_CHUNKS)


def enough(victims: Sequence[Victim], size_bytes: int) -> Sequence[Victim]:
    """Return the first of the victims whose sizes together reach `size_bytes`, or all."""
    sizes = accumulate(victim.size_bytes + _CHUNK_OVERHEAD_BYTES for victim in victims)
    for count, total in enumerate(sizes, 1):
        if total >= size_bytes:
            return victims[:count]
    return victims

"""Which of a store's numbers the cloud holds, which have gone from the box, and what follows from it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from protocols.ranges import Range, gaps, normalise, size, subtract, union


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Sets of sequence numbers of one store.

    What has gone and is not held is lost. It is derived and not written down, so that a cloud that was restored from
    a backup hears of rows that it once held and that the box has since let go.
    """

    head: int = 0
    """The newest number given out."""
    held: Sequence[Range] = ()
    """What the cloud has said that it holds."""
    gone: Sequence[Range] = ()
    """What is no longer on the box."""
    declared: Sequence[Range] = ()
    """What the cloud has taken as lost."""

    def unsent(self) -> list[Range]:
        """Return what is here and not held."""
        return subtract(gaps(self.gone, last=self.head), self.held)

    def unsent_rows(self) -> int:
        """Return how many rows are here and not held."""
        return self.head - size(union(self.gone, self.held))

    def rows(self) -> int:
        """Return how many rows are here."""
        return self.head - size(self.gone)

    def spent(self) -> list[Range]:
        """Return what is here and held: the first to be evicted."""
        return subtract(self.held, self.gone)

    def undeclared(self) -> list[Range]:
        """Return what is lost and the cloud has not been told of."""
        return subtract(subtract(self.gone, self.held), self.declared)

    def holding(self, held: Sequence[Range]) -> "Coverage":
        """Return the coverage after the cloud has said all that it holds.

        A cloud that holds less than before was restored: it is told again what is lost. One that holds numbers above
        the head has seen a later state of this file (a card put back from an image): the numbering goes on after them.

        Raises:
            ValueError: a range ends before it starts, or starts below 1.
        """
        held = normalise(held)
        restored = bool(subtract(self.held, held))
        head = max(self.head, held[-1][1] if held else 0)
        above = [(self.head + 1, head)] if head > self.head else []
        return Coverage(head=head, held=held, gone=union(self.gone, above), declared=() if restored else self.declared)

    def without(self, ranges: Sequence[Range]) -> "Coverage":
        """Return the coverage after rows have gone from the box."""
        return replace(self, gone=union(self.gone, ranges))

    def declaring(self, ranges: Sequence[Range]) -> "Coverage":
        """Return the coverage after the cloud has taken that these rows are lost."""
        return replace(self, declared=union(self.declared, ranges))

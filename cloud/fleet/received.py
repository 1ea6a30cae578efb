"""What one batch causes, worked out over its store's entry: which rows are taken, set aside, in conflict, lost."""

from collections.abc import Sequence
from dataclasses import dataclass

from cloud.fleet.batches import Place, Sifted, numbers, places, received
from cloud.fleet.domain import BoxIdentity, SeriesRow, SetAsideReason
from cloud.fleet.ledger import hold
from cloud.fleet.receipts import Aside, OpenStore
from protocols.ranges import Range, subtract, union
from protocols.wire import Batch, SetAside


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A batch whose takeable rows are in the series.

    Attributes:
        clashes: positions of rows whose instant the series holds differently and, where their number was held
            before, of those that it does not hold at all.
        watched: points that rules look at.
    """

    box: BoxIdentity
    batch: Batch
    sifted: Sifted
    clashes: frozenset[int]
    watched: frozenset[int]

    @property
    def doubtful(self) -> frozenset[int]:
        """Return the positions of rows that are not simply taken, or simply known."""
        return self.clashes | self.sifted.untakeable.keys()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a batch changed, apart from its store's entry.

    Attributes:
        taken: rows that count from now on, in their order.
        set_aside: the batch's rows that are set aside, now or since before.
        asides: of these, the ones to be written down.
        lost: what is now known to be lost.
        has_caught_up: the box has nothing more to send, and had before.
    """

    taken: list[SeriesRow]
    set_aside: list[SetAside]
    asides: list[Aside]
    lost: list[Range]
    has_caught_up: bool


def receive(store: OpenStore, arrived: Arrived) -> Outcome:
    """Enter a batch into its store's entry and return what else it changes.

    Rows whose number is held already count for nothing; those among them with other content are conflicts.
    """
    batch, sifted = arrived.batch, arrived.sifted
    ranges = batch.rows.ranges
    new = places(ranges, subtract(ranges, store.held_numbers()))
    doubtful = arrived.doubtful
    set_aside, asides = _set_aside(store, arrived, new)
    taken = [row for start, end in new for row in sifted.rows[start:end]]
    if doubtful:
        positions = [position for start, end in new for position in range(start, end)]
        taken = [row for row, position in zip(taken, positions, strict=True) if position not in doubtful]
    store.held = hold(store.held, received(ranges, sifted.times_us))
    lost = subtract(batch.lost, union(store.lost, store.held_numbers()))
    store.lost = union(store.lost, lost)
    has_caught_up = batch.pending == 0 and store.pending > 0
    store.head = max(store.head, batch.head)
    store.pending = batch.pending
    return Outcome(taken=taken, set_aside=set_aside, asides=asides, lost=lost, has_caught_up=has_caught_up)


def _set_aside(store: OpenStore, arrived: Arrived, new: Sequence[Place]) -> tuple[list[SetAside], list[Aside]]:
    rows = arrived.batch.rows
    answers, asides = [], []
    positions = sorted(arrived.doubtful)
    for position, seq in zip(positions, numbers(rows.ranges, positions), strict=True):
        is_new = any(start <= position < end for start, end in new)
        reason = arrived.sifted.untakeable.get(position) if is_new else None
        aside = Aside(
            seq=seq,
            reason=reason or SetAsideReason.CONFLICT,
            point_key=rows.points[rows.point[position]],
            time_us=rows.time_us[position],
            value=repr(arrived.sifted.rows[position][2]),
            flags=arrived.sifted.rows[position][3],
        )
        before = store.asides.setdefault(seq, [])
        same = [known for known in before if known.content == aside.content]
        if not same and aside.reason not in {known.reason for known in before}:
            before.append(aside)
            asides.append(aside)
        answers.append(SetAside(seq=seq, reason=(same[0] if same else aside).reason.value))
    return answers, asides

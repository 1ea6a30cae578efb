"""Taking batches: the series first, then one transaction for what they cause, then the answer.

A batch is small and a commit is dear, so batches that wait at the same moment share their commits. Only the cost is
shared: each batch is entered by itself, in its order, and one that fails leaves the others standing.
"""

import logging
from collections.abc import Container, Sequence

from cloud.core.clock import Clock, to_us
from cloud.core.database import Database
from cloud.core.errors import NotSignedIn, Refused
from cloud.fleet.batches import Place, check, places, sift
from cloud.fleet.domain import BoxIdentity
from cloud.fleet.entering import enter
from cloud.fleet.known_boxes import Known, KnownBoxes
from cloud.fleet.received import Arrived
from cloud.fleet.series import Held, SeriesStore
from cloud.fleet.together import Together
from protocols.ranges import Range, intersect, subtract, union
from protocols.wire import Batch, BatchTaken

MAXIMUM_RANGES = 4_096
"""Pieces that a store's held numbers may be in. A box that lost its connection a thousand times stays far below; one
that sends every other row would make every answer, and every look into the ledger, dear."""

_ROUND_ROWS = 20_000

_log = logging.getLogger(__name__)


class Intake:
    """Takes batches of boxes that have proved who they are; one for a process."""

    def __init__(self, database: Database, store: SeriesStore, clock: Clock) -> None:
        self._database = database
        self._store = store
        self._clock = clock
        self._boxes = KnownBoxes(database)
        self._enter = Together(
            self._enter_round, weight=lambda arrived: len(arrived.sifted.rows) + 1, limit=_ROUND_ROWS
        )

    async def take(self, box: BoxIdentity, batch: Batch) -> BatchTaken:
        """Make a batch durable, let it cause what it causes, and return all that is held of its store.

        Raises:
            Malformed: the batch contradicts itself.
            VersionRefused: it speaks another version of the wire.
            TooLarge: it carries more than a batch may.
            Refused: it would leave the store's numbers in too many pieces.
            NotSignedIn: the box is no longer let in with its key.
        """
        check(batch)
        known = await self._boxes.look(box, batch.store)
        if known is None:
            raise NotSignedIn("This box is no longer let in with its key: claim it again.")
        _check_pieces(known.held, batch.rows.ranges)
        arrived = await self._make_durable(box, batch, known)
        _log.debug("series appended: box %s store %s head %s", box.box_id, batch.store, batch.head)
        taken = await self._enter(arrived)
        _log.debug("batch committed: box %s store %s head %s", box.box_id, batch.store, batch.head)
        return taken

    async def _make_durable(self, box: BoxIdentity, batch: Batch, known: Known) -> Arrived:
        ranges = batch.rows.ranges
        sifted = sift(batch.rows, known.points.ids, now_us=to_us(self._clock.now()))
        fresh = _positions(places(ranges, subtract(ranges, known.held)), sifted.untakeable)
        clashes = [fresh[number] for number in await self._store.append([sifted.rows[position] for position in fresh])]
        again = _positions(places(ranges, intersect(ranges, known.held)), sifted.untakeable)
        if again:
            held = await self._store.holds([sifted.rows[position] for position in again])
            clashes += [position for position, found in zip(again, held, strict=True) if found is not Held.EQUAL]
        watched = known.points.watched
        return Arrived(box=box, batch=batch, sifted=sifted, clashes=frozenset(clashes), watched=watched)

    async def _enter_round(self, arrivals: Sequence[Arrived]) -> list[BatchTaken]:
        async with self._database.transaction() as session:
            return await enter(session, self._clock, arrivals)


def _check_pieces(held: Sequence[Range], ranges: Sequence[Range]) -> None:
    if len(held) + len(ranges) > MAXIMUM_RANGES and len(union(held, ranges)) > MAXIMUM_RANGES:
        raise Refused(
            "rows.ranges would leave the store in more than %(most)s pieces: send what lies between them first.",
            "rows.ranges",
            most=MAXIMUM_RANGES,
        )


def _positions(stretches: Sequence[Place], left_out: Container[int]) -> list[int]:
    return [position for start, end in stretches for position in range(start, end) if position not in left_out]

"""What is known of a box and its store before a batch of theirs is looked at; points are remembered between batches."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.database import Database
from cloud.fleet import bulk
from cloud.fleet.domain import BoxIdentity
from cloud.fleet.receipts import held_numbers
from cloud.fleet.tables import PointRow
from cloud.fleet.together import Together
from protocols.ranges import Range

_ROUND_BOXES = 64
_BOXES_REMEMBERED = 10_000

_POINTS = cast("Table", PointRow.__table__)
_ID = ("bigint",)
_FIND_BOXES = """
    WITH wanted (id) AS ({source})
    SELECT boxes.id, public_key, inventory_revision, configuration_revision
    FROM wanted CROSS JOIN boxes WHERE boxes.id = wanted.id"""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxPoints:
    """A box's points, as of a revision of its inventory and of its configuration."""

    revision: list[int]
    ids: dict[str, int]
    watched: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A box that may send, and the numbers that are held of one of its stores."""

    points: BoxPoints
    held: list[Range]


class KnownBoxes:
    """Looks boxes up; one for a process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._points: OrderedDict[int, BoxPoints] = OrderedDict()
        self._look = Together(self._look_round, weight=lambda _: 1, limit=_ROUND_BOXES)

    async def look(self, box: BoxIdentity, store: str) -> Known | None:
        """Return what is known, or None when the box is not let in any more with the key that it has shown."""
        return await self._look((box, store))

    async def _look_round(self, asked: Sequence[tuple[BoxIdentity, str]]) -> list[Known | None]:
        keys = {}
        points = {}
        async with self._database.reading() as session:
            for box_id, key, *revision in await bulk.find(
                session, _FIND_BOXES, [(box.box_id,) for box, _ in asked], _ID
            ):
                keys[box_id] = key
                points[box_id] = await self._points_of(session, box_id, revision)
            held = await held_numbers(session, {(box.box_id, store) for box, store in asked})
        return [
            Known(points=points[box.box_id], held=held.get((box.box_id, store), []))
            if keys.get(box.box_id) == box.key
            else None
            for box, store in asked
        ]

    async def _points_of(self, session: AsyncSession, box_id: int, revision: list[int]) -> BoxPoints:
        points = self._points.get(box_id)
        if points is None or points.revision != revision:
            # any organisation: the box has proved who it is
            chosen = select(_POINTS.c.key, _POINTS.c.id, _POINTS.c.watched).where(_POINTS.c.box_id == box_id)
            rows = (await session.execute(chosen)).all()
            watched = frozenset(row.id for row in rows if row.watched)
            points = BoxPoints(revision=revision, ids={row.key: row.id for row in rows}, watched=watched)
            self._points[box_id] = points
        self._points.move_to_end(box_id)
        if len(self._points) > _BOXES_REMEMBERED:
            self._points.popitem(last=False)
        return points

"""The rows that could not be taken, as a list for whoever has to find out why."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Row, Table, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.clock import from_us
from cloud.core.listing import Ask, Found, Listing, containing, fetch
from cloud.core.principal import Principal
from cloud.fleet.boxes import visible_box
from cloud.fleet.domain import SetAsideReason
from cloud.fleet.tables import SetAsideRow

_ROWS = cast("Table", SetAsideRow.__table__)
_SHOWN = ("id", "seq", "reason", "point_key", "time_us", "value", "set_aside_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAsideLine:
    """A row that could not be taken, as it came.

    Attributes:
        time: the row's own; None where no calendar holds it.
        value: as Python writes a float, so that what is no number can be read too.
    """

    id: int
    seq: int
    reason: SetAsideReason
    point_key: str
    time: datetime | None
    value: str
    set_aside_at: datetime


async def list_set_aside(session: AsyncSession, principal: Principal, *, box_id: int, ask: Ask) -> Found[SetAsideLine]:
    """Return the rows of a box that could not be taken.

    Raises:
        NotFound: there is no such box that the principal may see.
    """
    await visible_box(session, principal, box_id=box_id)
    chosen = select(*(_ROWS.c[name] for name in _SHOWN)).where(_ROWS.c.organisation_id == principal.organisation_id)
    listing = Listing(
        select=chosen.where(_ROWS.c.box_id == box_id),
        columns={
            "point": _ROWS.c.point_key,
            "reason": _ROWS.c.reason,
            "set_aside_at": _ROWS.c.set_aside_at,
        },
        key=_ROWS.c.id,
        order=(_ROWS.c.id.desc(),),
        search=containing(_ROWS.c.point_key),
    )
    found = await fetch(session, listing, ask)
    return found.of([_line(row) for row in found.rows])


def _line(row: Row[Any]) -> SetAsideLine:
    return SetAsideLine(
        id=row.id,
        seq=row.seq,
        reason=row.reason,
        point_key=row.point_key,
        time=_instant(row.time_us),
        value=row.value,
        set_aside_at=row.set_aside_at,
    )


def _instant(time_us: int) -> datetime | None:
    try:
        return from_us(time_us)
    except OverflowError:
        return None

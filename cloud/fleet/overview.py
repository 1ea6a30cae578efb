"""The boxes as a list: whether each is there, what it still holds, and which of its points are silent."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, Row, Select, Table, and_, case, func, or_, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.clock import Clock, to_us
from cloud.core.errors import NotFound
from cloud.core.listing import Ask, Found, Listing, containing, fetch
from cloud.core.principal import Principal
from cloud.fleet.domain import (
    HEARTBEAT_S,
    MISSED_HEARTBEATS,
    STALE_AT_LEAST,
    STALE_PERIODS,
    BoxState,
    Connection,
)
from cloud.fleet.points import visible_boxes
from cloud.fleet.tables import BoxRow, LatestRow, Microseconds, PointRow, PresenceRow, SetAsideRow, StoreRow
from firmware_configs.look.words import _

_OF_BOX = (
    "id", "name", "community_id", "place_id", "claimed_at", "hardware", "software", "configuration_error"
)  # fmt: skip
_BOX = cast("Table", BoxRow.__table__)
_PRESENCE = cast("Table", PresenceRow.__table__)
_SET_ASIDE = cast("Table", SetAsideRow.__table__)
_STORE = cast("Table", StoreRow.__table__)
_POINT = cast("Table", PointRow.__table__)
_LATEST = cast("Table", LatestRow.__table__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A box as people see it.

    Attributes:
        place_id: None while nobody has said more than the community.
        since: since when it is connected, or away; None for one that was never heard.
        seen_at: when it last said anything; None for one that never did.
        pending: rows that it has not sent; None when it has not said.
        buffer_hours_left: until it must let go of unsent rows at the present rate; None while nothing fills it.
        points: what it lists now, and `stale` how many of these are overdue.
        set_aside: rows of it that could not be taken.
        configuration_error: why it refused what it should do; None when it did not.
    """

    id: int
    name: str
    community_id: int
    place_id: int | None
    connection: Connection
    since: datetime | None
    seen_at: datetime | None
    claimed_at: datetime
    hardware: str
    software: str
    pending: int | None
    buffer_hours_left: float | None
    points: int
    stale: int
    set_aside: int
    is_configured: bool
    configuration_error: str | None


async def list_boxes(session: AsyncSession, clock: Clock, principal: Principal, ask: Ask) -> Found[Box]:
    """Return the boxes that the principal may see."""
    found = await fetch(session, _listing(principal, clock.now()), ask)
    return found.of([_box(row) for row in found.rows])


async def find_box(session: AsyncSession, clock: Clock, principal: Principal, *, box_id: int) -> Box:
    """Return one box.

    Raises:
        NotFound: there is none that the principal may see.
    """
    row = (await session.execute(_select(principal, clock.now()).where(_BOX.c.id == box_id))).one_or_none()
    if row is None:
        raise NotFound(_("There is no box %(box_id)s."), box_id=box_id)
    return _box(row)


def _listing(principal: Principal, now: datetime) -> Listing:
    return Listing(
        select=_select(principal, now),
        columns={
            "name": _BOX.c.name,
            "connection": _connection(now),
            "seen_at": _seen_at(),
            "software": _BOX.c.software,
            "pending": _PRESENCE.c.pending,
            "buffer_hours_left": _PRESENCE.c.buffer_hours_left,
            "stale": _stale(now),
            "set_aside": _set_aside(),
        },
        key=_BOX.c.id,
        order=(_BOX.c.name,),
        search=containing(_BOX.c.name, _BOX.c.software, _BOX.c.hardware),
    )


def _select(principal: Principal, now: datetime) -> Select[Any]:
    # any organisation: visible_boxes leaves only the principal's
    return (
        select(
            *(_BOX.c[name] for name in _OF_BOX),
            (_BOX.c.configured_revision == _BOX.c.configuration_revision).label("is_configured"),
            _PRESENCE.c.pending,
            _PRESENCE.c.buffer_hours_left,
            _PRESENCE.c.opened_at,
            _PRESENCE.c.closed_at,
            _connection(now).label("connection"),
            _seen_at().label("seen_at"),
            _points().label("points"),
            _stale(now).label("stale"),
            _set_aside().label("set_aside"),
        )
        .outerjoin(_PRESENCE, _PRESENCE.c.box_id == _BOX.c.id)
        .where(visible_boxes(principal))
    )


def _connection(now: datetime) -> ColumnElement[str]:
    alive_since = now - MISSED_HEARTBEATS * timedelta(seconds=HEARTBEAT_S)
    is_open = and_(_PRESENCE.c.closed_at.is_(None), _PRESENCE.c.seen_at >= alive_since)
    return case(
        (_BOX.c.state == BoxState.REVOKED, Connection.REVOKED.value),
        (is_open, Connection.CONNECTED.value),
        else_=Connection.AWAY.value,
    )


def _seen_at() -> ColumnElement[datetime | None]:
    # any organisation: of boxes that the outer select leaves
    sent = select(func.max(_STORE.c.last_batch_us)).where(_STORE.c.box_id == _BOX.c.id).scalar_subquery()
    later = case((_PRESENCE.c.seen_at.is_(None), sent), (sent > _PRESENCE.c.seen_at, sent), else_=_PRESENCE.c.seen_at)
    return type_coerce(later, Microseconds)


def _points() -> ColumnElement[int]:
    # any organisation: of boxes that the outer select leaves
    there = select(func.count()).select_from(_POINT)
    return there.where(_POINT.c.box_id == _BOX.c.id, _POINT.c.gone_at.is_(None)).scalar_subquery()


def _stale(now: datetime) -> ColumnElement[int]:
    """Return how many points of a box are overdue, as domain.Point.is_stale says of one."""
    # any organisation: of boxes that the outer select leaves
    patience_s = STALE_PERIODS * _POINT.c.period_s
    at_least_s = STALE_AT_LEAST.total_seconds()
    patience_s = case((patience_s > at_least_s, patience_s), else_=at_least_s)
    overdue = or_(_LATEST.c.time_us.is_(None), _LATEST.c.time_us < to_us(now) - patience_s * 1_000_000)
    return (
        select(func.count())
        .select_from(_POINT)
        .outerjoin(_LATEST, _LATEST.c.point_id == _POINT.c.id)
        .where(_POINT.c.box_id == _BOX.c.id, _POINT.c.gone_at.is_(None), _POINT.c.period_s > 0, overdue)
        .scalar_subquery()
    )


def _set_aside() -> ColumnElement[int]:
    # any organisation: of boxes that the outer select leaves
    kept = select(func.count()).select_from(_SET_ASIDE)
    return kept.where(_SET_ASIDE.c.box_id == _BOX.c.id).scalar_subquery()


def _box(row: Row[Any]) -> Box:
    connection = Connection(row.connection)
    since = row.opened_at if connection is Connection.CONNECTED else (row.closed_at or row.seen_at)
    return Box(
        id=row.id,
        name=row.name,
        community_id=row.community_id,
        place_id=row.place_id,
        connection=connection,
        since=since,
        seen_at=row.seen_at,
        claimed_at=row.claimed_at,
        hardware=row.hardware,
        software=row.software,
        pending=row.pending,
        buffer_hours_left=row.buffer_hours_left,
        points=row.points,
        stale=row.stale,
        set_aside=row.set_aside,
        is_configured=row.is_configured,
        configuration_error=row.configuration_error,
    )

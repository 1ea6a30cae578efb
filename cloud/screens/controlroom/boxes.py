"""The boxes: which are there, what hangs on them, and what of their readings never came."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from starlette.responses import Response

from cloud.core.clock import from_us
from cloud.core.listing import Ask, Found
from cloud.core.principal import Role
from cloud.fleet import overview
from cloud.fleet import service as fleet
from cloud.fleet.domain import Connection, Device, Point, Reading, SetAsideReason, Where
from cloud.fleet.ledger import Absence, Gap
from cloud.fleet.overview import Box
from cloud.fleet.set_aside import SetAsideLine, list_set_aside
from cloud.properties import service as properties
from cloud.properties.domain import SEPARATOR
from cloud.web.lists import Column, Kind, ListView, Option
from cloud.web.pages import OnPage, Page
from cloud.web.points import point_label
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

router = pages_for(Role.OPERATOR)

_GAPS_SHOWN = 50

CONNECTIONS = {
    Connection.CONNECTED: _("Connected"),
    Connection.AWAY: _("Away"),
    Connection.REVOKED: _("Shut out"),
}
REASONS = {
    SetAsideReason.UNKNOWN_POINT: _("the box has not listed this point"),
    SetAsideReason.NOT_A_NUMBER: _("the value is no number"),
    SetAsideReason.FAR_FUTURE: _("its time lies in the future"),
    SetAsideReason.FAR_PAST: _("its time lies before the year 2000"),
    SetAsideReason.CONFLICT: _("another value is held for it"),
}
ABSENCES = {
    Absence.MISSING: _("not come yet"),
    Absence.LOST: _("lost on the box"),
    Absence.UNTOLD: _("nobody knows"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxLine:
    """A box with where it stands."""

    box: Box
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PointLine:
    """A point of a box with its newest value."""

    point: Point
    label: str
    where: str
    reading: Reading | None
    is_stale: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLine:
    """A device of a box with its points."""

    device: Device
    where: str
    points: list[PointLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class GapLine:
    """What is absent of a box's readings; no time where none is known."""

    absence: str
    start: datetime | None
    end: datetime
    rows: int | None


BOXES = ListView[BoxLine](
    name="box_list",
    caption=_("Boxes"),
    searchable=_("name, software or hardware"),
    key=lambda row: row.box.id,
    columns=(
        Column(name="name", label=_("Name"), value=lambda row: row.box.name),
        Column(
            name="connection",
            label=_("State"),
            value=lambda row: row.box.connection,
            filtered=True,
            options=tuple(Option(value=value, label=label) for value, label in CONNECTIONS.items()),
        ),
        Column(name="since", label=_("Since"), value=lambda row: row.box.since, kind=Kind.TIME, sortable=False),
        Column(name="seen_at", label=_("Last heard"), value=lambda row: row.box.seen_at, kind=Kind.TIME, filtered=True),
        Column(name="where", label=_("Place"), value=lambda row: row.where, sortable=False),
        Column(
            name="stale", label=_("Silent points"), value=lambda row: row.box.stale, kind=Kind.NUMBER, filtered=True
        ),
        Column(
            name="pending", label=_("Unsent rows"), value=lambda row: row.box.pending, kind=Kind.NUMBER, filtered=True
        ),
        Column(
            name="buffer_hours_left",
            label=_("Buffer lasts"),
            unit="h",
            value=lambda row: row.box.buffer_hours_left,
            kind=Kind.NUMBER,
            filtered=True,
        ),
        Column(
            name="set_aside",
            label=_("Set aside"),
            value=lambda row: row.box.set_aside,
            kind=Kind.NUMBER,
            filtered=True,
            phone=False,
        ),
        Column(name="software", label=_("Software"), value=lambda row: row.box.software or None, phone=False),
    ),
)

SET_ASIDE = ListView[SetAsideLine](
    name="set_aside_list",
    caption=_("Rows set aside"),
    searchable=_("point"),
    key=lambda row: row.id,
    columns=(
        Column(name="point", label=_("Point"), value=lambda row: row.point_key, filtered=True),
        Column(
            name="reason",
            label=_("Why"),
            value=lambda row: row.reason,
            filtered=True,
            options=tuple(Option(value=value, label=label) for value, label in REASONS.items()),
        ),
        Column(name="time", label=_("Its time"), value=lambda row: row.time, kind=Kind.TIME, sortable=False),
        Column(name="value", label=_("Value"), value=lambda row: row.value, sortable=False),
        Column(name="seq", label=_("Number"), value=lambda row: row.seq, kind=Kind.NUMBER, sortable=False, phone=False),
        Column(
            name="set_aside_at",
            label=_("Set aside"),
            value=lambda row: row.set_aside_at,
            kind=Kind.TIME,
            filtered=True,
        ),
    ),
)


@router.get("/boxes")
async def box_list(work: Work, page: OnPage) -> Response:
    """Draw all boxes."""

    async def load(ask: Ask) -> Found[BoxLine]:
        found = await overview.list_boxes(work.session, work.clock, work.principal, ask)
        return found.of(await _lines(work, found.rows))

    return await page.list("controlroom/boxes.html", BOXES, load, connections=CONNECTIONS, may_change=_may_change(work))


@router.get("/boxes/{box_id}")
async def box_page(work: Work, page: OnPage, box_id: int) -> Response:
    """Draw one box with what hangs on it."""
    (shown,) = await _lines(work, [await overview.find_box(work.session, work.clock, work.principal, box_id=box_id)])
    gaps = await fleet.gaps(work.session, work.principal, box_id=box_id)
    return page.show(
        "controlroom/box.html",
        shown=shown,
        connections=CONNECTIONS,
        may_change=_may_change(work),
        devices=await _devices(work, page, box_id),
        gaps=[_gap(gap) for gap in reversed(gaps)][:_GAPS_SHOWN],
        more_gaps=max(0, len(gaps) - _GAPS_SHOWN),
    )


@router.get("/boxes/{box_id}/set-aside")
async def set_aside(work: Work, page: OnPage, box_id: int) -> Response:
    """Draw the rows of a box that could not be taken."""
    box = await overview.find_box(work.session, work.clock, work.principal, box_id=box_id)

    async def load(ask: Ask) -> Found[SetAsideLine]:
        return await list_set_aside(work.session, work.principal, box_id=box_id, ask=ask)

    return await page.list("controlroom/set_aside.html", SET_ASIDE, load, box=box)


def _may_change(work: Unit) -> bool:
    return Role.ADMINISTRATOR in work.principal.roles


async def _lines(work: Unit, boxes: Sequence[Box]) -> list[BoxLine]:
    place_ids = {box.place_id for box in boxes if box.place_id is not None}
    places = await properties.labels(work.session, work.principal, place_ids)
    communities = {found.id: found.name for found in await properties.list_communities(work.session, work.principal)}
    return [BoxLine(box=box, where=places.get(box.place_id or 0) or communities[box.community_id]) for box in boxes]


async def _devices(work: Unit, page: Page, box_id: int) -> list[DeviceLine]:
    devices = await fleet.devices(work.session, work.principal, box_id=box_id)
    points = await fleet.points(work.session, work.principal, box_id=box_id)
    latest = await fleet.latest(work.session, work.principal, point_ids=[point.id for point in points])
    wheres = [*(device.where for device in devices), *(point.where for point in points)]
    place_ids = {where.place_id for where in wheres if where.place_id is not None}
    places = await properties.labels(work.session, work.principal, place_ids)
    now = work.clock.now()
    lines = [
        PointLine(
            point=point,
            label=point_label(point, page.reader),
            where=_where(point.where, places),
            reading=(reading := latest.get(point.id)),
            is_stale=point.is_stale(reading.time if reading else None, now),
        )
        for point in points
    ]
    return [
        DeviceLine(
            device=device,
            where=_where(device.where, places),
            points=[line for line in lines if line.point.device_id == device.id],
        )
        for device in devices
    ]


def _where(where: Where, places: Mapping[int, str]) -> str:
    return SEPARATOR.join(part for part in (places.get(where.place_id or 0, ""), where.label) if part)


def _gap(gap: Gap) -> GapLine:
    start = from_us(gap.start_us) if gap.start_us > 0 else None
    return GapLine(absence=ABSENCES[gap.absence], start=start, end=from_us(gap.end_us), rows=gap.rows)

"""One point: what it measures now, and what it measured of late."""

from datetime import timedelta
from enum import StrEnum

from starlette.responses import Response

from cloud.core.principal import Role
from cloud.fleet import service as fleet
from cloud.properties import service as properties
from cloud.properties.domain import SEPARATOR
from cloud.screens.controlroom.curve import of_late
from cloud.web.pages import OnPage
from cloud.web.points import point_label
from cloud.web.routing import pages_for
from cloud.web.series import Series
from cloud.web.session import Work
from firmware_configs.look.words import _

router = pages_for(Role.OPERATOR)


class Span(StrEnum):
    """How far back the curve goes."""

    DAY = "day"
    MONTH = "month"


SPANS = {Span.DAY: (_("24 hours"), timedelta(days=1)), Span.MONTH: (_("30 days"), timedelta(days=30))}


@router.get("/points/{point_id}")
async def point_page(work: Work, page: OnPage, series: Series, point_id: int, span: Span = Span.DAY) -> Response:
    """Draw one point."""
    point = await fleet.point(work.session, work.principal, point_id=point_id)
    latest = await fleet.latest(work.session, work.principal, point_ids=[point_id])
    reading, now = latest.get(point_id), work.clock.now()
    place = await properties.labels(work.session, work.principal, {point.where.place_id or 0})
    return page.show(
        "controlroom/point.html",
        point=point,
        label=point_label(point, page.reader),
        where=SEPARATOR.join(part for part in (*place.values(), point.where.label) if part),
        reading=reading,
        is_stale=point.is_stale(reading.time if reading else None, now),
        curve=await of_late(series, point_id, now=now, span=SPANS[span][1]),
        spans={each: label for each, (label, _length) in SPANS.items()},
        span=span,
        may_change=Role.ADMINISTRATOR in work.principal.roles,
    )

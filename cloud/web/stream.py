"""The one stream of news that a browser holds open."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import timedelta

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from cloud.accounts import service as accounts
from cloud.accounts.domain import Visit
from cloud.core.errors import NotSignedIn
from cloud.core.principal import STAFF
from cloud.web.frame import Frame, frame_of
from cloud.web.session import SESSION_COOKIE
from firmware_configs.look.words import _

router = APIRouter(include_in_schema=False)
_BEATS_BETWEEN_CHECKS = 4
# Two minutes to read the warning, and one until the next look at the session.
_WARNED_BEFORE = timedelta(minutes=3)


@router.get("/live")
async def live(request: Request) -> Response:
    """Stream `topic version` of the visitor's organisation, for as long as the visit lasts."""
    token = request.cookies.get(SESSION_COOKIE, "")
    frame = frame_of(request)
    principal = (await _visit(frame, token)).principal
    principal.require(*STAFF)  # how often something changes is news of other people's homes too
    organisation_id = principal.organisation_id
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(frame, token, organisation_id), media_type="text/event-stream", headers=headers)


async def _visit(frame: Frame, token: str) -> Visit:
    # A session of its own: the stream outlives every unit of work, and may not hold a connection meanwhile.
    if not token:
        raise NotSignedIn(_("Sign in to go on."))
    async with frame.database.reading() as session:
        return await accounts.resume(session, frame.clock, token=token)


async def _events(frame: Frame, token: str, organisation_id: int) -> AsyncGenerator[str]:
    beats = 0
    async with aclosing(frame.hub.stream(organisation_id)) as news:
        async for events in news:
            yield events
            beats += 1
            if beats % _BEATS_BETWEEN_CHECKS:
                continue
            left = await _left(frame, token)
            if left <= timedelta(0):
                yield "event: ended\ndata:\n\n"
                return
            if left <= _WARNED_BEFORE:
                yield "event: ending\ndata:\n\n"


async def _left(frame: Frame, token: str) -> timedelta:
    """Return how long the session still lasts if nobody comes with it."""
    try:
        visit = await _visit(frame, token)
    except NotSignedIn:
        return timedelta(0)
    return visit.expires_at - frame.clock.now()

"""The one stream of news that a browser holds open."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from cloud.accounts import service as accounts
from cloud.core.errors import NotSignedIn
from cloud.web.frame import Frame, frame_of
from cloud.web.session import SESSION_COOKIE
from firmware_configs.look.words import _

router = APIRouter(include_in_schema=False)
_BEATS_BETWEEN_CHECKS = 4


@router.get("/live")
async def live(request: Request) -> Response:
    """Stream `topic version` of the visitor's organisation, for as long as the visit lasts."""
    token = request.cookies.get(SESSION_COOKIE, "")
    frame = frame_of(request)
    organisation_id = await _organisation(frame, token)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(frame, token, organisation_id), media_type="text/event-stream", headers=headers)


async def _organisation(frame: Frame, token: str) -> int:
    # A session of its own: the stream outlives every unit of work, and may not hold a connection meanwhile.
    if not token:
        raise NotSignedIn(_("Sign in to go on."))
    async with frame.database.reading() as session:
        visit = await accounts.resume(session, frame.clock, token=token)
    return visit.principal.organisation_id


async def _events(frame: Frame, token: str, organisation_id: int) -> AsyncGenerator[str]:
    beats = 0
    async with aclosing(frame.hub.stream(organisation_id)) as news:
        async for events in news:
            yield events
            beats += 1
            if beats % _BEATS_BETWEEN_CHECKS == 0 and not await _goes_on(frame, token):
                yield "event: ended\ndata:\n\n"
                return


async def _goes_on(frame: Frame, token: str) -> bool:
    try:
        await _organisation(frame, token)
    except NotSignedIn:
        return False
    return True

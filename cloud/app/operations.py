"""Pages for whoever runs the cloud: whether it is well, and its figures."""

import asyncio
from collections.abc import Callable, Sequence
from ipaddress import ip_address

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from cloud.app.metrics import Metrics
from cloud.core.database import Database
from cloud.settings import Network

_ANSWER_S = 3.0


def operations(
    *, database: Database, metrics: Metrics, networks: Sequence[Network], is_at_work: Callable[[], bool]
) -> APIRouter:
    """Return the routes; /healthz answers everybody, since a load balancer stands anywhere, and says nothing more."""
    router = APIRouter(include_in_schema=False)

    @router.get("/healthz")
    async def health() -> Response:
        if not is_at_work():
            return PlainTextResponse("background work has stopped\n", status_code=503)
        if not await _answers(database):
            return PlainTextResponse("the database does not answer\n", status_code=503)
        return PlainTextResponse("well\n")

    @router.get("/metrics")
    async def figures(request: Request) -> Response:
        if not _is_within(request, networks):
            return PlainTextResponse("not from here\n", status_code=403)
        return Response(await metrics.page(), media_type=CONTENT_TYPE_LATEST)

    return router


async def _answers(database: Database) -> bool:
    try:
        async with asyncio.timeout(_ANSWER_S), database.reading() as session:
            await session.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError):  # a timeout is an OSError too
        return False
    return True


def _is_within(request: Request, networks: Sequence[Network]) -> bool:
    if request.client is None:
        return False
    try:
        address = ip_address(request.client.host)
    except ValueError:  # a Unix socket, a test's name
        return False
    return any(address in network for network in networks)

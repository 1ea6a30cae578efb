"""The frame laid around an application: every screen's pages, the files they load and the errors they show."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from cloud.core.clock import Clock
from cloud.core.database import Database
from cloud.web import errors, exports, static, stream, uploads, views
from cloud.web.frame import Frame, MaySee
from cloud.web.headers import SecurityHeaders
from cloud.web.live import Hub
from cloud.web.screen import Screen
from cloud.web.templating import environment

_COMPRESSED_FROM_BYTES = 1_000
_COMPRESSION_LEVEL = 5  # level 9 makes pages 2 % smaller and three times as slow


def install(
    app: FastAPI,
    *,
    database: Database,
    clock: Clock,
    hub: Hub,
    screens: Sequence[Screen],
    zone: ZoneInfo,
    may_see: Sequence[MaySee] = (),
) -> None:
    """Give `app` the pages of `screens`; their entries make the menu, in this order.

    `may_see` says whose stored files are served, and to whom; the store itself is `app.state.files`.
    """
    app.state.frame = Frame(
        database=database,
        clock=clock,
        hub=hub,
        environment=environment({screen.name: screen.templates for screen in screens}),
        entries=tuple(entry for screen in screens for entry in screen.entries),
        zone=zone,
        may_see=tuple(may_see),
    )
    own = (static.router, stream.router, uploads.router, views.router, exports.router)
    for router in (*own, *(screen.router for screen in screens)):
        app.include_router(router)
    errors.install(app)
    app.add_middleware(errors.Breakage)
    app.add_middleware(GZipMiddleware, minimum_size=_COMPRESSED_FROM_BYTES, compresslevel=_COMPRESSION_LEVEL)
    app.add_middleware(SecurityHeaders)

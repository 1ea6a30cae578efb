"""Puts the cloud together: one application with its database, its series, its pages, and its background work."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncSession

from cloud import wiring
from cloud.api.edge import EdgeDoor
from cloud.app.background import Background, Work
from cloud.app.gateways import open_gateways
from cloud.app.inbox import hook_router, inbox_jobs, open_intake
from cloud.app.metrics import Measured, Metrics
from cloud.app.operations import operations
from cloud.core import exports, files
from cloud.core.clock import Clock, SystemClock
from cloud.core.database import Database
from cloud.core.delivery import DeliveryLoop
from cloud.core.files import FileStore
from cloud.core.jobs import Job, JobRunner, in_one_transaction
from cloud.core.postgresql import listen
from cloud.fleet.channel import Channels
from cloud.fleet.intake import Intake
from cloud.fleet.series import SeriesStore
from cloud.fleet.series_url import open_series
from cloud.reception.intake import MailIntake
from cloud.screens.admin.screen import SCREEN as ADMIN
from cloud.screens.controlroom.screen import SCREEN as CONTROLROOM
from cloud.screens.desk.screen import SCREEN as DESK
from cloud.screens.entrance.screen import SCREEN as ENTRANCE
from cloud.screens.field.screen import SCREEN as FIELD
from cloud.screens.manager.screen import SCREEN as MANAGER
from cloud.screens.owner.screen import SCREEN as OWNER
from cloud.settings import Settings
from cloud.tickets import learning
from cloud.web import live
from cloud.web.exporting import build_due
from cloud.web.install import install
from cloud.web.live import Hub

SCREENS = (ENTRANCE, MANAGER, CONTROLROOM, FIELD, DESK, ADMIN, OWNER)
"""In the order of the menu."""

_SWEEP_S = 86_400.0
_EXPORT_S = 1.0  # somebody waits for it
_PURGE_S = 3_600.0
_LEARN_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the application is made of."""

    clock: Clock
    database: Database
    series: SeriesStore
    files: FileStore
    hub: Hub
    delivery: DeliveryLoop
    jobs: JobRunner
    channels: Channels
    mail_intake: MailIntake


def create_app(
    settings: Settings, *, clock: Clock | None = None, on_failure: Callable[[], None] = lambda: None
) -> FastAPI:
    """Return the application; its database must be migrated before it starts.

    `on_failure` is called when background work broke, after which the program should end to be started again whole.
    """

    def site() -> FastAPI:
        return app

    parts = _parts(settings, clock or SystemClock(), site)
    background = Background(_works(parts), on_failure=on_failure)
    metrics = Metrics(parts.database, parts.clock)
    app = FastAPI(openapi_url=None, lifespan=partial(_lifespan, parts, background))
    app.state.series = parts.series
    app.state.files = parts.files
    app.state.hub = parts.hub
    app.include_router(hook_router(settings, parts.mail_intake, parts.clock))
    intake = Intake(parts.database, parts.series, parts.clock)
    door = EdgeDoor(database=parts.database, clock=parts.clock, intake=intake, channels=parts.channels)
    app.include_router(door.router())
    app.include_router(
        operations(
            database=parts.database,
            metrics=metrics,
            networks=settings.metrics_networks,
            is_at_work=background.is_at_work,
        )
    )
    install(
        app,
        database=parts.database,
        clock=parts.clock,
        hub=parts.hub,
        screens=SCREENS,
        zone=settings.zone,
        may_see=wiring.FILES,
    )
    app.add_middleware(Measured, metrics=metrics)
    return app


def _parts(settings: Settings, clock: Clock, site: Callable[[], FastAPI]) -> Parts:
    series = open_series(settings.series)
    store = FileStore(settings.files)
    sweep = Job(name="files.sweep", period_s=_SWEEP_S, run=partial(files.sweep, store=store))
    hub = Hub()
    build = Job(name="exports.build", period_s=_EXPORT_S, run=partial(build_due, files=store, hub=hub, site=site))
    purge = Job(name="exports.purge", period_s=_PURGE_S, run=in_one_transaction(exports.purge))
    learn = Job(name="tickets.learn", period_s=_LEARN_S, run=partial(learning.learn_due, store=store))
    gateways = open_gateways(settings, clock)
    table = wiring.wire(series, hub, channels=gateways.keys())
    database = Database(settings.database, routes=table.routes)
    mail_intake = open_intake(settings, database, clock, store, hub)
    return Parts(
        clock=clock,
        database=database,
        series=series,
        files=store,
        hub=hub,
        delivery=DeliveryLoop(database, clock, table),
        jobs=JobRunner(
            database,
            clock,
            [
                *wiring.jobs(series, hub, gateways=gateways, base_url=settings.address),
                sweep,
                build,
                purge,
                *([learn] if learning.can_learn() else []),
                *inbox_jobs(settings, mail_intake),
            ],
        ),
        channels=Channels(database, clock, note_change=partial(_note_boxes, hub)),
        mail_intake=mail_intake,
    )


def _note_boxes(hub: Hub, session: AsyncSession, organisation_id: int) -> None:
    live.changed(session, hub, organisation_id=organisation_id, topics=("boxes",))


def _works(parts: Parts) -> dict[str, Work]:
    works: dict[str, Work] = {
        "delivery": parts.delivery.run,
        "jobs": parts.jobs.run,
        "channels": parts.channels.run,
    }
    if not parts.database.is_sqlite:
        works["news"] = partial(listen, parts.database, live.CHANNEL, parts.hub.hear)
    return works


@asynccontextmanager
async def _lifespan(parts: Parts, background: Background, _app: FastAPI) -> AsyncIterator[None]:
    try:
        await parts.series.prepare()
        async with background.running():
            yield
    finally:
        await parts.series.close()
        await parts.database.close()

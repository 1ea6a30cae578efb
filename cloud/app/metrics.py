"""The program's own figures for Prometheus."""

import time

from prometheus_client import CollectorRegistry, Gauge, Histogram, PlatformCollector, ProcessCollector, generate_latest
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud.core.clock import Clock
from cloud.core.database import Database
from cloud.core.jobs import list_runs
from cloud.core.outbox import DeliveryState, count_deliveries, count_stopped_lanes

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The figures of one process; those that stand in the database are read when they are asked for."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._requests = Histogram(
            "gatehouse_request_seconds",
            "Time to answer a request",
            ("method", "route", "status"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._deliveries = Gauge(
            "gatehouse_outbox_deliveries", "Events that a handler is still owed", ("state",), registry=self._registry
        )
        self._oldest = Gauge(
            "gatehouse_outbox_oldest_seconds", "Age of the oldest delivery that is due", registry=self._registry
        )
        self._stopped = Gauge(
            "gatehouse_outbox_stopped_lanes",
            "Subjects that stand still behind an event that was given up",
            ("handler",),
            registry=self._registry,
        )
        self._failing = Gauge("gatehouse_job_failing", "1 if its last run failed", ("job",), registry=self._registry)

    def answered(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request; `route` is the pattern of its path, never the path."""
        self._requests.labels(method, route, str(status)).observe(seconds)

    async def page(self) -> bytes:
        """Return all figures in Prometheus's text format."""
        async with self._database.reading() as session:
            await self._read(session)
        return generate_latest(self._registry)

    async def _read(self, session: AsyncSession) -> None:
        counts, oldest_due_at = await count_deliveries(session)
        for state in DeliveryState:
            self._deliveries.labels(state).set(counts.get(state, 0))
        age_s = (self._clock.now() - oldest_due_at).total_seconds() if oldest_due_at else 0.0
        self._oldest.set(max(age_s, 0.0))
        self._stopped.clear()  # a handler whose lanes all go on again is not named any more
        for handler, lanes in (await count_stopped_lanes(session)).items():
            self._stopped.labels(handler).set(lanes)
        for run in await list_runs(session):
            self._failing.labels(run.name).set(run.error is not None)


class Measured:
    """Middleware that tells the metrics of every request; streams count when they end."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and note how long its answer took and what it was."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500
        began = time.perf_counter()

        async def send_noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        finally:
            seconds = time.perf_counter() - began
            self._metrics.answered(method=scope["method"], route=_route(scope), status=status, seconds=seconds)


def _route(scope: Scope) -> str:
    return getattr(scope.get("route"), "path", "none")

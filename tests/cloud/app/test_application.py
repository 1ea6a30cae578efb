import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from cloud.app.application import create_app
from cloud.app.background import Background
from cloud.migrations.upgrading import migrate
from cloud.settings import Settings
from protocols.wire import PATH_TIME


@asynccontextmanager
async def _running(app: FastAPI, *, client: str = "127.0.0.1") -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app, client=(client, 40000))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://gatehouse.test") as browser,
    ):
        yield browser


@pytest.fixture
async def app(tmp_path: Path) -> FastAPI:
    settings = Settings(data_folder=tmp_path)
    await migrate(settings.database)
    return create_app(settings)


async def test_a_cloud_at_work_is_well(app: FastAPI) -> None:
    async with _running(app) as browser:
        answer = await browser.get("/healthz")
    assert (answer.status_code, answer.text) == (200, "well\n")


async def test_a_cloud_whose_background_work_does_not_run_is_not_well(app: FastAPI) -> None:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gatehouse.test") as browser:
        answer = await browser.get("/healthz")
    assert (answer.status_code, answer.text) == (503, "background work has stopped\n")


async def test_people_and_boxes_find_their_doors(app: FastAPI) -> None:
    async with _running(app) as browser:
        page = await browser.get("/sign-in", headers={"Accept": "text/html"})
        time = await browser.get(PATH_TIME)
    assert (page.status_code, time.status_code) == (200, 200)
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


async def test_the_figures_count_requests_by_the_pattern_of_their_path(app: FastAPI) -> None:
    async with _running(app) as browser:
        await browser.get("/sign-in?next=/tickets/17")
        await browser.get("/no/such/page")
        figures = (await browser.get("/metrics")).text
    assert 'gatehouse_request_seconds_count{method="GET",route="/sign-in",status="200"} 1.0' in figures
    assert 'gatehouse_request_seconds_count{method="GET",route="none",status="404"} 1.0' in figures
    assert 'gatehouse_outbox_deliveries{state="dead"} 0.0' in figures
    assert "gatehouse_outbox_oldest_seconds 0.0" in figures


async def test_the_figures_are_for_named_networks_only(app: FastAPI) -> None:
    async with _running(app, client="203.0.113.7") as browser:
        answer = await browser.get("/metrics")
    assert (answer.status_code, answer.text) == (403, "not from here\n")


async def _breaks() -> None:
    raise ZeroDivisionError


async def _ends() -> None:
    return


@pytest.mark.parametrize("work", [_breaks, _ends])
async def test_background_work_that_stops_is_told_to_whoever_can_end_the_program(
    work: object, caplog: pytest.LogCaptureFixture
) -> None:
    has_failed = asyncio.Event()
    background = Background({"delivery": work}, on_failure=has_failed.set)  # type: ignore[dict-item]  # one of two above
    with caplog.at_level(logging.ERROR):
        async with background.running():
            await has_failed.wait()
            await asyncio.sleep(0)
            assert not background.is_at_work()
    assert "delivery" in caplog.text
    assert "the program stops too" in caplog.text

"""The whole application on a server, for browsers."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from starlette.types import ASGIApp

from tests.cloud.screens.whole import Whole, make_whole
from tests.servers.web import WebServer, running_web


@contextmanager
def running_whole(folder: Path) -> Iterator[tuple[WebServer, Whole]]:
    """Yield a server of the application over a building in which something happened, and the building."""
    made: list[Whole] = []

    async def make() -> ASGIApp:
        made.append(await make_whole(folder))
        return made[0].app

    async def close() -> None:
        await made[0].close()

    with running_web(make, close) as server:
        yield server, made[0]

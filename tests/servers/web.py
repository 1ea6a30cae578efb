"""The cloud's pages behind a real uvicorn, in a thread with a loop of its own, on a port that the system chose."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypeVar

import uvicorn
from starlette.types import ASGIApp

Result = TypeVar("Result")

_PATIENCE_S = 90.0
"""A busy machine is slow, not wrong."""


class WebServer:
    """A running server.

    Attributes:
        url: where it listens, without a slash at its end.
    """

    def __init__(self, url: str, loop: asyncio.AbstractEventLoop) -> None:
        self.url = url
        self._loop = loop

    def call(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run `work` where the application runs, and return its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=_PATIENCE_S)


@contextmanager
def running_web(
    make: Callable[[], Awaitable[ASGIApp]], close: Callable[[], Awaitable[None]], *, at_work: bool = False
) -> Iterator[WebServer]:
    """Yield a server of the application that `make` builds in the server's loop; `at_work` runs its lifespan too.

    `close` lets go of what `make` opened, once the last request is answered: a connection that is still out when its
    pool is closed would never be.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="web server")
    thread.start()
    server = WebServer(f"http://127.0.0.1:{listener.getsockname()[1]}", loop)
    try:
        app = server.call(_done(make))
        # A stream that a browser holds open would keep the server waiting for ever.
        lifespan: Literal["on", "off"] = "on" if at_work else "off"
        config = uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1, ws="none", lifespan=lifespan)
        program = uvicorn.Server(config)
        serving = asyncio.run_coroutine_threadsafe(program.serve(sockets=[listener]), loop)
        server.call(_until_started(program))
        try:
            yield server
        finally:
            program.should_exit = True
            serving.result(timeout=_PATIENCE_S)
            server.call(_closed(close))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_PATIENCE_S)
        loop.close()
        listener.close()


async def _done(work: Callable[[], Awaitable[Result]]) -> Result:
    return await work()


async def _closed(close: Callable[[], Awaitable[None]]) -> None:
    # Streams that uvicorn cancelled are still letting go, some of them in tasks that begin only now.
    async with asyncio.timeout(_PATIENCE_S):
        while requests := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(requests)
    await close()


async def _until_started(program: uvicorn.Server) -> None:
    async with asyncio.timeout(_PATIENCE_S):
        while not program.started:  # noqa: ASYNC110  uvicorn has no event for it
            await asyncio.sleep(0.02)

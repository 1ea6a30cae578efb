"""The one thread that touches the buffer's file."""

import asyncio
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import TypeVar

_T = TypeVar("_T")


class OwnThread:
    """Runs functions one after another, apart from the event loop.

    An executor does the same with locks that cost as much time as a small commit.
    """

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        # a daemon, since what has not been promised yet needs no interpreter that waits for it
        self._thread = Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def run(self, work: Callable[[], _T]) -> asyncio.Future[_T]:
        """Return what `work` will return or raise; it runs even if nobody waits for it any more."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_T] = loop.create_future()
        self._jobs.put(partial(_do, work, future, loop))
        return future

    def stop(self) -> None:
        """End the thread after what it was given."""
        self._jobs.put(None)

    def _work(self) -> None:
        while job := self._jobs.get():
            job()


def _do(work: Callable[[], _T], future: asyncio.Future[_T], loop: asyncio.AbstractEventLoop) -> None:
    try:
        settle = partial(future.set_result, work())
    except Exception as error:  # noqa: BLE001  it is raised where the future is awaited
        settle = partial(future.set_exception, error)
    try:
        loop.call_soon_threadsafe(_settle, future, settle)
    except RuntimeError:
        return  # the loop has ended, and with it whoever waited


def _settle(future: asyncio.Future[_T], settle: Callable[[], None]) -> None:
    if not future.cancelled():
        settle()

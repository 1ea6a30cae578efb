"""What runs beside the requests, for as long as the program does."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

Work = Callable[[], Awaitable[None]]
"""Runs until it is cancelled; whatever else it does is a fault of the program."""

_log = logging.getLogger(__name__)


class Background:
    """Named work that must not stop while the program runs."""

    def __init__(self, works: Mapping[str, Work], *, on_failure: Callable[[], None]) -> None:
        self._works = works
        self._on_failure = on_failure
        self._tasks: list[asyncio.Task[None]] = []

    def is_at_work(self) -> bool:
        """Return whether all of it runs."""
        return bool(self._tasks) and not any(task.done() for task in self._tasks)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run all of it while the block does, and end with it."""
        async with asyncio.TaskGroup() as group:
            self._tasks = [group.create_task(self._guard(name, work), name=name) for name, work in self._works.items()]
            try:
                yield
            finally:
                for task in self._tasks:
                    task.cancel()

    async def _guard(self, name: str, work: Work) -> None:
        try:
            await work()
        except Exception:  # noqa: BLE001  the outermost frame of background work: logged, and told to whoever can act
            _log.exception("%s stopped: the program stops too, so that it is started again whole", name)
        else:
            _log.error("%s ended by itself: the program stops too, so that it is started again whole", name)
        self._on_failure()

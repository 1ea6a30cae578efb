"""Waits for what other tasks or processes bring about."""

import asyncio
from collections.abc import Awaitable, Callable


async def until(holds: Callable[[], Awaitable[bool]], *, timeout_s: float = 60.0, period_s: float = 0.005) -> None:
    """Return once `holds` does.

    Raises:
        TimeoutError: it never did.
    """
    async with asyncio.timeout(timeout_s):
        while not await holds():  # noqa: ASYNC110  what is waited for may happen in another process
            await asyncio.sleep(period_s)

"""Waiting for the world outside the process, which sets no event: a port, a file, another program."""

import asyncio
from collections.abc import Awaitable, Callable

from provisioning.errors import SiteError

_LOOK_EVERY_S = 0.05


async def until(
    condition: Callable[[], Awaitable[bool]], what: str, *, within_s: float | None, look_every_s: float = _LOOK_EVERY_S
) -> None:
    """Return once `condition` holds.

    Raises:
        SiteError: it did not within the time, which None makes endless; says `what` was waited for.
    """
    try:
        async with asyncio.timeout(within_s):
            while not await condition():  # noqa: ASYNC110  nobody in this process could set an event
                await asyncio.sleep(look_every_s)
    except TimeoutError:
        raise SiteError(f"waited {within_s:.0f} s in vain for {what}") from None

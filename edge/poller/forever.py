"""Loops that outlive what nobody foresaw."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import NoReturn

from edge.backoff import delays_s

_log = logging.getLogger(__name__)


async def repeat(step: Callable[[], Awaitable[None]], **ids: str) -> NoReturn:
    """Run `step` again and again; after a failure that it did not expect itself, with back-off.

    One device's fault must not stop the others, so this is where every exception ends that nobody catches before.

    Args:
        step: one round; it must wait for something.
        ids: what the log should name.
    """
    delays = delays_s()
    while True:
        try:
            await step()
        except Exception:  # noqa: BLE001  see above; it is logged with its traceback
            _log.exception("loop failed and goes on", extra=ids)
            await asyncio.sleep(next(delays))
        else:
            delays = delays_s()

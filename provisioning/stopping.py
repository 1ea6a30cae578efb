"""Ending in peace: a signal cancels the work once, and the work's own clean-up does the rest."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, a service manager, a terminal that is closed."""


async def until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Do the work until it ends or a signal asks for its end; further signals do not disturb the clean-up."""
    working = asyncio.create_task(work, name="work")
    asked = False

    def stop() -> None:
        nonlocal asked
        if not asked:
            asked = True
            working.cancel()

    for number in _SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop)
    try:
        await working
    except asyncio.CancelledError:
        if not asked:
            raise

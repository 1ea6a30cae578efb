"""What the tests of uploads share: impatience, rows, and ways to wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from edge.buffer.buffer import Buffer
from edge.buffer.rows import Row
from edge.clock import SystemClock
from edge.sync.channel import Channel
from edge.sync.persistence import Patience
from edge.sync.uploader import Uploader
from protocols import wire
from protocols.readings import RowClass

PATIENCE = Patience(start_jitter_s=0, first_s=0.05, longest_s=0.2, refused_s=0.2)

DEVICES = [
    wire.DeviceInfo(
        key="meter",
        profile="sdm120",
        name="表",
        points=[wire.PointInfo(key="meter/energy", unit="kW.h", row_class="register", kind="counter", period_s=1.0)],
    )
]


def rows(count: int, *, first: int = 0, point: str = "meter/energy") -> list[Row]:
    """Make rows whose values count on from `first`."""
    now_us = SystemClock().monotonic_us()
    return [Row(point, RowClass.REGISTER, float(first + at), 0, now_us + at, None) for at in range(count)]


def counted(count: int) -> list[float]:
    return [float(at) for at in range(count)]


@asynccontextmanager
async def at_work(worker: Uploader | Channel) -> AsyncIterator[None]:
    """Let it run until the block ends; it must not end before."""
    task = asyncio.create_task(worker.run(), name="at work")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()


async def everything_held(buffer: Buffer, *, timeout_s: float = 60) -> None:
    """Wait until the box knows that the cloud holds all."""
    async with asyncio.timeout(timeout_s):
        while (await buffer.statistics()).unsent_rows:  # noqa: ASYNC110  the buffer tells nobody of it
            await asyncio.sleep(0.01)

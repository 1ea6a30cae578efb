"""Readings on their way to the cloud: what is new at once, the backlog beside it at a bounded rate."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from edge.buffer.buffer import Buffer
from edge.buffer.store import Drawn, Flow
from edge.errors import CloudRefused, CloudUnreachable
from edge.sync.cloud import TOO_LARGE, Cloud
from edge.sync.persistence import Patience, Persistence
from protocols import wire

log = logging.getLogger(__name__)

BACKLOG_LOOK_S = 5.0
"""Between two looks for a backlog when there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How readings leave."""

    flush_s: float = 5.0
    """Between live batches; watched points don't wait for it. Shorter than the buffer's Bounds.live_s."""
    backlog_rows_per_s: float = 2_000.0
    """At most, so that the site's line stays usable."""
    batch_rows: int = wire.MAXIMUM_ROWS


class Uploader:
    """Sends the buffer's rows for as long as it runs; nothing that the cloud does ends it."""

    def __init__(
        self,
        buffer: Buffer,
        cloud: Cloud,
        *,
        devices: Sequence[wire.DeviceInfo],
        watch_points: Callable[[Sequence[str]], Awaitable[None]],
        pace: Pace,
        patience: Patience,
        rng: random.Random | None = None,
    ) -> None:
        """Send the rows of `buffer` to `cloud`.

        Args:
            buffer: The box's buffer.
            cloud: The cloud.
            devices: The inventory, sent before the first batch and after each outage.
            watch_points: Takes the watched points of the inventory's answer (Configuration.watch_points).
            pace: How readings leave.
            patience: How long to wait after failures.
            rng: Where jitter comes from.
        """
        self._buffer = buffer
        self._cloud = cloud
        self._devices = list(devices)
        self._watch_points = watch_points
        self._pace = pace
        self._persistence = Persistence("upload", patience=patience, rng=rng or random.Random())  # noqa: S311  jitter
        self._batch_rows = pace.batch_rows
        self._introduced = False
        self._told: set[tuple[str, str]] = set()

    @property
    def online(self) -> bool:
        """Whether the cloud took what was last sent."""
        return self._introduced and not self._persistence.is_down

    async def run(self) -> None:
        """Upload for ever; end it by cancelling."""
        await self._persistence.keep(self._session)

    async def _session(self) -> None:
        """Send until something goes wrong.

        Raises:
            ExceptionGroup: of CloudErrors, as Cloud says, or of BufferUnusable.
        """
        self._batch_rows = self._pace.batch_rows
        await self._buffer.release_all()
        try:
            await self._introduce()
            async with asyncio.TaskGroup() as flows:
                flows.create_task(self._send_live(), name="upload-live")
                flows.create_task(self._send_backlog(), name="upload-backlog")
        except* (CloudUnreachable, CloudRefused):
            self._introduced = False  # a cloud that was away may have been restored, and know less
            raise

    async def _introduce(self) -> None:
        if not self._introduced:
            taken = await self._cloud.put_inventory(self._devices)
            await self._watch_points(taken.watched)
            self._introduced = True

    async def _send_live(self) -> None:
        """Send what is new, all that there is, whenever a watched point has news or the time has come."""
        while True:
            while drawn := await self._buffer.draw(Flow.LIVE, max_rows=self._batch_rows):
                await self._deliver(drawn)
                if len(drawn.batch.rows.point) < self._batch_rows:
                    break  # what came in meanwhile waits for the rest of its flush
            try:
                async with asyncio.timeout(self._pace.flush_s):
                    await self._buffer.watched_committed.wait()
            except TimeoutError:
                pass
            self._buffer.watched_committed.clear()

    async def _send_backlog(self) -> None:
        """Send what is old, in order; pause as long as its share of the rate asks, and as long as the sending took."""
        loop = asyncio.get_running_loop()
        rate = self._pace.backlog_rows_per_s
        while True:
            drawn = await self._buffer.draw(Flow.BACKLOG, max_rows=min(self._batch_rows, max(1, int(rate))))
            if drawn is None:
                await asyncio.sleep(min(self._pace.flush_s, BACKLOG_LOOK_S))
                continue
            begun_s = loop.time()
            await self._deliver(drawn)
            took_s = loop.time() - begun_s
            await asyncio.sleep(max(len(drawn.batch.rows.point) / rate - took_s, took_s))

    async def _deliver(self, drawn: Drawn) -> None:
        """Send one batch and take the answer; a batch that was too large goes back and smaller ones follow."""
        batch = drawn.batch
        log.debug("batch sent: rows %s of store %s", batch.rows.ranges, batch.store)
        try:
            taken = await self._cloud.post_batch(batch)
        except CloudRefused as error:
            rows = len(batch.rows.point)
            if error.code != TOO_LARGE or rows <= 1:
                raise
            self._batch_rows = rows // 2
            log.warning("a batch of %s rows is too large for the cloud: on with %s", rows, self._batch_rows)
            await self._buffer.release(drawn)
            return
        log.debug("batch answered: rows %s of store %s", batch.rows.ranges, batch.store)
        await self._buffer.settle(drawn, held=taken.held)
        self._say_set_aside(batch.rows, taken.set_aside)
        self._persistence.worked()

    def _say_set_aside(self, rows: wire.Rows, set_aside: Sequence[wire.SetAside]) -> None:
        """Log each reason once a point."""
        if not set_aside:
            return
        seqs = [seq for first, last in rows.ranges for seq in range(first, last + 1)]
        points = dict(zip(seqs, rows.point, strict=True))
        for one in set_aside:
            point = rows.points[points[one.seq]] if one.seq in points else "an earlier batch"
            if (one.reason, point) not in self._told:
                self._told.add((one.reason, point))
                log.warning("the cloud set row %s of %s aside: %s", one.seq, point, one.reason)

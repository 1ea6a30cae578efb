"""Carries events to who hears them: one transaction per delivery, its handler's work and its end together."""

import asyncio
import logging
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.clock import Clock
from cloud.core.database import Database
from cloud.core.errors import first_line
from cloud.core.lanes import MAXIMUM_ATTEMPTS, STEPPED_BACK_AT_ONCE, Claimed, claim, put_off, settle, step_back
from cloud.core.outbox import CHANNEL, DeliveryState
from cloud.core.postgresql import listen
from cloud.core.wiring import Wiring

_HANDLER_TIMEOUT_S = 30.0  # a handler makes no network call: one that takes this long must not keep its worker
_POLL_S = 2.0  # finds what no wake-up told of: tries that are due again, and notifications that were lost
_WORKERS = 4

_log = logging.getLogger(__name__)


class DeliveryLoop:
    """Delivers until it is cancelled; several processes may run one each on the same PostgreSQL.

    A cancelled delivery is undone as a whole and found again by the next loop.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        wiring: Wiring,
        *,
        poll_s: float = _POLL_S,
        handler_timeout_s: float = _HANDLER_TIMEOUT_S,
    ) -> None:
        self._database = database
        self._clock = clock
        self._wiring = wiring
        self._poll_s = poll_s
        self._handler_timeout_s = handler_timeout_s
        self._wakeups: asyncio.Queue[None] = asyncio.Queue(maxsize=1)
        self._is_down = False
        database.on_emitted(self.wake)

    def wake(self) -> None:
        """Have one idle worker look for what is due."""
        if not self._wakeups.full():
            self._wakeups.put_nowait(None)

    async def run(self) -> None:
        """Deliver what is due, at once when it was emitted here or elsewhere, until cancelled."""
        workers = 1 if self._database.is_sqlite else _WORKERS  # SQLite's one writer does one at a time anyway
        async with asyncio.TaskGroup() as group:
            for number in range(workers):
                group.create_task(self._work(), name=f"outbox-worker-{number}")
            group.create_task(self._poll(), name="outbox-poll")
            if not self._database.is_sqlite:
                group.create_task(listen(self._database, CHANNEL, self._hear), name="outbox-listen")

    async def deliver_due(self) -> int:
        """Deliver all that is due now, one after the other; return how many deliveries were tried."""
        tried = 0
        while await self._deliver_next():
            tried += 1
        return tried

    def _hear(self, _text: str) -> None:
        self.wake()

    async def _work(self) -> None:
        while True:
            await self._wakeups.get()
            try:
                claimed = await self._deliver_next()
                while claimed is not None and claimed.has_company:
                    claimed = await self._deliver_next()
                self._note_up()
            except Exception:  # noqa: BLE001  the outermost loop: logged once with its traceback, and kept alive
                self._note_down()

    async def _poll(self) -> None:
        while True:
            self.wake()
            await asyncio.sleep(self._poll_s)
            try:
                while await self._step_back() == STEPPED_BACK_AT_ONCE:
                    pass
            except Exception:  # noqa: BLE001  the outermost loop: logged once with its traceback, and kept alive
                self._note_down()

    async def _step_back(self) -> int:
        async with self._database.transaction() as session:
            return await step_back(session, due_before=self._clock.now() - timedelta(seconds=self._poll_s))

    async def _deliver_next(self) -> Claimed | None:
        """Carry out the delivery that is next, well or badly; None when none is due."""
        claimed: Claimed | None = None
        try:
            async with self._database.transaction() as session:
                claimed = await claim(session, now=self._clock.now())
                if claimed is None:
                    return None
                if claimed.has_company:
                    self.wake()  # for an idle worker, while this one is at work
                await self._carry_out(session, claimed)
                has_woken = await settle(session, claimed, now=self._clock.now())
        except Exception as error:
            if claimed is None:
                raise
            _log.exception("delivery %s of %s to %s failed", claimed.id, claimed.kind, claimed.handler)
            await self._put_off(claimed, error)
        else:
            _log.debug("event delivered: %s %s to %s", claimed.kind, claimed.id, claimed.handler)
            if has_woken:
                self.wake()
        return claimed

    async def _carry_out(self, session: AsyncSession, claimed: Claimed) -> None:
        handler = self._wiring.handler(claimed.kind, claimed.handler)
        event = self._wiring.decode(claimed.kind, claimed.payload)
        async with asyncio.timeout(self._handler_timeout_s):
            await handler(session, self._clock, event)

    async def _put_off(self, claimed: Claimed, error: Exception) -> None:
        async with self._database.transaction() as session:
            state = await put_off(session, claimed, error=first_line(error), now=self._clock.now())
        if state is DeliveryState.DEAD:
            _log.error(
                "delivery %s is a dead letter after %s tries: %s waits", claimed.id, MAXIMUM_ATTEMPTS, claimed.subject
            )

    def _note_down(self) -> None:
        if not self._is_down:
            _log.exception("the outbox can't be read; trying again every %s s", self._poll_s)
        self._is_down = True

    def _note_up(self) -> None:
        if self._is_down:
            _log.info("the outbox can be read again")
        self._is_down = False

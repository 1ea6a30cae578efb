"""Whether a device gives values: a fact of its own, because silence leaves no reading behind."""

import logging

from edge.buffer.buffer import Buffer
from edge.buffer.rows import Row
from edge.clock import Clock
from edge.drivers.driver import ONLINE
from edge.errors import BufferFull, DeviceError
from protocols.readings import Quality, RowClass

_log = logging.getLogger(__name__)


class Presence:
    """Says once when a device falls silent and once when it is back, in the log and as a reading."""

    def __init__(self, device: str, *, buffer: Buffer, clock: Clock) -> None:
        self.device = device
        self._buffer = buffer
        self._clock = clock
        self._said: bool | None = None
        """None until the device was heard or missed for the first time."""
        self._written: bool | None = None

    async def there(self) -> None:
        """Note that the device gave values."""
        if self._said is not True:
            level = logging.DEBUG if self._said is None else logging.INFO
            _log.log(level, "device gives values", extra={"device": self.device})
        await self._note(online=True)

    async def missing(self, reason: DeviceError) -> None:
        """Note that the device gives no values."""
        if self._said is not False:
            _log.warning("device gives no values: %s", reason, extra={"device": self.device})
        await self._note(online=False)

    async def _note(self, *, online: bool) -> None:
        self._said = online
        if self._written is not online:
            key, at_us = f"{self.device}/{ONLINE}", self._clock.monotonic_us()
            try:
                await self._buffer.append([Row(key, RowClass.EVENT, float(online), Quality.GOOD, at_us, None)])
            except BufferFull:
                return  # the buffer has said so; it is written when there is room again
            self._written = online

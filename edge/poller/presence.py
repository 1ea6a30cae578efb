"""Whether a device gives values: a fact of its own, because silence leaves no reading behind."""

import logging

from edge.buffer.buffer import Buffer
from edge.buffer.rows import Row
from edge.clock import Clock
from edge.drivers.driver import ONLINE
from edge.errors import DeviceError
from protocols.readings import Quality, RowClass

_log = logging.getLogger(__name__)


class Presence:
    """Says once when a device falls silent and once when it is back, in the log and as a reading."""

    def __init__(self, device: str, *, buffer: Buffer, clock: Clock) -> None:
        self.device = device
        self._buffer = buffer
        self._clock = clock
        self._online: bool | None = None
        """None until the device was heard or missed for the first time."""

    async def there(self) -> None:
        """Note that the device gave values.

        Raises:
            BufferFull: the disk took no more; it is noted again next time.
        """
        if self._online is not True:
            was_silent = self._online is False
            await self._write(online=True)
            level = logging.INFO if was_silent else logging.DEBUG
            _log.log(level, "device gives values", extra={"device": self.device})

    async def missing(self, reason: DeviceError) -> None:
        """Note that the device gives no values.

        Raises:
            BufferFull: as above.
        """
        if self._online is not False:
            await self._write(online=False)
            _log.warning("device gives no values: %s", reason, extra={"device": self.device})

    async def _write(self, *, online: bool) -> None:
        key, at_us = f"{self.device}/{ONLINE}", self._clock.monotonic_us()
        await self._buffer.append([Row(key, RowClass.EVENT, float(online), Quality.GOOD, at_us, None)])
        self._online = online

"""A device that shows one row of a recording until the reading of it is confirmed, and then the next."""

import asyncio
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Generic

from provisioning.practice.modbus import Answer
from provisioning.practice.recordings.electricity import MeterHour
from provisioning.practice.recordings.temperature import Temperature
from provisioning.practice.replay import Hold, ReplayClock, Row

Values = dict[str, Decimal | float]


class RecordedDevice(Generic[Row]):
    """A device that never goes on before its last row is safe: a box may die between reading and committing.

    A box asks again only after what it read is committed, so a read is confirmed by the next question over the same
    connection; a new connection proves nothing and is shown the same row. The device's clock is the replay's: it shows
    the row's stamp beside its values.
    """

    def __init__(self, values: Callable[[Row], Values]) -> None:
        self._values = values
        self._replay: ReplayClock | None = None
        self._shown: Row | None = None
        self._next: Row | None = None
        self._read = False
        """Whether the shown row was read over the present connection."""
        self._gone_on = asyncio.Event()
        self._confirmed = asyncio.Event()

    def connected(self) -> None:
        """Note a new connection: whoever read the shown row may have died before it was safe."""
        self._read = False

    def answer(self) -> Answer | None:
        """Return values and time of the row to show, the next one once the last is confirmed; None before the first."""
        if self._read:
            self._confirmed.set()
        if self._next is not None and (self._read or self._shown is None):
            self._shown, self._next = self._next, None
            self._confirmed.clear()
            self._gone_on.set()
        if self._shown is None or self._replay is None:
            return None
        self._read = True
        return Answer(values=self._values(self._shown), at=self._replay.stamp(self._shown.at))

    async def play(
        self,
        rows: Sequence[Row],
        replay: ReplayClock,
        *,
        kept: int = 0,
        hold: Hold | None = None,
        on_kept: Callable[[int], None] = lambda _kept: None,
    ) -> None:
        """Show each row when it is due; return when the last is confirmed.

        Args:
            rows: the recording.
            replay: its clock.
            kept: rows that were confirmed in an earlier life; the last of them is shown first.
            hold: may keep a row back that is due.
            on_kept: told how many rows are confirmed, each time that one is.
        """
        self._replay = replay
        self._shown = rows[kept - 1] if kept else None
        async for row in replay.rows(rows[kept:], hold=hold):
            self._gone_on.clear()
            self._next = row
            await self._gone_on.wait()
            on_kept(kept)
            kept += 1
        await self._confirmed.wait()
        on_kept(kept)


def meter_values(hour: MeterHour) -> Values:
    """Return what the practice hourly meter shows."""
    return {"energy_import": Decimal(hour.register_hundredths) / 100}


def probe_values(row: Temperature) -> Values:
    """Return what the practice office probe shows."""
    return {"temperature": row.degf}

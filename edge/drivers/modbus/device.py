"""A device read over a Modbus line as its profile plans it."""

import struct
from collections.abc import Sequence
from typing import NamedTuple

from edge.drivers.modbus.line import Line, Question
from edge.errors import DeviceRefused
from edge.settings.sections import ModbusSettings
from protocols.errors import AnswerRefused
from protocols.modbus.planning import Read
from protocols.profiles.codecs import plan_reads
from protocols.profiles.schema import ModbusTransport, Profile
from protocols.readings import Decoded


class ReadPlans:
    """The reads of one device model, worked out once for all devices of it."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._plans: dict[tuple[str, ...], list[Read]] = {}
        self.pause_s = (profile.modbus or ModbusTransport()).limits.pause_s
        """Silence that the model wants after an answer."""

    def of(self, points: Sequence[str]) -> list[Read]:
        """Return the reads that fetch `points`."""
        key = tuple(points)
        if key not in self._plans:
            self._plans[key] = plan_reads(self._profile, key)
        return self._plans[key]


class Exchange(NamedTuple):
    """A question and its answer."""

    question: Question
    data: bytes
    values: list[Decoded]


class ModbusDevice:
    """One unit on a line."""

    def __init__(self, line: Line, settings: ModbusSettings, plans: ReadPlans) -> None:
        self._line = line
        self._unit = settings.unit
        self._timeout_s = settings.timeout_s
        self._plans = plans

    async def read(self, points: Sequence[str]) -> list[Decoded]:
        """Return the values of `points`, as PolledDriver says; neighbouring registers come in one answer."""
        values: list[Decoded] = []
        for read in self._plans.of(points):
            values += (await self._ask(read)).values
        return values

    async def exchanges(self, points: Sequence[str]) -> list[Exchange]:
        """Return all that is said when `points` are read; raises as `read` does."""
        return [await self._ask(read) for read in self._plans.of(points)]

    async def _ask(self, read: Read) -> Exchange:
        question = Question(self._unit, read.function, read.address, read.count)
        data = await self._line.ask(question, timeout_s=self._timeout_s, pause_s=self._plans.pause_s)
        try:
            return Exchange(question, data, read.decoder.decode(_numbers(read, data)))
        except AnswerRefused as error:
            raise DeviceRefused(f"{self._line}: {question}: {error}; heard {data.hex(' ')}") from error


def _numbers(read: Read, data: bytes) -> Sequence[int]:
    if read.function.reads_bits:
        return [byte >> bit & 1 for byte in data for bit in range(8)]
    return struct.unpack(f">{read.count}H", data)

"""Modbus TCP servers whose registers are laid out by the device's own profile: a new model needs no Python here."""

from asyncio import Server
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import cast

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from cloud.core.clock import to_us
from protocols.modbus.declarations import BlockLimits, Function
from protocols.profiles.schema import Profile
from provisioning.practice.ports import LOOPBACK
from provisioning.practice.registers import Registers, encode, encode_clock, encode_identity

_UNIT_PLACE = 6
"""The unit id in a Modbus TCP frame: after transaction, protocol and length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a device shows when it is asked."""

    values: Mapping[str, Decimal | float]
    """By point, for every point of the profile."""
    at: datetime | None = None
    """Its own clock, where it has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeDevice:
    """A device on a Modbus line."""

    profile: Profile
    unit: int
    ask: Callable[[], Answer | None]
    """Called once for each request; None: the device is busy, and says so."""
    connected: Callable[[], None] = lambda: None
    """Called for each new connection to its line."""
    serial: int = 10_000_000
    """What it gives as its serial number, and for every other thing that its profile lets it say of itself."""


@asynccontextmanager
async def serving(devices: Sequence[PracticeDevice], *, port: int = 0) -> AsyncIterator[int]:
    """Yield the TCP port of a line with these devices; it answers until the block ends.

    A unit id that no device has gets no answer, as on a real line; the library would answer for it.
    """
    units = {device.unit for device in devices}

    def mute(sending: bool, data: bytes) -> bytes:  # noqa: FBT001  the signature is the library's
        return b"" if sending and data and data[_UNIT_PLACE] not in units else data

    def note_connection(connected: bool) -> None:  # noqa: FBT001  the signature is the library's
        for device in devices:
            if connected:
                device.connected()

    server = ModbusTcpServer(
        [_simulated(device) for device in devices],
        address=(LOOPBACK, port),
        trace_packet=mute,
        trace_connect=note_connection,
    )
    await server.serve_forever(background=True)
    listening = cast(Server, server.transport)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]  # because the library annotates it not


def _simulated(device: PracticeDevice) -> SimDevice:
    if any(point.modbus and point.modbus.function.reads_bits for point in device.profile.points):
        raise ValueError(f"profile {device.profile.key}: the practice building has no device with coils")

    async def answer(
        function_code: int,
        start_address: int,
        address: int,
        count: int,
        registers: list[int],
        set_values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        if set_values is not None:
            return ExcCodes.ILLEGAL_FUNCTION
        shown = device.ask()
        if shown is None:
            return ExcCodes.DEVICE_BUSY
        asked = range(address, address + count)
        for place, word in _image(device, shown, function=Function(function_code), asked=asked).items():
            registers[place - start_address] = word
        return None

    coils = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
    holding = _table(device.profile, Function.READ_HOLDING_REGISTERS)
    inputs = _table(device.profile, Function.READ_INPUT_REGISTERS)
    return SimDevice(id=device.unit, simdata=(coils, list(coils), holding, inputs), action=answer)


def _table(profile: Profile, function: Function) -> list[SimData]:
    """Return what may be read: from the lowest to the highest declared address, without what the profile forbids."""
    spans = _spans(profile, function)
    if not spans:
        return [SimData(0, datatype=DataType.INVALID)]
    limits = profile.modbus.limits if profile.modbus else BlockLimits()
    forbidden = {
        address
        for each in limits.forbidden
        if each.function == function
        for address in range(each.first, each.last + 1)
    }
    return [
        SimData(address, datatype=DataType.INVALID if address in forbidden else DataType.REGISTERS)
        for address in range(min(span.start for span in spans), max(span.stop for span in spans))
    ]


def _spans(profile: Profile, function: Function) -> list[range]:
    points = [point.modbus for point in profile.points if point.modbus and point.modbus.function == function]
    spans = [range(at.address, at.last + 1) for at in points]
    spans += [
        range(field.modbus.address, field.modbus.address + field.modbus.width)
        for field in profile.identity
        if field.modbus.function == function
    ]
    clock = profile.modbus.clock if profile.modbus else None
    if clock and clock.function == function:
        spans.append(range(clock.address, clock.last + 1))
    return spans


def _image(device: PracticeDevice, shown: Answer, *, function: Function, asked: range) -> Registers:
    """Return the registers of all that lies in the asked addresses, whole numbers only."""
    profile = device.profile
    image: Registers = {}
    for point in profile.points:
        if point.modbus and point.modbus.function == function and point.modbus.address in asked:
            image |= encode(point.modbus, shown.values[point.name])
    for field in profile.identity:
        if field.modbus.function == function and field.modbus.address in asked:
            image |= encode_identity(field.modbus, device.serial)
    clock = profile.modbus.clock if profile.modbus else None
    if clock and clock.function == function and clock.address in asked and shown.at is not None:
        image |= encode_clock(clock, to_us(shown.at))
    return image

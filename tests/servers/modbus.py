"""Modbus TCP servers of the tests' own: real ones, and faulty devices that say byte by byte what a test wants."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

FaultyAnswer = Callable[[bytes], Awaitable[Sequence[bytes]]]
"""From a request's bytes to the pieces that are sent back, each in a packet of its own."""


def device(unit: int, registers: Sequence[int], *, bits: Sequence[bool] = (False,) * 16) -> SimDevice:
    """Return a unit whose holding and input registers from 0 on are `registers`, its coils and inputs `bits`."""
    held = SimData(0, values=list(registers), datatype=DataType.REGISTERS)
    flags = SimData(0, values=list(bits), datatype=DataType.BITS)
    return SimDevice(id=unit, simdata=([flags], [flags], [held], [held]))


@asynccontextmanager
async def modbus_server(
    *devices: SimDevice, silent: Collection[int] = (), port: int = 0
) -> AsyncIterator[tuple[int, "Traffic"]]:
    """Yield the port of a real server, and what it was asked.

    Args:
        devices: its units.
        silent: units that do not answer, as on a real bus; the server alone would answer an exception for them.
        port: where to listen; 0 lets the system choose.
    """
    traffic = Traffic(silent)
    server = ModbusTcpServer(list(devices), address=("127.0.0.1", port), trace_packet=traffic.pass_on)
    await server.serve_forever(background=True)
    try:
        yield server.transport.sockets[0].getsockname()[1], traffic
    finally:
        await server.shutdown()


class Traffic:
    """Requests by unit, in order, and when each came (monotonic); a test may silence units while it runs."""

    def __init__(self, silent: Collection[int]) -> None:
        self.silent = set(silent)
        self.asked: list[int] = []
        self.asked_at_s: list[float] = []

    def pass_on(self, sending: bool, data: bytes) -> bytes:
        """Note a request; swallow the answer of a silent unit."""
        if not sending:
            self.asked.append(data[6])
            self.asked_at_s.append(time.monotonic())
        return b"" if sending and data and data[6] in self.silent else data


@asynccontextmanager
async def faulty_device(answer: FaultyAnswer) -> AsyncIterator[int]:
    """Yield the port of a device that answers each request with what `answer` returns, and closes on EOFError."""
    connections: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        try:
            while request := await reader.read(260):
                for piece in await answer(request):
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0.01)  # a packet of its own
        except (EOFError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in connections:
            writer.close()
        await server.wait_closed()


def frame(transaction: int, unit: int, pdu: bytes) -> bytes:
    """Return a Modbus TCP frame."""
    return transaction.to_bytes(2) + b"\0\0" + (len(pdu) + 1).to_bytes(2) + bytes([unit]) + pdu

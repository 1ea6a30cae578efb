"""Electricity meters that cost next to nothing: every answer is made beforehand, so that the box is what is measured.

Run as a program: `python -m tests.benchmarks.meters REGISTERS` prints its port and serves until it is ended.
"""

import asyncio
import struct
import sys


class _Meter(asyncio.Protocol):
    """Answers function 4 with as many registers as are asked for, out of one row of float32 values."""

    registers = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        for at in range(0, len(data), 12):
            address, count = struct.unpack_from(">HH", data, at + 8)
            held = self.registers[2 * address : 2 * (address + count)]
            head = struct.pack(
                ">HHHBBB", int.from_bytes(data[at : at + 2]), 0, 3 + len(held), data[at + 6], 4, len(held)
            )
            self._transport.write(head + held)


async def serve(registers: int) -> None:
    """Serve on every loopback address, on a free port that is printed."""
    _Meter.registers = struct.pack(f">{registers // 2}f", *(230.0 + index for index in range(registers // 2)))
    server = await asyncio.get_running_loop().create_server(_Meter, "0.0.0.0", 0, backlog=1_024)  # noqa: S104  127.x.y.z each is a meter
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))

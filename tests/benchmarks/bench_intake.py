"""F4: readings through the whole intake: token, decode, ranges, latest values, watched readings, series durable."""

import asyncio
import json
import math
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from protocols.wire import PATH_BATCHES, WIRE_VERSION, Batch, Rows
from tests.benchmarks.figures import RUNS, Figure
from tests.cloud.fleet.boxes import token

FIGURES = ("F4",)

BOXES = 50
POINTS = 100
CONNECTIONS = 16
_HEAD = (
    "POST {path} HTTP/1.1\r\nHost: cloud\r\nAuthorization: Bearer {token}\r\n"
    "Content-Type: application/msgpack\r\nContent-Length: {length}\r\n\r\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one run of the load measured."""

    rows: int
    seconds: float
    latencies_ms: list[float]
    cpu_s: float
    peak_kib: int
    series_bytes: int

    @property
    def rows_per_s(self) -> float:
        return self.rows / self.seconds

    def percentile_ms(self, share: float) -> float:
        ordered = sorted(self.latencies_ms)
        return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


class _Box:
    """A box that always has more to send."""

    def __init__(self, box_id: int, key: str, rng: random.Random) -> None:
        private = load_pem_private_key(key.encode(), password=None)
        self.token = token(private, box_id, time.time())  # noqa: TID251  a box's own clock
        self.store = f"{rng.getrandbits(128):032x}"
        self.head = 0
        self._rng = rng
        self._time_us = int(time.time() * 1_000_000) - 3_600_000_000  # noqa: TID251  an hour of backlog

    def next_request(self, rows: int) -> bytes:
        """Return a request with a batch that no request before it held."""
        sweeps = -(-rows // POINTS)
        points = [place % POINTS for place in range(rows)]
        times = [self._time_us + place // POINTS * 1_000_000 for place in range(rows)]
        self._time_us += sweeps * 1_000_000
        columns = Rows(
            ranges=[(self.head + 1, self.head + rows)],
            points=[f"m/p{point}" for point in range(POINTS)],
            point=points,
            time_us=times,
            value=[round(230 + self._rng.gauss(0, 1), 2) for _ in range(rows)],
        )
        self.head += rows
        batch = Batch(v=WIRE_VERSION, store=self.store, rows=columns, head=self.head, pending=0)
        body = msgspec.msgpack.encode(batch)
        return _HEAD.format(path=PATH_BATCHES, token=self.token, length=len(body)).encode() + body


async def _send(port: int, requests: list[bytes], latencies_ms: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in requests:
        begun = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError((head + await reader.read(4_000)).decode(errors="replace"))
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        latencies_ms.append((time.perf_counter() - begun) * 1_000)
    writer.close()
    await writer.wait_closed()


async def _load(port: int, boxes: list[_Box], *, rows: int, batches: int) -> tuple[float, list[float]]:
    """Send batches over CONNECTIONS connections, each box's own in their order; return seconds and latencies."""
    requests: list[list[bytes]] = [[] for _ in range(CONNECTIONS)]
    for number in range(batches):
        place = number % len(boxes)
        requests[place % CONNECTIONS].append(boxes[place].next_request(rows))
    latencies_ms: list[float] = []
    begun = time.perf_counter()
    await asyncio.gather(*(_send(port, part, latencies_ms) for part in requests))
    return time.perf_counter() - begun, latencies_ms


@contextmanager
def _server(folder: Path, database_url: str, series_url: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    module = ["-m", "tests.benchmarks.intake_server"]
    command = [sys.executable, *module, str(folder), database_url, series_url, str(BOXES), str(POINTS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield server, int(server.stdout.readline())
        finally:
            server.terminate()


def measure(database_url: str, series_url: str, folder: Path, *, rows: int, batches: int) -> Load:
    """Return what intake does with `batches` batches of `rows` readings."""
    with _server(folder, database_url, series_url) as (server, port):
        rng = random.Random(rows)
        made = json.loads((folder / "boxes.json").read_text())
        boxes = [_Box(box["box_id"], box["key"], rng) for box in made]
        asyncio.run(_load(port, boxes, rows=rows, batches=2 * BOXES))
        seconds, latencies_ms = asyncio.run(_load(port, boxes, rows=rows, batches=batches))
        server.terminate()
        cpu_s, peak_kib = server.stdout.read().split()
    series = sum(file.stat().st_size for file in folder.glob("series.db*"))
    return Load(
        rows=rows * batches,
        seconds=seconds,
        latencies_ms=latencies_ms,
        cpu_s=float(cpu_s),
        peak_kib=int(peak_kib),
        series_bytes=series,
    )


def run() -> Iterator[Figure]:
    """Yield what one process takes in, on SQLite, in large and in small batches."""
    for rows, batches, goal, limit in ((1_000, 1_500, "150,000", "250"), (50, 5_000, "25,000", "100")):
        loads = [_measured(rows, batches) for _ in range(RUNS)]
        text = f"intake, {rows} readings a request, SQLite, one process"
        every = [load.rows + 2 * BOXES * rows for load in loads]
        cpu_us = [load.cpu_s / count * 1e6 for load, count in zip(loads, every, strict=True)]
        size = [load.series_bytes / count for load, count in zip(loads, every, strict=True)]
        p99_ms = [load.percentile_ms(0.99) for load in loads]
        rates = [load.rows_per_s for load in loads]
        yield Figure(id="F4", text=text, runs=rates, unit="readings/s", goal=goal, known="a bare prototype 174,000")
        yield Figure(id="F4", text=f"{text}, p99", runs=p99_ms, unit="ms", goal=limit)
        yield Figure(id="F4", text=f"{text}, CPU", runs=cpu_us, unit="us/reading", goal="less", known="prototype 3.7")
        yield Figure(id="F4", text=f"{text}, on disk", runs=size, unit="bytes/reading", goal="6", known="prototype 28")


def _measured(rows: int, batches: int) -> Load:
    with TemporaryDirectory(prefix="gatehouse-intake-") as name:
        folder = Path(name)
        database, series = (f"sqlite+aiosqlite:///{folder / file}" for file in ("gatehouse.db", "series.db"))
        return measure(database, series, folder, rows=rows, batches=batches)

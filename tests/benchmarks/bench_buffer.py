"""F3: the buffer's rate beside raw SQLite's, what it writes to the disk, and how its cost grows with what it holds."""

import asyncio
import random
import re
import sqlite3
import struct
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from edge.buffer.buffer import Buffer
from edge.buffer.rows import Row
from edge.buffer.store import Bounds, Flow, Store
from edge.clock import SystemClock
from protocols.readings import RowClass
from tests.benchmarks.figures import RUNS, Figure

FIGURES = ("F3",)

GROUPS = {10: 500, 100: 300, 1_000: 100}
"""Rows in a commit, and commits in a run."""

KNOWN = {10: "66,000/s", 100: "399,000/s", 1_000: "956,000/s"}
HELD = (10_000, 100_000, 1_000_000, 10_000_000)
METERS = 20
VALUES = 34
DISK = Path("/var/tmp")  # noqa: S108  on a disk where /tmp may be memory; only folders of its own are made in it

_BOUNDS = Bounds(max_bytes=1 << 40, live_s=0)
_clock = SystemClock()


def run() -> Iterator[Figure]:
    """Measure and yield the figures."""
    for rows, commits in GROUPS.items():
        yield from _rate(rows, commits)
    yield _drained()
    yield _pause()
    yield from (_written(meters) for meters in (METERS, 10 * METERS))
    yield from _growth()


def _rate(rows: int, commits: int) -> Iterator[Figure]:
    """Take turns with raw SQLite, so that both meet the same disk."""
    ours, raw = [], []
    with _folder() as folder:
        for at in range(RUNS + 2):
            raw.append(rows * commits / _raw_s(folder / f"raw-{at}.db", rows, commits))
            ours.append(rows * commits / asyncio.run(_append_s(folder / f"buffer-{at}.db", rows, commits)))
    yield Figure(
        id="F3",
        text=f"appended durably, {rows} readings an append",
        runs=ours,
        unit="readings/s",
        goal="half of raw SQLite",
        known=f"{median(raw):,.0f}/s raw SQLite FULL in the same run, {KNOWN[rows]} recorded",
    )
    yield Figure(
        id="F3",
        text=f"beside raw SQLite, {rows} readings an append",
        runs=[100 * mine / other for mine, other in zip(ours, raw, strict=True)],
        unit="%",
        goal="50 and more",
    )


def _raw_s(file: Path, rows: int, commits: int) -> float:
    """Return the seconds that SQLite takes to commit rows in a table of their own, as plainly as Python can."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(
            "CREATE TABLE r (seq INTEGER PRIMARY KEY, point INTEGER, time_us INTEGER, value REAL, flags INTEGER)"
        )
        groups = [[(at * rows + row, row, at, row * 1.1, 0) for row in range(rows)] for at in range(commits)]
        begun_s = time.perf_counter()
        for group in groups:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO r VALUES (?, ?, ?, ?, ?)", group)
            connection.execute("COMMIT")
        return time.perf_counter() - begun_s


async def _append_s(file: Path, rows: int, commits: int) -> float:
    groups = [_registers(rows) for _ in range(commits)]
    async with await Buffer.open(file, clock=_clock, bounds=_BOUNDS) as buffer:
        begun_s = time.perf_counter()
        for group in groups:
            await buffer.append(group)
        return time.perf_counter() - begun_s


def _drained() -> Figure:
    with _folder() as folder, closing(_store(folder / "buffer.db")) as store:
        _fill(store, 300_000)
        return Figure(
            id="F3",
            text="drained into batches of 5,000",
            runs=[100_000 / _drain_s(store, 100_000) for _ in range(RUNS)],
            unit="readings/s",
            goal="more than is appended",
        )


def _pause() -> Figure:
    """Store a second of 400 meters and note the event loop's longest pause meanwhile."""
    runs = []
    for at in range(RUNS):
        with _folder() as folder:
            runs.append(1_000 * asyncio.run(_longest_pause_s(folder / f"buffer-{at}.db")))
    return Figure(
        id="F3",
        text=f"longest pause of the event loop while {20 * METERS} meters' second of {VALUES} values is stored",
        runs=runs,
        unit="ms",
        goal="under 100",
    )


async def _longest_pause_s(file: Path) -> float:
    rows = next(_sampled(20 * METERS, random.Random(0)))
    async with await Buffer.open(file, clock=_clock, bounds=_BOUNDS, gather_s=0.01) as buffer:
        longest_s, before_s = 0.0, time.perf_counter()
        append = asyncio.create_task(buffer.append(rows))
        while not append.done():
            await asyncio.sleep(0)
            longest_s, before_s = max(longest_s, time.perf_counter() - before_s), time.perf_counter()
    return longest_s


def _written(meters: int) -> Figure:
    """Write ten minutes of samples, one commit a second, and ask the kernel what reached the disk."""
    runs = []
    for seed in range(RUNS):
        seconds = _sampled(meters, random.Random(seed))
        with _folder() as folder:
            before = _write_bytes()
            with closing(_store(folder / "buffer.db")) as store:
                for _ in range(600):
                    store.commit(next(seconds))
            runs.append((_write_bytes() - before) / (600 * meters * VALUES))
    return Figure(
        id="F3",
        text=f"written to the disk, {meters} meters of {VALUES} values, one commit a second",
        runs=runs,
        unit="bytes/reading",
        goal="under 64",
    )


def _growth() -> Iterator[Figure]:
    appends: list[list[float]] = []
    drains: list[list[float]] = []
    with _folder() as folder, closing(_store(folder / "buffer.db")) as store:
        for held in HELD:
            _fill(store, held - store.head)
            appends.append([_commit_us(store) for _ in range(RUNS + 2)])
            drains.append([1e6 * _drain_s(store, 5_000) for _ in range(RUNS + 2)])
            yield Figure(
                id="F3",
                text=f"a commit of 100 with {held:,} readings held",
                runs=appends[-1],
                unit="us",
                goal="flat",
            )
            yield Figure(
                id="F3",
                text=f"a batch of 5,000 drawn with {held:,} readings held",
                runs=drains[-1],
                unit="us",
                goal="flat",
            )


def _commit_us(store: Store) -> float:
    groups = [_registers(100) for _ in range(100)]
    begun_s = time.perf_counter()
    for group in groups:
        store.commit(group)
    return (time.perf_counter() - begun_s) / len(groups) * 1e6


def _drain_s(store: Store, rows: int) -> float:
    """Return the seconds that it takes to draw rows and take the cloud's answers."""
    left, begun_s = rows, time.perf_counter()
    while left > 0:
        drawn = store.draw(Flow.BACKLOG, min(left, 5_000))
        if drawn is None:
            raise RuntimeError(f"{left} rows are missing")
        left -= len(drawn.batch.rows.point)
        store.settle(drawn, [(1, drawn.batch.rows.ranges[-1][1])])
    return time.perf_counter() - begun_s


def _store(file: Path) -> Store:
    store = Store(file, clock=_clock, bounds=_BOUNDS)
    store.learn_offset(0)
    return store


def _fill(store: Store, rows: int) -> None:
    seconds = _sampled(METERS, random.Random(0))
    while rows > 0:
        group = next(seconds)[:rows]
        store.commit(group)
        rows -= len(group)


def _registers(rows: int) -> list[Row]:
    now_us = _clock.monotonic_us()
    return [Row(f"meter/{at}", RowClass.REGISTER, at * 1.1, 0, now_us, None) for at in range(rows)]


def _sampled(meters: int, rng: random.Random) -> Iterator[list[Row]]:
    """Yield a second of float32 samples after another, each value near its last, each meter read at once."""
    keys = [[f"meter-{meter}/value_{value}" for value in range(VALUES)] for meter in range(meters)]
    values = [[rng.uniform(0, 400) for _ in range(VALUES)] for _ in range(meters)]
    second_us = 0
    while True:
        rows = []
        for meter, points in enumerate(keys):
            now_us = second_us + meter * 1_000_000 // meters + rng.randrange(2_000)
            for at, point in enumerate(points):
                values[meter][at] += rng.gauss(0, 0.5)
                value = struct.unpack("<f", struct.pack("<f", values[meter][at]))[0]
                rows.append(Row(point, RowClass.SAMPLE, value, 0, now_us, None))
        yield rows
        second_us += 1_000_000


def _write_bytes() -> int:
    """Return the bytes that this process has caused to be written to a disk."""
    found = re.search(r"^write_bytes: (\d+)", Path("/proc/self/io").read_text(), re.MULTILINE)
    if not found:
        raise RuntimeError("the kernel does not count what is written")
    return int(found[1])


@contextmanager
def _folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="gatehouse-buffer-", dir=DISK) as name:
        yield Path(name)

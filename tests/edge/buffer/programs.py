"""Programs that the buffer's tests start and stop hard; run as `python -m tests.edge.buffer.programs NAME FILE`."""

import asyncio
import resource
import sys
from pathlib import Path

from edge.buffer.buffer import Buffer
from edge.buffer.rows import Row
from edge.clock import SystemClock
from edge.errors import BufferFull
from protocols.readings import RowClass


async def promise(file: Path) -> None:
    """Append until killed; print each value as soon as `append` has promised it."""
    clock = SystemClock()
    async with await Buffer.open(file, clock=clock, gather_s=0.02) as buffer:
        start = buffer.head

        async def keep(row_class: RowClass) -> None:
            for number in range(1, 1_000_000):
                value = float(start * 1_000 + number)
                await buffer.append([Row(f"meter/{row_class}", row_class, value, 0, clock.monotonic_us(), None)])
                print(row_class, value, flush=True)

        await asyncio.gather(keep(RowClass.REGISTER), keep(RowClass.SAMPLE), keep(RowClass.EVENT))


async def fill(file: Path) -> None:
    """Append until no file may grow any more, then be given room again; print what became of each append."""
    clock = SystemClock()
    async with await Buffer.open(file, clock=clock, gather_s=0.01) as buffer:

        async def outcome(row_class: RowClass) -> str:
            rows = [Row(f"meter/{at}", row_class, at * 1.1, 0, clock.monotonic_us(), None) for at in range(50)]
            try:
                await asyncio.wait_for(buffer.append(rows), timeout=100)
            except BufferFull:
                return "full"
            return "taken"

        print(await outcome(RowClass.REGISTER))
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 18, resource.RLIM_INFINITY))
        while await outcome(RowClass.REGISTER) == "taken":
            pass
        print(await outcome(RowClass.REGISTER), await outcome(RowClass.SAMPLE), buffer.samples_not_taken)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        print(await outcome(RowClass.REGISTER), await outcome(RowClass.SAMPLE), buffer.head)


PROGRAMS = {"promise": promise, "fill": fill}

if __name__ == "__main__":
    asyncio.run(PROGRAMS[sys.argv[1]](Path(sys.argv[2])))

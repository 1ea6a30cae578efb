"""Our own programs as children: started with their log in a file, stopped in order, killed if they won't."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from provisioning.errors import SiteError

_STOPPED_WITHIN_S = 15.0
_LAST_LINES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """How one of our programs is started."""

    module: str
    """`cloud` or `edge`: it is run as `python -m`."""
    arguments: tuple[str, ...]
    log: Path
    """Where its standard error goes, behind what is there."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """On top of ours, of which our own programs' settings are left out: a demo is told everything by its folder."""

    @property
    def command(self) -> tuple[str, ...]:
        return (sys.executable, "-m", self.module, *self.arguments)


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A program that runs."""

    program: Program
    process: asyncio.subprocess.Process

    @property
    def has_ended(self) -> bool:
        return self.process.returncode is not None

    async def check(self) -> None:
        """Raise what the program said last, once it has ended by itself.

        Raises:
            SiteError: it has ended.
        """
        if self.has_ended:
            text = await asyncio.to_thread(self.program.log.read_text, errors="replace")
            last = "\n".join(text.splitlines()[-_LAST_LINES:])
            raise SiteError(
                f"gatehouse-{self.program.module} ended with {self.process.returncode}; "
                f"the end of its log {self.program.log}:\n{last}"
            )

    async def stop(self) -> None:
        """Ask it to end and wait until it has; kill it if it takes too long."""
        if self.has_ended:
            return
        self.process.terminate()
        try:
            async with asyncio.timeout(_STOPPED_WITHIN_S):
                await self.process.wait()
        except TimeoutError:
            self.process.kill()
            await self.process.wait()


async def start(program: Program) -> Child:
    """Start a program in a session of its own, which the terminal's Ctrl-C does not reach: we end it in our order."""
    log = await asyncio.to_thread(program.log.open, "ab")
    try:
        process = await asyncio.create_subprocess_exec(
            *program.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=_surroundings() | dict(program.environment),
            start_new_session=True,
        )
    finally:
        log.close()
    return Child(program=program, process=process)


def _surroundings() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("GATEHOUSE_")}


@asynccontextmanager
async def running(program: Program) -> AsyncIterator[Child]:
    """Yield the program as a child that is stopped when the block ends."""
    child = await start(program)
    try:
        yield child
    finally:
        await child.stop()


async def finish(program: Program) -> None:
    """Run a program to its end.

    Raises:
        SiteError: it ended badly; shows what it said.
    """
    child = await start(program)
    try:
        if await child.process.wait():
            await child.check()
    finally:
        await child.stop()

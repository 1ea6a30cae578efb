"""A program with several lives: started, killed as a power cut does, started again."""

import asyncio
import signal
from dataclasses import dataclass, replace
from pathlib import Path

from provisioning.demo.programs import Child, Program, start

_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """How a life ends: behind the n-th log line that holds `line`, or after some seconds wherever it then is."""

    line: str | None = None
    count: int = 1
    after_s: float = 0.0


class Lives:
    """One of our programs, and the lives it has had."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._child: Child | None = None

    @property
    def child(self) -> Child:
        """The present life."""
        assert self._child is not None
        return self._child

    async def begin(self, death: Death | None = None) -> None:
        """Start it; with a death at a line, it kills itself there."""
        program = self._program
        if death and death.line:
            doom = {"MORTAL_LINE": death.line, "MORTAL_COUNT": str(death.count)}
            program = replace(
                program,
                module="tests.crash.mortal",
                arguments=(program.module, *program.arguments),
                environment={**program.environment, **doom, "PYTHONPATH": str(_ROOT)},
            )
        self._child = await start(program)

    async def has_died(self, *, within_s: float) -> bool:
        """Return whether it was killed within the time.

        Raises:
            SiteError: it ended in another way; shows what it said last.
        """
        try:
            async with asyncio.timeout(within_s):
                status = await self.child.process.wait()
        except TimeoutError:
            return False
        if status != -signal.SIGKILL:
            await self.child.check()
        return True

    async def kill(self) -> None:
        """End it wherever it is.

        Raises:
            SiteError: it had ended already, by itself; shows what it said last.
        """
        await self.child.check()
        self.child.process.kill()
        await self.child.process.wait()

    async def stop(self) -> None:
        """Let it end in peace."""
        if self._child is not None:
            await self._child.stop()

import asyncio
import os
import signal

import pytest

from provisioning.stopping import until_stopped


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
async def test_a_signal_ends_the_work_and_lets_it_clean_up(number: signal.Signals) -> None:
    done: list[str] = []

    async def work() -> None:
        try:
            os.kill(os.getpid(), number)
            await asyncio.Event().wait()
        finally:
            os.kill(os.getpid(), number)  # somebody is impatient
            await asyncio.sleep(0.01)
            done.append("cleaned up")

    await until_stopped(work())
    assert done == ["cleaned up"]


async def test_work_that_ends_by_itself_ends_it() -> None:
    await until_stopped(asyncio.sleep(0))


async def test_work_that_fails_says_so() -> None:
    async def work() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await until_stopped(work())

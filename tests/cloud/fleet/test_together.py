import asyncio
from collections.abc import Sequence

import pytest

from cloud.fleet.together import Together


class Recorder:
    """Doubles its items, as many as come at a time, and remembers what came together."""

    def __init__(self) -> None:
        self.rounds: list[list[int]] = []
        self.may_go = asyncio.Event()
        self.may_go.set()

    async def run(self, items: Sequence[int]) -> list[int]:
        self.rounds.append(list(items))
        await self.may_go.wait()
        if 13 in items:
            raise ValueError("13 is not taken")
        return [2 * item for item in items]


def _together(recorder: Recorder, *, limit: int = 100) -> Together[int, int]:
    return Together(recorder.run, weight=lambda _: 1, limit=limit)


async def _waiting(together: Together[int, int], recorder: Recorder, *items: int) -> list[asyncio.Task[int]]:
    """Return calls of which the first has begun its round and the others wait in their order."""
    recorder.may_go.clear()
    calls = []
    for item in items:
        calls.append(asyncio.create_task(together(item)))
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    return calls


async def test_calls_that_wait_become_one_and_each_gets_its_own_result() -> None:
    recorder = Recorder()
    calls = await _waiting(_together(recorder), recorder, 1, 2, 3)
    recorder.may_go.set()
    assert await asyncio.gather(*calls) == [2, 4, 6]
    assert recorder.rounds == [[1], [2, 3]]


async def test_a_round_takes_no_more_than_its_limit() -> None:
    recorder = Recorder()
    calls = await _waiting(_together(recorder, limit=2), recorder, 1, 2, 3, 4)
    recorder.may_go.set()
    assert await asyncio.gather(*calls) == [2, 4, 6, 8]
    assert recorder.rounds == [[1], [2, 3], [4]]


async def test_a_bad_item_fails_alone() -> None:
    recorder = Recorder()
    calls = await _waiting(_together(recorder), recorder, 1, 2, 13, 3)
    recorder.may_go.set()
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert [results[0], results[1], results[3]] == [2, 4, 6]
    assert isinstance(results[2], ValueError)


async def test_a_cancelled_leader_leaves_its_round_to_the_next() -> None:
    recorder = Recorder()
    together = _together(recorder)
    first, second, third = await _waiting(together, recorder, 1, 2, 3)
    first.cancel()
    recorder.may_go.set()
    assert await asyncio.gather(second, third) == [4, 6]
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_a_leader_that_is_cancelled_in_a_round_of_many_loses_nobody_elses_item() -> None:
    recorder = Recorder()
    together = _together(recorder)
    first, second, third = await _waiting(together, recorder, 1, 2, 3)
    recorder.may_go.set()
    await first
    recorder.may_go.clear()
    await asyncio.sleep(0)
    second.cancel()
    recorder.may_go.set()
    assert await third == 6


async def test_a_cancelled_waiter_takes_its_item_along() -> None:
    recorder = Recorder()
    first, second, third = await _waiting(_together(recorder), recorder, 1, 2, 3)
    second.cancel()
    await asyncio.sleep(0)
    recorder.may_go.set()
    assert await asyncio.gather(first, third) == [2, 6]
    assert recorder.rounds == [[1], [3]]

import asyncio
import threading
from collections.abc import Iterator

import pytest

from edge.buffer.thread import OwnThread


@pytest.fixture
def thread() -> Iterator[OwnThread]:
    thread = OwnThread("test")
    yield thread
    thread.stop()


async def test_work_is_done_in_order_in_one_other_thread(thread: OwnThread) -> None:
    done: list[tuple[int, int]] = []
    await asyncio.gather(*(thread.run(lambda at=at: done.append((at, threading.get_ident()))) for at in range(50)))
    assert [at for at, _ in done] == list(range(50))
    assert len({ident for _, ident in done} | {threading.get_ident()}) == 2


async def test_what_the_work_raises_is_raised_where_it_is_awaited(thread: OwnThread) -> None:
    with pytest.raises(ZeroDivisionError):
        await thread.run(lambda: 1 / 0)
    assert await thread.run(lambda: "goes on") == "goes on"


async def test_work_that_nobody_waits_for_any_more_is_done_all_the_same(thread: OwnThread) -> None:
    begin, done = threading.Event(), threading.Event()
    thread.run(begin.wait)
    thread.run(done.set).cancel()
    begin.set()
    assert await asyncio.to_thread(done.wait, 60)


def test_a_loop_that_ends_before_the_work_does_not_end_the_thread(thread: OwnThread) -> None:
    begin, done = threading.Event(), threading.Event()

    async def leave() -> None:
        thread.run(begin.wait)
        thread.run(done.set)

    asyncio.run(leave())
    begin.set()
    assert done.wait(60)

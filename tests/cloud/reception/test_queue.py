import pytest

from cloud.core.errors import Conflict, NotFound
from cloud.reception import queue
from cloud.reception.domain import VisitorState
from cloud.reception.queue import Visitor
from tests.cloud.reception.counter import Counter


async def _take(counter: Counter, name: str = "") -> int:
    async with counter.database.transaction() as session:
        return await queue.take_number(
            session, counter.clock, counter.desk, community_id=counter.community_id, name=name
        )


async def _call(counter: Counter) -> Visitor:
    async with counter.database.transaction() as session:
        return await queue.call_next(session, counter.clock, counter.desk, community_id=counter.community_id)


async def _end(counter: Counter, visitor_id: int, state: VisitorState) -> None:
    async with counter.database.transaction() as session:
        await queue.end_visit(session, counter.clock, counter.desk, visitor_id=visitor_id, state=state)


async def _line(counter: Counter) -> list[Visitor]:
    async with counter.database.reading() as session:
        return await queue.in_line(session, counter.clock, counter.desk, community_id=counter.community_id)


async def test_numbers_are_called_in_their_order_each_once(counter: Counter) -> None:
    assert [await _take(counter) for _visitor in range(3)] == [1, 2, 3]
    counter.clock.advance(minutes=7)
    first, second = await _call(counter), await _call(counter)
    assert (first.number, second.number, first.waited.total_seconds(), first.called_name) == (1, 2, 420, "孙三")


async def test_who_was_served_or_left_is_out_of_the_line(counter: Counter) -> None:
    await _take(counter)
    await _take(counter)
    called = await _call(counter)
    await _end(counter, called.id, VisitorState.SERVED)
    await _end(counter, called.id, VisitorState.SERVED)
    [waiting] = await _line(counter)
    await _end(counter, waiting.id, VisitorState.LEFT)
    assert await _line(counter) == []
    with pytest.raises(Conflict):
        await _call(counter)
    with pytest.raises(Conflict):
        await _end(counter, called.id, VisitorState.LEFT)


async def _serve(counter: Counter, visitor_id: int) -> None:
    async with counter.database.transaction() as session:
        await queue.serve(session, counter.clock, counter.desk, visitor_id=visitor_id)


async def test_whose_matter_is_written_down_was_served_and_who_has_left_stays_so(counter: Counter) -> None:
    await _take(counter)
    await _take(counter)
    first, second = (await _call(counter)).id, (await _call(counter)).id
    await _end(counter, second, VisitorState.LEFT)
    for visitor_id in (first, first, second):
        await _serve(counter, visitor_id)
    async with counter.database.reading() as session:
        found = [await queue.find_visitor(session, counter.clock, counter.desk, each) for each in (first, second)]
    assert [visitor.state for visitor in found] == [VisitorState.SERVED, VisitorState.LEFT]


async def test_every_day_begins_with_one_by_the_communitys_own_midnight(counter: Counter) -> None:
    assert await _take(counter) == 1
    counter.clock.advance(hours=8)  # 16:00 UTC is midnight in Shanghai
    assert await _take(counter) == 1
    assert [visitor.number for visitor in await _line(counter)] == [1]


async def test_a_counter_is_its_communitys(counter: Counter) -> None:
    await _take(counter)
    async with counter.database.transaction() as session:
        with pytest.raises(NotFound):
            await queue.call_next(session, counter.clock, counter.limited, community_id=counter.other_community_id)

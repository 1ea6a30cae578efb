import pytest

from cloud.core.errors import NotFound
from cloud.core.listing import Ask, Filter, Operator
from cloud.core.principal import Principal, Role
from cloud.notifications.inbox import COUNTED, count_unread, list_messages, read, read_all
from tests.cloud.estate import Estate
from tests.cloud.notifications.post import Post


async def _keys(post: Post, principal: Principal, ask: Ask | None = None) -> list[int]:
    async with post.database.reading() as session:
        return [message.id for message in (await list_messages(session, principal, ask or Ask())).rows]


async def _unread(post: Post, principal: Principal) -> int:
    async with post.database.reading() as session:
        return await count_unread(session, principal)


async def test_the_unread_stand_first_and_of_each_the_newest(post: Post) -> None:
    for number in range(3):
        await post.write(key=f"{number}")
    first, second, third = sorted(await _keys(post, post.worker))
    async with post.database.transaction() as session:
        await read(session, post.clock, post.worker, third)
    assert await _keys(post, post.worker) == [second, first, third]


async def test_reading_is_noted_once_and_says_how_it_was(post: Post) -> None:
    await post.write()
    (message_id,) = await _keys(post, post.worker)
    async with post.database.transaction() as session:
        message = await read(session, post.clock, post.worker, message_id)
    assert (message.read_at, await _unread(post, post.worker)) == (None, 0)
    read_at = post.clock.now()
    post.clock.advance(hours=1)
    async with post.database.transaction() as session:
        assert (await read(session, post.clock, post.worker, message_id)).read_at == read_at
    async with post.database.transaction() as session:
        assert (await read(session, post.clock, post.worker, message_id)).read_at == read_at


async def test_all_can_be_read_at_once(post: Post) -> None:
    for number in range(3):
        await post.write(key=f"{number}")
    async with post.database.transaction() as session:
        await read_all(session, post.clock, post.worker)
    assert await _unread(post, post.worker) == 0


async def test_the_unread_are_counted_up_to_a_limit(post: Post) -> None:
    for number in range(COUNTED + 3):
        await post.write(key=f"{number}")
    assert await _unread(post, post.worker) == COUNTED


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.DESK])
async def test_nobody_reads_anothers_messages(post: Post, role: Role) -> None:
    await post.write()
    (message_id,) = await _keys(post, post.worker)
    somebody = post.estate.principals[role]
    assert (await _keys(post, somebody), await _unread(post, somebody)) == ([], 0)
    async with post.database.transaction() as session:
        with pytest.raises(NotFound):
            await read(session, post.clock, somebody, message_id)
        await read_all(session, post.clock, somebody)
    assert await _unread(post, post.worker) == 1


async def test_the_neighbour_reads_none_of_it(post: Post, neighbour: Estate) -> None:
    await post.write()
    (message_id,) = await _keys(post, post.worker)
    async with post.database.transaction() as session:
        with pytest.raises(NotFound):
            await read(session, post.clock, neighbour.administrator, message_id)
    assert await _keys(post, neighbour.administrator) == []


async def test_messages_are_found_by_word_and_by_whether_they_were_read(post: Post) -> None:
    await post.write()
    found = await _keys(post, post.worker, Ask(search="漏水"))
    is_read = Filter(column="is_read", operator=Operator.IS, values=(True,))
    assert len(found) == 1
    assert await _keys(post, post.worker, Ask(search="stairs")) == []
    assert await _keys(post, post.worker, Ask(filters=(is_read,))) == []

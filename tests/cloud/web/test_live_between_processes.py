import asyncio
from collections.abc import Iterator

import pytest

from cloud.core.database import Database
from cloud.core.postgresql import listen
from cloud.web.live import CHANNEL, Hub, changed
from tests.cloud.waiting import until
from tests.servers.postgresql import PostgreSQL


@pytest.fixture
def url(postgresql: PostgreSQL) -> Iterator[str]:
    url = postgresql.create_database()
    yield url
    postgresql.drop_database(url)


async def test_what_one_process_commits_moves_the_topic_in_all_of_them_once(url: str) -> None:
    here, there = Database(url), Database(url)
    hubs = {here: Hub(), there: Hub()}
    listening = {database: asyncio.create_task(listen(database, CHANNEL, hub.hear)) for database, hub in hubs.items()}
    for hub in hubs.values():
        hub.bump(1, "tickets")  # so that it shows when a fresh connection says that something may be missed

    async def both_listen() -> bool:
        async with here.transaction() as session:
            changed(session, hubs[here], organisation_id=1, topics=["alarms"])
        are_fresh = [hub.versions(1)["tickets"] == 2 for hub in hubs.values()]
        return all(are_fresh) and hubs[there].versions(1).get("alarms", 0) > 0

    await until(both_listen)
    # A topic of its own from here on: what was told while both were getting ready may still be on its way.
    async with here.transaction() as session:
        changed(session, hubs[here], organisation_id=1, topics=["boxes"])
    with pytest.raises(ZeroDivisionError):
        async with here.transaction() as session:
            changed(session, hubs[here], organisation_id=1, topics=["boxes"])
            raise ZeroDivisionError

    async def has_moved_there() -> bool:
        return "boxes" in hubs[there].versions(1)

    await until(has_moved_there)
    await asyncio.sleep(0.1)
    assert {database: hub.versions(1)["boxes"] for database, hub in hubs.items()} == {here: 1, there: 1}
    for task in listening.values():
        task.cancel()
    await asyncio.gather(*listening.values(), return_exceptions=True)
    await here.close()
    await there.close()


async def test_a_hub_that_ends_ends_its_streams() -> None:
    hub = Hub()
    events: list[str] = []

    async def watch() -> None:
        async for event in hub.stream(1):
            events.append(event)  # noqa: PERF401  an async comprehension would show nothing until the end

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0)
    hub.end()
    async with asyncio.timeout(60):
        await watching
    assert len(events) == 1

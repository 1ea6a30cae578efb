import asyncio

import pytest

from cloud.core.database import Database
from cloud.web.live import Hub, changed


async def test_a_stream_begins_with_every_version_and_goes_on_with_what_moves() -> None:
    hub = Hub()
    hub.bump(1, "alarms")
    stream = hub.stream(1, heartbeat_s=60)
    assert await anext(stream) == f"event: news\ndata: alarms {hub.told(1)['alarms']}\n\n"
    hub.bump(1, "tickets")
    hub.bump(1, "alarms")
    told = hub.told(1)
    assert await anext(stream) == (
        f"event: news\ndata: alarms {told['alarms']}\n\nevent: news\ndata: tickets {told['tickets']}\n\n"
    )
    await stream.aclose()


async def test_another_organisations_news_stays_its_own() -> None:
    hub = Hub()
    hub.bump(2, "alarms")
    stream = hub.stream(1, heartbeat_s=0.01)
    assert "alarms" not in await anext(stream)
    hub.bump(2, "alarms")
    assert "alarms" not in await anext(stream)
    await stream.aclose()


async def test_silence_is_broken_by_a_heartbeat() -> None:
    stream = Hub().stream(1, heartbeat_s=0.01)
    assert "event: beat" in await anext(stream)
    assert "event: beat" in await anext(stream)
    await stream.aclose()


async def test_a_stream_that_ends_is_forgotten() -> None:
    hub = Hub()
    stream = hub.stream(1)
    await anext(stream)
    await stream.aclose()
    assert not any(hub._waiting.values())


async def test_news_that_comes_while_a_page_is_being_told_is_not_lost() -> None:
    hub = Hub()
    stream = hub.stream(1, heartbeat_s=60)
    await anext(stream)
    hub.bump(1, "alarms")
    async with asyncio.timeout(60):
        assert f"alarms {hub.told(1)['alarms']}" in await anext(stream)
    await stream.aclose()


async def test_a_topic_moves_when_its_change_is_committed(database: Database) -> None:
    hub = Hub()
    async with database.transaction() as session:
        changed(session, hub, organisation_id=1, topics=("alarms", "tickets"))
        assert hub.versions(1) == {}
    assert hub.versions(1) == {"alarms": 1, "tickets": 1}


async def test_a_topic_stays_when_its_change_is_undone(database: Database) -> None:
    hub = Hub()
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as session:
            changed(session, hub, organisation_id=1, topics=("alarms",))
            raise ZeroDivisionError
    assert hub.versions(1) == {}


async def test_equal_numbers_of_two_processes_are_not_the_same_news() -> None:
    here, there = Hub(), Hub()
    here.bump(1, "alarms")
    there.bump(1, "alarms")
    assert here.versions(1) == there.versions(1)
    assert here.told(1) != there.told(1)

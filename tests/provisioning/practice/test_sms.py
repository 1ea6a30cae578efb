from collections.abc import AsyncIterator

import aiohttp
import pytest

from provisioning.practice.sms import Failure, PracticeGateway
from tests.clocks import FixedClock

_AUTHORIZED = {"Authorization": "Bearer practice"}
_SENT = {"id": "u1", "to": "+8613800000001", "text": "【云杉物业】验证码 123456 <b>"}


@pytest.fixture
async def gateway(clock: FixedClock) -> AsyncIterator[PracticeGateway]:
    async with PracticeGateway.opened(clock, token="practice") as gateway:
        yield gateway


@pytest.fixture
async def http(gateway: PracticeGateway) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(gateway.url) as session:
        yield session


async def _send(http: aiohttp.ClientSession, **changed: str) -> tuple[int, dict[str, str]]:
    async with http.post("/messages", json=_SENT | changed, headers=_AUTHORIZED) as answer:
        return answer.status, await answer.json()


async def _page(http: aiohttp.ClientSession) -> str:
    async with http.get("/") as answer:
        assert answer.status == 200
        return await answer.text()


async def test_what_it_took_stands_on_its_page(http: aiohttp.ClientSession) -> None:
    assert "No message yet." in await _page(http)
    assert await _send(http) == (200, {"gateway_id": "practice-1"})
    page = await _page(http)
    assert "【云杉物业】验证码 123456 &lt;b&gt;<br><small>+8613800000001 · 16:00:00</small>" in page
    assert "No message yet." not in page


async def test_a_repeat_is_answered_the_same_and_taken_once(http: aiohttp.ClientSession) -> None:
    first, again = await _send(http), await _send(http)
    assert first == again
    assert (await _page(http)).count("<li>") == 1


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_without_the_token_nothing_is_taken_or_told(
    http: aiohttp.ClientSession, gateway: PracticeGateway, method: str
) -> None:
    path = "/messages" if method == "POST" else "/messages/practice-1"
    async with http.request(method, path, json=_SENT, headers={"Authorization": "Bearer x"}) as answer:
        assert (answer.status, await answer.json()) == (401, {"reason": "wrong token"})
    assert gateway.messages == []


async def test_it_fails_as_it_is_told_and_then_no_more(http: aiohttp.ClientSession, gateway: PracticeGateway) -> None:
    gateway.failures = [Failure(status=503, reason="busy"), Failure(status=503, reason="lost", keeps=True)]
    assert [status for status, _ in [await _send(http), await _send(http), await _send(http)]] == [503, 503, 200]
    assert len(gateway.messages) == 1


async def test_more_than_its_limit_to_one_number_waits_a_minute(
    http: aiohttp.ClientSession, gateway: PracticeGateway, clock: FixedClock
) -> None:
    gateway.limit = 1
    assert (await _send(http))[0] == 200
    assert (await _send(http, id="u2"))[0] == 429
    assert (await _send(http, id="u3", to="+8613800000002"))[0] == 200
    clock.advance(seconds=60)
    assert (await _send(http, id="u2"))[0] == 200


async def test_it_tells_what_became_of_a_message(http: aiohttp.ClientSession, gateway: PracticeGateway) -> None:
    gateway.fates["+8613800000002"] = ("failed", "switched off")
    await _send(http)
    await _send(http, id="u2", to="+8613800000002")
    told = []
    for number in (1, 2):
        async with http.get(f"/messages/practice-{number}", headers=_AUTHORIZED) as answer:
            told.append(await answer.json())
    assert told == [{"state": "sent", "reason": ""}, {"state": "failed", "reason": "switched off"}]


async def test_it_keeps_no_more_than_it_shows(http: aiohttp.ClientSession, gateway: PracticeGateway) -> None:
    for number in range(205):
        await _send(http, id=f"u{number}")
    assert len(gateway.messages) == 200
    assert gateway.messages[-1].gateway_id == "practice-205"

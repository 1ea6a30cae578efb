"""A form that is sent again with its key, since nobody heard the answer."""

import asyncio

import httpx
import pytest

from cloud.core.principal import Role
from tests.cloud.web.conftest import Browser, Site

KEY = "a-key-of-16-signs"


async def send(browser: Browser, name: str, *, key: str = KEY, thing: int = 1) -> httpx.Response:
    headers = {"X-CSRF-Token": await browser.token("/things"), "Idempotency-Key": key}
    return await browser.post(f"/things/{thing}", data={"name": name, "level": "1"}, headers=headers)


async def test_what_comes_again_is_answered_as_done_and_changes_nothing(site: Site, operator: Browser) -> None:
    first = await send(operator, "valve")
    await send(operator, "lamp", key="another-key-of-16")
    again = await send(operator, "valve")
    assert (first.status_code, again.status_code) == (303, 204)
    assert (await site.names())[0] == "lamp"


async def test_of_two_tabs_that_send_it_at_once_one_does_it(site: Site, operator: Browser) -> None:
    answers = await asyncio.gather(*(send(operator, "valve") for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [204, 303]


@pytest.mark.parametrize(("name", "thing"), [("lamp", 1), ("valve", 2)], ids=["other content", "sent elsewhere"])
async def test_a_key_holds_for_one_form_with_one_content(site: Site, operator: Browser, name: str, thing: int) -> None:
    await send(operator, "valve")
    assert (await send(operator, name, thing=thing)).status_code == 409
    assert (await site.names())[:2] == ["valve", "roof"]


@pytest.mark.parametrize(("name", "status"), [("x", 422), ("taken", 409)], ids=["malformed", "refused"])
async def test_what_was_refused_may_be_mended_under_the_same_key(
    site: Site, operator: Browser, name: str, status: int
) -> None:
    assert (await send(operator, name)).status_code == status
    assert (await send(operator, "valve")).status_code == 303
    assert (await site.names())[0] == "valve"


async def test_a_key_outlasts_signing_in_again(site: Site, operator: Browser) -> None:
    await send(operator, "valve")
    operator.cookies.clear()
    await operator.sign_in(Role.OPERATOR)
    assert (await send(operator, "valve")).status_code == 204


async def test_another_persons_same_key_is_another(site: Site, operator: Browser) -> None:
    await send(operator, "valve")
    async with site.browser() as boss:
        await boss.sign_in(Role.ADMINISTRATOR)
        assert (await send(boss, "lamp")).status_code == 303


async def test_a_key_that_can_be_none_is_refused(site: Site, operator: Browser) -> None:
    assert (await send(operator, "valve", key="short")).status_code == 422
    assert (await site.names())[0] == "pump"


async def test_a_photo_is_part_of_what_is_sent(site: Site, operator: Browser) -> None:
    token = await operator.token("/things")
    headers = {"X-CSRF-Token": token, "Idempotency-Key": KEY}
    fields = {"name": "valve", "level": "1"}
    answers = [
        await operator.post("/things/1", data=fields, files={"photo": ("a.jpg", photo)}, headers=headers)
        for photo in (b"one", b"one", b"two")
    ]
    assert [answer.status_code for answer in answers] == [303, 204, 409]

"""What holds for every page there is, whoever wrote it."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from cloud.core.principal import Role
from tests.cloud.estate import Estate
from tests.cloud.screens.households import Households
from tests.cloud.screens.whole import Whole, make_whole, pages
from tests.cloud.web.conftest import Browser

_OPEN_TO_ALL = {
    *((method, f"/sign-in{step}") for step in ("", "/phone", "/code", "/who") for method in ("GET", "POST")),
    ("GET", "/join"),
    ("POST", "/appearance"),
}
_BY_LETTER = ("/join/", "/opinion/")
"""Whoever holds a letter or a link opens what it invites to, signed in or not."""
_AFTER_A_CODE = "/sign-in/who"
"""Without a code that was typed it leads back to the number."""
_OPEN_TO_OWNERS = {"", "my", "join", "opinion", "inbox", "me", "sign-in"}
"""The first words of addresses that an owner may open."""
_MESSAGE = re.compile(r"/inbox/\d+")
"""A message is its receiver's alone, who is the administrator here: nobody else finds it."""
_LEAVING = {("POST", "/sign-out"), ("POST", "/me/password")}
"""After these a browser is another visitor."""


@pytest.fixture
async def whole(tmp_path: Path) -> AsyncIterator[Whole]:
    whole = await make_whole(tmp_path)
    yield whole
    await whole.close()


def _browser(whole: Whole, estate: Estate | Households) -> Browser:
    transport = httpx.ASGITransport(app=whole.app)
    headers = {"Accept": "text/html"}
    login_of = estate.login if isinstance(estate, Estate) else estate.next_door_login_of
    return Browser(login_of=login_of, transport=transport, base_url="http://gatehouse.test", headers=headers)


def _requests(whole: Whole) -> list[tuple[str, str]]:
    return [(method, whole.path(route)) for route in pages(whole.app) for method in sorted(route.methods)]


async def test_a_stranger_sees_nothing_but_the_sign_in(whole: Whole) -> None:
    async with _browser(whole, whole.site.estate) as stranger:
        token = await stranger.token()
        answers = {
            (method, path): await stranger.request(method, path, headers={"X-CSRF-Token": token})
            for method, path in _requests(whole)
            if (method, path) not in _OPEN_TO_ALL and not path.startswith(_BY_LETTER)
        }
    assert answers
    shown = {
        request: answer.status_code
        for request, answer in answers.items()
        if not answer.headers.get("location", "").startswith("/sign-in")
    }
    assert shown == {}


async def test_no_act_is_taken_without_this_browsers_token(whole: Whole) -> None:
    async with _browser(whole, whole.site.estate) as boss:
        await boss.sign_in(Role.ADMINISTRATOR)
        acts = [path for method, path in _requests(whole) if method != "GET"]
        taken = {path: status for path in acts if (status := (await boss.post(path)).status_code) != 403}
    assert taken == {}


@pytest.mark.parametrize("role", Role)
async def test_every_page_opens_or_says_who_may_open_it(whole: Whole, role: Role) -> None:
    async with _browser(whole, whole.site.estate) as person:
        await person.sign_in(role)
        paths = [path for method, path in _requests(whole) if method == "GET"]
        answers = {path: (await person.get(path)).status_code for path in paths}
    del answers[_AFTER_A_CODE]
    others = {path: status for path, status in answers.items() if status not in {200, 403}}
    assert {path: status for path, status in others.items() if not (_MESSAGE.fullmatch(path) and status == 404)} == {}
    if role is Role.ADMINISTRATOR:
        assert {path.split("/")[1] for path, status in answers.items() if status == 403} == {"my"}
    if role is Role.OWNER:
        assert {status for path, status in answers.items() if path.startswith("/my/")} == {200}


async def test_an_owner_opens_no_page_of_staff(whole: Whole) -> None:
    async with _browser(whole, whole.site.estate) as owner:
        await owner.sign_in(Role.OWNER)
        paths = [path for method, path in _requests(whole) if method == "GET"]
        opened = [path for path in paths if (await owner.get(path)).status_code == 200]
    assert "/" in opened
    assert [path for path in opened if path.split("/")[1] not in _OPEN_TO_OWNERS] == []


async def test_a_neighbour_across_the_landing_finds_nothing_of_the_owners(whole: Whole) -> None:
    async with _browser(whole, whole.households) as neighbour:
        await neighbour.sign_in(Role.OWNER)
        headers = {"X-CSRF-Token": await neighbour.token("/me")}
        answers = {
            (method, whole.path(route)): await neighbour.request(method, whole.path(route), headers=headers)
            for route in pages(whole.app)
            for method in sorted(route.methods, key=lambda method: method != "GET")
            if (method, route.path) not in _LEAVING and not route.path.startswith(_BY_LETTER)
        }
    about_one = {request: a.status_code for request, a in answers.items() if re.search(r"/\d+", request[1])}
    assert about_one
    assert {request: status for request, status in about_one.items() if status not in {403, 404, 422}} == {}
    told = [answer.url.path for answer in answers.values() for name in whole.private if name in answer.text]
    assert told == []


async def test_the_neighbour_finds_none_of_it(whole: Whole) -> None:
    async with _browser(whole, whole.neighbour) as neighbour:
        await neighbour.sign_in(Role.ADMINISTRATOR)
        headers = {"X-CSRF-Token": await neighbour.token("/me")}
        answers = {
            (method, route.path): await neighbour.request(method, whole.path(route), headers=headers)
            for route in pages(whole.app)
            if "{" in route.path and not route.path.startswith(_BY_LETTER)
            for method in route.methods
        }
        paths = [path for method, path in _requests(whole) if method == "GET" and not path.startswith(_BY_LETTER)]
        lists = [await neighbour.get(path) for path in paths]
    assert answers
    # An owner's page is no administrator's at all, so that they are not told whether it is there.
    missing = {404, 422}
    found = {
        request: answer.status_code
        for request, answer in answers.items()
        if answer.status_code not in ({403} if request[1].startswith("/my/") else missing)
    }
    assert found == {}
    told = [answer.url.path for answer in [*answers.values(), *lists] for name in whole.names if name in answer.text]
    assert told == []

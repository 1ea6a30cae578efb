from collections import defaultdict

import pytest
from fastapi.routing import iter_route_contexts

from cloud.core.principal import Role
from cloud.screens.admin.screen import SCREEN
from tests.cloud.screens.admin.conftest import SignedIn

EXAMPLES = defaultdict(lambda: 1, noun="buildings", code="office")
"""Whoever may not open a page learns nothing of what is on it, so any number will do."""

ROUTES = sorted(
    (method, route.path)
    for route in iter_route_contexts(SCREEN.router.routes)
    for method in route.methods
    if route.path.startswith("/admin")  # who lives where is the front desk's to look after, too
)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
async def test_nobody_but_an_administrator_opens_a_page_or_sends_a_form(signed_in: SignedIn, role: Role) -> None:
    let_in = []
    async with signed_in(role) as browser:
        csrf = {"x-csrf-token": await browser.token("/me")}
        for method, path in ROUTES:
            answer = await browser.request(method, path.format_map(EXAMPLES), headers=csrf)
            let_in += [(method, path, answer.status_code)] if answer.status_code != 403 else []
    assert let_in == []


async def test_nobody_who_is_not_signed_in_gets_further_than_the_sign_in(signed_in: SignedIn) -> None:
    elsewhere = []
    async with signed_in(Role.ADMINISTRATOR) as browser:
        browser.cookies.clear()
        csrf = {"x-csrf-token": await browser.token("/sign-in")}
        for method, path in ROUTES:
            answer = await browser.request(method, path.format_map(EXAMPLES), headers=csrf)
            arrived = answer.headers.get("location", "").startswith("/sign-in")
            elsewhere += [(method, path, answer.status_code)] if not arrived else []
    assert elsewhere == []


async def test_no_form_is_taken_without_its_token(signed_in: SignedIn) -> None:
    taken = []
    async with signed_in(Role.ADMINISTRATOR) as browser:
        for method, path in ROUTES:
            if method == "POST":
                answer = await browser.post(path.format_map(EXAMPLES))
                taken += [path] if answer.status_code != 403 else []
    assert taken == []

import re

from cloud.core.principal import Role
from tests.cloud.estate import Estate
from tests.cloud.screens.admin.conftest import SignedIn
from tests.cloud.web.conftest import Browser


async def test_a_browser_of_somebody_is_seen_and_signed_out(
    administrator: Browser, signed_in: SignedIn, estate: Estate
) -> None:
    path = f"/admin/people/{estate.principals[Role.DESK].person_id}/sessions"
    assert "Signed in nowhere at the moment." in (await administrator.get(path)).text
    async with signed_in(Role.DESK) as desk:
        page = (await administrator.get(path)).text
        assert "198.51.100.7" in page
        end = re.search(rf'action="({path}/\d+/end)"', page)
        assert end is not None
        answer = await administrator.send_form(end[1], page=path)
        assert answer.headers["location"] == path
        assert (await desk.get("/me")).headers["location"].startswith("/sign-in")
    assert "signed a browser out" in (await administrator.get("/admin/audit")).text


async def test_ones_own_browser_is_named_and_not_signed_out_by_mistake(administrator: Browser, estate: Estate) -> None:
    page = (await administrator.get(f"/admin/people/{estate.administrator.person_id}/sessions")).text
    assert "this browser" in page
    assert "/end" not in page


async def test_a_neighbours_browser_is_neither_seen_nor_signed_out(
    administrator: Browser, estate: Estate, neighbour: Estate
) -> None:
    theirs = f"/admin/people/{neighbour.principals[Role.DESK].person_id}/sessions"
    assert (await administrator.get(theirs)).status_code == 404
    assert (await administrator.send_form(f"{theirs}/1/end", page="/admin")).status_code == 404
    own = f"/admin/people/{estate.administrator.person_id}/sessions"
    assert (await administrator.send_form(f"{own}/999999/end", page="/admin")).status_code == 404

import re

import pytest
from sqlalchemy import select, update

from cloud.accounts.views import ViewRow
from cloud.core.audit import AuditEntry
from cloud.core.principal import Role
from tests.cloud.web.conftest import Browser, Site


@pytest.fixture(autouse=True)
def english(operator: Browser) -> None:
    operator.cookies.set("gatehouse_language", "en")


async def _heads(browser: Browser, path: str = "/things") -> list[str]:
    head = re.search("<thead>(.*)</thead>", (await browser.get(path)).text, re.DOTALL)
    words = re.findall('scope="col"[^>]*>(?:<a[^>]*>)?([^<]+)', head[1])
    return [word.strip() for word in words]


async def _choose(browser: Browser, *columns: str, move: str = "", query: str = "") -> str:
    token = await browser.token("/things?view=0")
    sent = {"csrf": token, "path": "/things", "query": query, "cols": list(columns), "move": move}
    answer = await browser.post("/views/columns", data=sent)
    assert answer.status_code == 303
    return answer.headers["location"]


async def _save(browser: Browser, name: str, query: str = "", **more: str) -> str:
    fields = {"path": "/things", "query": query, "name": name, **more}
    answer = await browser.send_form("/views", page="/things?view=0", **fields)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def test_chosen_columns_stand_in_the_address_and_are_remembered(operator: Browser) -> None:
    assert await _choose(operator, "at", "name", query="q=p&sort=at") == "/things?q=p&sort=at&cols=at,name"
    assert await _heads(operator) == ["Since", "Name"]
    assert await _choose(operator, move="reset") == "/things?view=0"
    assert await _heads(operator) == ["Name", "Act", "Since"]


@pytest.mark.parametrize(
    ("move", "order"),
    [
        ("up:at", "name,at,act"),
        ("down:name", "act,name,at"),
        ("up:name", "name,act,at"),
        ("down:gone", "name,act,at"),
    ],
)
async def test_a_column_is_moved_by_a_button(operator: Browser, move: str, order: str) -> None:
    address = await _choose(operator, "name", "act", "at", move=move)
    assert f"cols={order}" in address


async def test_columns_that_are_none_are_not_taken(operator: Browser) -> None:
    assert await _choose(operator, "at", "gone") == "/things?cols=at"


async def test_a_view_keeps_what_the_list_shows(operator: Browser) -> None:
    address = await _save(operator, "Pumps", "q=p&sort=-at&page=2&made=up")
    assert address == "/things?q=p&sort=-at&view=1"
    page = (await operator.get(address)).text
    assert "Pumps" in page
    assert "contains" not in page.split("<tbody>")[1]


async def test_two_views_of_a_list_have_two_names(operator: Browser) -> None:
    await _save(operator, "Pumps")
    again = await operator.send_form("/views", page="/things", path="/things", name="Pumps")
    assert again.status_code == 409
    assert "You have a view “Pumps” already." in again.text
    assert 'name="path" value="/things"' in again.text


async def test_a_list_opens_with_the_view_that_was_chosen_for_it(operator: Browser) -> None:
    await _save(operator, "Pumps", "q=p", is_default="on")
    assert (await operator.get("/things")).headers["location"] == "/things?q=p&view=1"
    assert (await operator.get("/things?view=0")).status_code == 200
    await operator.send_form("/views/default", page="/things?view=0", path="/things")
    assert (await operator.get("/things")).status_code == 200


async def test_a_view_is_renamed_changed_and_deleted_by_its_owner(site: Site, operator: Browser) -> None:
    await _save(operator, "Pumps", "q=p")
    await operator.send_form("/views/1", page="/views/1", name="Roofs", is_default="on")
    kept = await operator.send_form("/views/1/keep", page="/views/1", query="q=roof")
    assert kept.headers["location"] == "/things?q=roof&view=1"
    assert "Roofs" in (await operator.get("/views/1/delete")).text
    await operator.send_form("/views/1/delete", page="/views/1")
    assert (await operator.get("/views/1")).status_code == 404
    assert (await operator.get("/things")).status_code == 200
    async with site.database.reading() as session:
        asked = select(AuditEntry.action).where(AuditEntry.action.like("accounts.view%")).order_by(AuditEntry.id)
        actions = (await session.scalars(asked)).all()
    assert actions == ["accounts.view_saved", *["accounts.view_changed"] * 2, "accounts.view_deleted"]


async def test_only_some_may_share_and_only_the_owner_may_change(site: Site, operator: Browser) -> None:
    refused = await operator.send_form("/views", page="/things", path="/things", name="All", is_shared="on")
    assert refused.status_code == 403
    async with site.browser() as boss:
        await boss.sign_in(Role.ADMINISTRATOR)
        await _save(boss, "Ours", "q=p", is_shared="on")
        await _save(boss, "Mine alone", "q=p")
    page = (await operator.get("/things")).text
    assert "Ours" in page
    assert "shared by 赵一" in page
    assert "Mine alone" not in page
    assert (await operator.get("/views/1")).status_code == 403
    assert (await operator.get("/views/2")).status_code == 404
    for act in ("", "/keep", "/delete"):
        answer = await operator.send_form(f"/views/1{act}", page="/things", name="x")
        assert answer.status_code == 403
    default = await operator.send_form("/views/default", page="/things", path="/things", view_id="1")
    assert default.status_code == 303
    assert (await operator.get("/things")).headers["location"] == "/things?q=p&view=1"


@pytest.mark.parametrize("path", ["/nothing", "/me", "//evil.test/things", "https://evil.test", "/live", "/exports"])
async def test_a_view_is_one_of_a_list(operator: Browser, path: str) -> None:
    answer = await operator.send_form("/views", page="/things", path=path, name="x")
    assert answer.status_code == 404


async def test_nobody_keeps_a_view_of_a_list_that_is_not_theirs_to_open(site: Site) -> None:
    async with site.browser() as worker:
        await worker.sign_in(Role.WORKER)
        answer = await worker.send_form("/views", page="/me", path="/things", name="x")
    assert answer.status_code == 404


async def test_a_view_goes_on_without_what_its_list_has_lost(site: Site, operator: Browser) -> None:
    address = await _save(operator, "Pumps", "q=p")
    async with site.database.transaction() as session:
        await session.execute(update(ViewRow).values(query="q=p&cols=name,colour&size.from=3"))
    assert address == "/things?q=p&view=1"
    page = (await operator.get("/things?q=p&cols=name,colour&size.from=3&view=1")).text
    assert "The column “colour” is no longer there and was left out." in page
    assert "The filter “size.from” of this view is no longer there and was left out." in page

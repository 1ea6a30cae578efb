import pytest

from cloud.core.principal import Principal, Role
from cloud.core.words import Words
from cloud.notifications.domain import Kind
from cloud.notifications.service import notify
from tests.cloud.web.conftest import Browser, Site

HEADERS = {"HX-Request": "true", "HX-Target": "bell"}


async def _write(site: Site, *, link: str = "/things/1", key: str = "thing:1", role: Role = Role.OPERATOR) -> None:
    async with site.database.transaction() as session:
        await notify(
            session,
            site.clock,
            Principal.system(site.estate.organisation_id),
            person_ids=[site.estate.principals[role].person_id],
            kind=Kind.TICKET_ASSIGNED,
            subject=Words(zh="屋顶<b>漏水", en="The roof <b>leaks"),
            text=Words(zh="请查看", en="Look at it\nat once"),
            link=link,
            key=key,
        )


@pytest.fixture
def reader(operator: Browser) -> Browser:
    operator.cookies.set("gatehouse_language", "en")
    return operator


async def test_a_new_message_is_counted_on_every_page_and_stands_in_the_inbox(reader: Browser, site: Site) -> None:
    assert 'aria-label="Messages"' in (await reader.get("/things")).text
    await _write(site)
    assert 'aria-label="Messages, 1 unread"' in (await reader.get("/things")).text
    page = (await reader.get("/inbox")).text
    assert "<b>The roof &lt;b&gt;leaks</b>" in page
    assert "A ticket is given to me" in page
    assert "Mark all as read" in page


async def test_an_inbox_that_never_had_a_message_says_so(reader: Browser) -> None:
    page = (await reader.get("/inbox")).text
    assert "Nobody has written to you yet." in page
    assert "Mark all as read" not in page


async def test_a_search_that_finds_nothing_says_so(reader: Browser, site: Site) -> None:
    await _write(site)
    assert "Nothing matches." in (await reader.get("/inbox", params={"q": "stairs"})).text


async def test_opening_a_message_shows_it_leads_on_and_marks_it_read(reader: Browser, site: Site) -> None:
    await _write(site)
    page = (await reader.get("/inbox/1")).text
    assert '<p class="prose">Look at it</p>\n<p class="prose">at once</p>' in page
    assert '<a class="btn btn-primary" href="/things/1">' in page
    assert 'aria-label="Messages"' in page
    assert 'aria-label="Messages"' in (await reader.get("/inbox")).text


async def test_opening_a_message_tells_the_readers_other_pages(reader: Browser, site: Site) -> None:
    await _write(site)
    await reader.get("/inbox/1")
    before = site.hub.versions(site.estate.organisation_id)
    assert before == {"inbox": 1}
    await reader.get("/inbox/1")  # read already: no news
    assert site.hub.versions(site.estate.organisation_id) == before


async def test_a_message_without_a_matter_leads_nowhere(reader: Browser, site: Site) -> None:
    await _write(site, link="")
    assert "Go there" not in (await reader.get("/inbox/1")).text


async def test_all_can_be_marked_as_read(reader: Browser, site: Site) -> None:
    for number in range(3):
        await _write(site, key=f"{number}")
    answer = await reader.send_form("/inbox/read-all", page="/inbox")
    assert (answer.status_code, answer.headers["location"]) == (303, "/inbox")
    assert 'aria-label="Messages"' in (await reader.get("/inbox")).text


async def test_the_read_can_be_left_out(reader: Browser, site: Site) -> None:
    await _write(site, key="1")
    await _write(site, key="2")
    await reader.get("/inbox/1")
    page = (await reader.get("/inbox", params={"is_read": "no"})).text
    assert ('href="/inbox/2"' in page, 'href="/inbox/1"' in page) == (True, False)


async def test_the_bell_fetches_itself_alone(reader: Browser, site: Site) -> None:
    await _write(site)
    answer = await reader.get("/inbox", headers=HEADERS)
    assert answer.text.startswith('<a class="bell"')
    assert "<html" not in answer.text
    again = await reader.get("/inbox", headers={**HEADERS, "If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


async def test_more_than_a_hundred_are_not_counted(reader: Browser, site: Site) -> None:
    for number in range(101):
        await _write(site, key=f"{number}")
    assert 'aria-label="Messages, 99+ unread"' in (await reader.get("/inbox")).text


async def test_nobody_else_opens_it(site: Site, reader: Browser) -> None:
    await _write(site, role=Role.DESK)
    answer = await reader.get("/inbox/1")
    assert answer.status_code == 404
    assert "roof" not in answer.text

import csv
import io
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from cloud.accounts import people
from cloud.accounts.tables import PersonRow
from cloud.core import exports
from cloud.core.exports import KEPT, ExportRow, ExportState, Format
from cloud.core.files import FileStore
from cloud.core.outbox import EVENTS
from cloud.core.principal import Role
from cloud.web import export, exporting, shown
from cloud.web.exporting import build_due
from tests.cloud.web.conftest import Browser, Site


@pytest.fixture
async def store(site: Site, tmp_path: Path) -> FileStore:
    store = FileStore((tmp_path / "files").as_uri())
    site.app.state.files = store
    return store


@pytest.fixture
async def boss(site: Site, store: FileStore) -> AsyncIterator[Browser]:
    async with site.browser() as browser:
        browser.cookies.set("gatehouse_language", "en")
        await browser.sign_in(Role.ADMINISTRATOR)
        yield browser


@pytest.fixture(autouse=True)
def english(operator: Browser) -> None:
    operator.cookies.set("gatehouse_language", "en")


async def _ask(browser: Browser, query: str = "", form: str = "csv") -> str:
    answer = await browser.send_form("/exports", page="/things?view=0", path="/things", query=query, format=form)
    assert answer.headers["location"] == "/exports"
    return (await browser.get("/exports")).text


async def _build(site: Site, store: FileStore) -> None:
    await build_due(site.database, site.clock, files=store, hub=site.hub, site=lambda: site.app)


async def _row(site: Site, export_id: int = 1) -> ExportRow:
    async with site.database.reading() as session:
        return await session.get_one(ExportRow, export_id)


async def _add_things(site: Site, count: int) -> None:
    shared = {"organisation_id": site.estate.organisation_id, "subject": "s", "payload": "{}"}
    rows = [{**shared, "kind": f"thing {n:06d}", "emitted_at": site.clock.now()} for n in range(count)]
    async with site.database.transaction() as session:
        await session.execute(insert(EVENTS), rows)


async def test_a_file_holds_what_the_page_shows(site: Site, store: FileStore, boss: Browser) -> None:
    assert "Waits for its turn" in await _ask(boss, "q=o&cols=at,name&sort=-name&page=3")
    await _build(site, store)
    assert "Ready: 1 row" in (await boss.get("/exports")).text
    answer = await boss.get("/exports/1/file")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [lines[0], lines[1][1]] == [["Since", "Name"], "roof"]


async def test_sixty_thousand_rows_are_written_with_little_memory(site: Site, store: FileStore, boss: Browser) -> None:
    await _add_things(site, 60_000)
    page = (await boss.get("/things?view=0")).text
    assert 'action="/exports"' in page
    assert "format=csv" not in page
    assert 'name="format" value="xlsx"' in (await boss.get("/things?format=xlsx")).text
    await _ask(boss, "sort=name")
    tracemalloc.start()
    try:
        await _build(site, store)
        assert tracemalloc.get_traced_memory()[1] < 40_000_000
    finally:
        tracemalloc.stop()
    lines = (await boss.get("/exports/1/file")).content.decode("utf-8-sig").splitlines()
    assert len(lines) == 60_004
    assert lines[1:60_004] == sorted(lines[1:])


async def test_progress_is_noted_while_it_is_written(
    site: Site, store: FileStore, boss: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "STRETCH_ROWS", 1)
    monkeypatch.setattr(exporting, "_NOTED_EVERY", 1)
    noted: list[tuple[int, int]] = []
    note = exports.note

    async def listening(session: object, row: ExportRow, *, rows: int, total: int) -> bool:
        noted.append((rows, total))
        return await note(session, row, rows=rows, total=total)

    monkeypatch.setattr(exports, "note", listening)
    await _ask(boss)
    await _build(site, store)
    assert noted == [(1, 3), (2, 3), (3, 3)]


async def test_who_may_not_see_the_list_any_more_gets_no_file(site: Site, store: FileStore, operator: Browser) -> None:
    await _ask(operator)
    async with site.database.transaction() as session:
        mine = site.estate.principals[Role.OPERATOR].person_id
        await session.execute(update(PersonRow).where(PersonRow.id == mine).values(roles=frozenset({Role.WORKER})))
    await _build(site, store)
    row = await _row(site)
    assert (row.state, row.file_id, row.reason) == (
        ExportState.REFUSED,
        None,
        "You may not see this list any more.",
    )


async def test_who_lost_the_right_after_it_was_written_may_not_fetch_it(
    site: Site, store: FileStore, operator: Browser
) -> None:
    await _ask(operator)
    await _build(site, store)
    assert (await operator.get("/exports/1/file")).status_code == 200
    async with site.database.transaction() as session:
        mine = site.estate.principals[Role.OPERATOR].person_id
        await session.execute(update(PersonRow).where(PersonRow.id == mine).values(roles=frozenset({Role.WORKER})))
    assert (await operator.get("/exports/1/file")).status_code == 404


@pytest.mark.parametrize(("communities", "status"), [(None, 200), (frozenset({7}), 409)])
async def test_who_sees_fewer_communities_loses_what_was_written_before(
    site: Site, store: FileStore, operator: Browser, communities: frozenset[int] | None, status: int
) -> None:
    await _ask(operator)
    await _build(site, store)
    async with site.database.transaction() as session:
        await people.change_person(
            session,
            site.clock,
            site.estate.administrator,
            site.estate.principals[Role.OPERATOR].person_id or 0,
            name="孙三",
            roles=frozenset({Role.OPERATOR}),
            communities=communities,
            phone=None,
        )
    assert (await operator.get("/exports/1/file")).status_code == status


async def test_an_export_is_whoevers_asked_for_it(
    site: Site, store: FileStore, boss: Browser, operator: Browser
) -> None:
    await _ask(boss)
    await _build(site, store)
    assert (await operator.get("/exports/1/file")).status_code == 403
    assert (await operator.send_form("/exports/1/cancel", page="/things")).status_code == 403
    assert "No export yet." in (await operator.get("/exports")).text
    assert (await operator.get("/exports/2/file")).status_code == 404


async def test_one_at_a_time_and_another_after_it_was_cancelled(site: Site, store: FileStore, boss: Browser) -> None:
    await _ask(boss)
    await boss.send_form("/exports", page="/things?view=0", path="/things", format="csv")
    assert (await boss.get("/exports")).text.count("Waits for its turn") == 1
    await boss.send_form("/exports/1/cancel", page="/exports")
    assert (await boss.get("/exports/1/file")).status_code == 409
    assert "Waits for its turn" in await _ask(boss, form="xlsx")
    await _build(site, store)
    assert [(await _row(site, number)).state for number in (1, 2)] == [ExportState.CANCELLED, ExportState.DONE]
    assert (await boss.get("/exports/2/file")).content.startswith(b"PK")


async def test_one_that_is_cancelled_while_it_is_written_stops(
    site: Site, store: FileStore, boss: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "STRETCH_ROWS", 1)
    monkeypatch.setattr(exporting, "_NOTED_EVERY", 1)
    note = exports.note

    async def cancelling(session: object, row: ExportRow, *, rows: int, total: int) -> bool:
        await exports.cancel(session, site.clock, site.estate.administrator, row.id)
        await session.flush()
        return await note(session, row, rows=rows, total=total)

    monkeypatch.setattr(exports, "note", cancelling)
    await _ask(boss)
    await _build(site, store)
    assert (await _row(site)).state is ExportState.CANCELLED


async def test_one_that_its_process_left_behind_is_begun_again_and_then_let_be(site: Site, boss: Browser) -> None:
    await _ask(boss)
    attempts = []
    for _ in range(3):
        async with site.database.transaction() as session:
            row = await exports.claim(session, site.clock)
        attempts.append((row.attempt, row.state))
    assert attempts == [(1, ExportState.RUNNING), (2, ExportState.RUNNING), (3, ExportState.FAILED)]


async def test_a_builder_that_lost_its_place_notes_nothing(site: Site, boss: Browser) -> None:
    await _ask(boss)
    async with site.database.transaction() as session:
        lost = await exports.claim(session, site.clock)
    async with site.database.transaction() as session:
        await exports.claim(session, site.clock)
    async with site.database.transaction() as session:
        assert not await exports.note(session, lost, rows=1, total=2)


async def test_exports_are_deleted_after_a_week(site: Site, store: FileStore, boss: Browser) -> None:
    await _ask(boss)
    await _build(site, store)
    site.clock.advance(days=KEPT.days + 1)
    async with site.database.transaction() as session:
        await exports.purge(session, site.clock)
    async with site.browser() as later:
        later.cookies.set("gatehouse_language", "en")
        await later.sign_in(Role.ADMINISTRATOR)
        assert "No export yet." in (await later.get("/exports")).text
        assert (await later.get("/exports/1/file")).status_code == 404


@pytest.mark.parametrize("form", Format)
async def test_a_short_list_is_sent_at_once(boss: Browser, form: Format) -> None:
    answer = await boss.get(f"/things?format={form}&q=pump")
    assert answer.headers["content-type"] == form.media_type
    assert shown.AT_ONCE_ROWS == 5_000

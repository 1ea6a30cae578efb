import io
import re

import httpx
import pytest
import xlsxwriter
from sqlalchemy import Connection, event

from cloud.accounts import passwords
from cloud.core.database import Database
from cloud.core.principal import Role
from cloud.core.sheets import read_sheet
from tests.cloud.screens.admin.conftest import SignedIn
from tests.cloud.web.conftest import Browser

ESTATE = "小区,地址,楼栋,房号\n云杉苑,云杉路 1 号,1 号楼,101\n云杉苑,,1 号楼,102\n"
STAFF = "登录名,姓名,角色\nwang.wu,王五,维修\n"


def _words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


async def _send(boss: Browser, kind: str, content: str, name: str = "云杉苑.csv") -> httpx.Response:
    fields = {"csrf": await boss.token("/admin/imports"), "kind": kind}
    return await boss.post("/admin/imports", data=fields, files={"file": (name, content.encode(), "text/csv")})


async def test_imports_are_a_list_that_is_narrowed_and_sent_as_a_file(signed_in: SignedIn) -> None:
    async with signed_in(Role.ADMINISTRATOR) as boss:
        await _send(boss, "estate", ESTATE)
        await _send(boss, "staff", STAFF, name="员工.csv")
        staff = (await boss.get("/admin/imports?kind=staff")).text
        sheet = (await boss.get("/admin/imports?sort=rows&format=csv")).text
        without = await boss.send_form("/admin/imports", page="/admin/imports", kind="estate")
    assert ("员工.csv" in staff, "云杉苑.csv" in staff) == (True, False)
    assert sheet.index("员工.csv") < sheet.index("云杉苑.csv")
    assert (without.status_code, "员工.csv" in without.text) == (422, True)


async def test_a_table_is_looked_at_imported_and_undone(signed_in: SignedIn) -> None:
    async with signed_in(Role.ADMINISTRATOR) as boss:
        assert "Nothing was imported yet." in _words((await boss.get("/admin/imports")).text)
        path = (await _send(boss, "estate", ESTATE)).headers["location"]
        looked_at = (await boss.get(path)).text
        assert "2 rows = 2 new + 0 there already + 0 wrong." in _words(looked_at)
        assert "Communities 1 Buildings 1 Units 2" in _words(looked_at)
        await boss.send_form(f"{path}/apply", page=path, news="2")
        assert "Units 2" in _words((await boss.get(path)).text)
        assert "云杉苑" in (await boss.get("/admin/communities")).text
        await boss.send_form(f"{path}/undo", page=path)
        assert "State undone" in _words((await boss.get(path)).text)
        assert "云杉苑" not in (await boss.get("/admin/communities")).text


async def test_wrong_cells_are_named_and_nothing_can_be_imported(signed_in: SignedIn) -> None:
    async with signed_in(Role.ADMINISTRATOR) as boss:
        path = (await _send(boss, "estate", f"{ESTATE}云杉苑,,,103\n")).headers["location"]
        page = (await boss.get(path)).text
        assert "C4 nothing A name has 1 to 80 characters." in _words(page)
        assert f"{path}/apply" not in page
        refused = await boss.send_form(f"{path}/apply", page=path, news="2")
        assert refused.status_code == 422
        assert "nothing was imported" in _words(refused.text)
        await boss.send_form(f"{path}/discard", page=path)
        assert (await boss.get(path)).status_code == 404


async def test_a_file_that_is_no_table_is_refused_at_its_field(signed_in: SignedIn) -> None:
    async with signed_in(Role.ADMINISTRATOR) as boss:
        for content, said in (
            ("小区\n云杉苑\n", "these are missing: 楼栋 / Building"),
            ("小区", "no row below its header"),
        ):
            answer = await _send(boss, "estate", content)
            assert answer.status_code in {400, 422}
            assert said in _words(answer.text)
            assert 'id="file-error"' in answer.text
        without = await boss.send_form("/admin/imports", page="/admin/imports", kind="estate")
        assert "Choose the file with the table." in _words(without.text)


async def test_the_passwords_of_new_staff_are_shown_once(signed_in: SignedIn) -> None:
    async with signed_in(Role.ADMINISTRATOR) as boss:
        path = (await _send(boss, "staff", STAFF)).headers["location"]
        shown = _words((await boss.send_form(f"{path}/apply", page=path, news="1")).text)
        password = shown.partition("王五 wang.wu ")[2].split()[0]
        assert len(password) > 8
        assert password not in (await boss.get(path)).text
        assert "People 1" in _words((await boss.get(path)).text)


async def test_the_transaction_that_adds_staff_hashes_nothing(
    signed_in: SignedIn, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    hash_password = passwords.hash_password

    async def noting(password: str) -> str:
        done.append("hash")
        return await hash_password(password)

    def began(connection: Connection) -> None:
        if connection.get_execution_options().get("sqlite_begin") == "IMMEDIATE":
            done.append("begin to write")

    async with signed_in(Role.ADMINISTRATOR) as boss:
        path = (await _send(boss, "staff", f"{STAFF}zhao.liu,赵六,客服前台\n")).headers["location"]
        token = await boss.token(path)
        monkeypatch.setattr(passwords, "hash_password", noting)
        event.listen(database.engine.sync_engine, "begin", began)
        answer = await boss.post(f"{path}/apply", data={"csrf": token, "news": "2"})
    assert answer.status_code == 200
    assert done == ["hash", "hash", "begin to write"]


@pytest.mark.parametrize("role", [Role.DESK, None], ids=["the desk", "a stranger"])
async def test_nothing_is_drawn_for_who_may_not_import(
    signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch, role: Role | None
) -> None:
    async with signed_in(Role.ADMINISTRATOR) as boss:
        path = (await _send(boss, "staff", STAFF)).headers["location"]

    async def drawn() -> passwords.OneTime:
        raise AssertionError("a password was drawn")

    monkeypatch.setattr(passwords, "draw", drawn)
    async with signed_in(role or Role.DESK) as other:
        token = await other.token("/me")
        if role is None:
            other.cookies.delete("gatehouse_session")
        answer = await other.post(f"{path}/apply", data={"csrf": token, "news": "1"})
    assert answer.status_code in {303, 401, 403}


async def test_a_template_can_be_filled_in_and_sent_as_it_is(signed_in: SignedIn) -> None:
    async with signed_in(Role.ADMINISTRATOR) as boss:
        for kind in ("estate", "occupants", "staff"):
            answer = await boss.get(f"/admin/imports/template?kind={kind}")
            sheet = read_sheet(answer.content)
            assert sheet.header.cells[0].endswith("*")
            fields = {"csrf": await boss.token("/admin/imports"), "kind": kind}
            file = ("表.xlsx", answer.content, answer.headers["content-type"])
            sent = await boss.post("/admin/imports", data=fields, files={"file": file})
            assert sent.status_code == 303, _words(sent.text)
        assert (await boss.get("/admin/imports/template?kind=money")).status_code in {404, 422}


async def test_a_number_that_a_spreadsheet_took_for_one_keeps_its_digits(signed_in: SignedIn) -> None:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, ["登录名", "姓名", "角色", "手机号"])
        sheet.write_row(1, 0, ["li.si", "李四", "维修", 13800000004])
    async with signed_in(Role.ADMINISTRATOR) as boss:
        fields = {"csrf": await boss.token("/admin/imports"), "kind": "staff"}
        sent = await boss.post("/admin/imports", data=fields, files={"file": ("员工.xlsx", content.getvalue())})
        assert "1 rows = 1 new" in _words((await boss.get(sent.headers["location"])).text)

import re
from datetime import date

import pytest

from cloud.accounts import people
from cloud.calendars import shifts
from cloud.calendars.roster import LeaveKind
from cloud.core.database import Database
from cloud.core.principal import Role
from cloud.properties import service as properties
from tests.clocks import FixedClock
from tests.cloud.calendars.plans import make_plans
from tests.cloud.estate import Estate
from tests.cloud.web.conftest import Browser

ROSTER = "/admin/shifts"


@pytest.fixture
def worker(estate: Estate) -> str:
    return f"{ROSTER}/{estate.principals[Role.WORKER].person_id}"


@pytest.fixture
async def plans(database: Database, clock: FixedClock, estate: Estate) -> dict[str, object]:
    """Weekdays from 9 to 17, a free Monday and a leave; it is Monday 2 March, 16:00."""
    async with database.transaction() as session:
        return await make_plans(session, clock, estate)


async def _text(browser: Browser, path: str) -> str:
    answer = await browser.get(path)
    assert answer.status_code == 200, answer.text
    content = answer.text.partition("<main")[2]
    return " ".join(re.sub(r"<[^>]+>", " ", content).split())


async def test_nobody_on_duty_is_said_with_what_it_means(administrator: Browser) -> None:
    text = await _text(administrator, ROSTER)
    assert "Nobody is on duty now. Work that arises now reaches nobody by itself." in text


@pytest.mark.usefixtures("plans")
async def test_the_duty_list_says_whom_to_call_and_until_when(
    administrator: Browser, database: Database, clock: FixedClock, estate: Estate
) -> None:
    worker = estate.principals[Role.WORKER]
    assert "李四 Repair worker · all communities · until 17:00 no telephone" in await _text(administrator, ROSTER)
    async with database.transaction() as session:
        await people.change_person(
            session,
            clock,
            estate.administrator,
            worker.person_id or 0,
            name=worker.name,
            roles=worker.roles,
            communities=None,
            phone="13800000001",
        )
    page = (await administrator.get(ROSTER)).text
    assert '<a class="btn btn-quiet" href="tel:+8613800000001">138 0000 0001</a>' in page


@pytest.mark.usefixtures("plans")
async def test_the_roster_shows_the_week_that_is_asked_for(administrator: Browser) -> None:
    day = "09:00-17:00"
    assert f"李四 {day} {day} {day} {day} {day} – –" in await _text(administrator, ROSTER)
    assert f"李四 – {day} {day} {day} {day} – –" in await _text(administrator, f"{ROSTER}?day=2026-03-11")
    leave = "Annual leave"
    assert f"李四 {day} {day} {leave} {leave} {leave} {leave} {leave}" in await _text(
        administrator, f"{ROSTER}?day=2026-03-30"
    )
    assert "Without a shift this week: 吴六 , 周五 , 孙三 , 赵一 , 钱二" in await _text(administrator, ROSTER)
    assert "2026 · 03-02 – 03-08" in await _text(administrator, f"{ROSTER}?day=9999-12-31")


async def test_a_weekly_shift_is_planned_changed_and_removed(
    administrator: Browser, database: Database, clock: FixedClock, estate: Estate, worker: str
) -> None:
    async with database.transaction() as session:
        community = await properties.create_community(session, clock, estate.administrator, name="云杉苑", address="")
    path = f"{worker}/weekly/new"
    fields = {"weekdays": "0,1,2,5", "community_id": str(community), "first_day": "2026-03-02"}
    answer = await administrator.send_form(path, page=path, hours="22:00-06:00", **fields)
    assert answer.headers["location"] == worker
    text = await _text(administrator, worker)
    assert "22:00-06:00 Monday to Wednesday, Saturday 云杉苑 · 2026-03-02 – open end" in text
    change = f"{worker}/weekly/1"
    form = (await administrator.get(change)).text
    assert re.findall(r'name="weekdays" value="(\d)" checked', form) == ["0", "1", "2", "5"]
    await administrator.send_form(change, page=change, hours="21:00-05:00", last_day="2026-03-31", **fields)
    assert "21:00-05:00 Monday to Wednesday, Saturday 云杉苑 · 2026-03-02 – 2026-03-31" in await _text(
        administrator, worker
    )
    await administrator.send_form(f"{change}/remove", page=worker)
    assert "No weekly shift." in await _text(administrator, worker)


@pytest.mark.parametrize(
    ("what", "field", "before"),
    [
        ("weekly", "shift_id", "09:00-17:00 Monday to Friday all communities · 2026-01-01 – open end"),
        ("days", "dated_id", "2026-03-09 free"),
        ("leave", "leave_id", "2026-04-01 – 2026-04-07 Annual leave"),
    ],
)
async def test_what_was_removed_comes_back_with_undo(
    administrator: Browser, plans: dict[str, object], worker: str, what: str, field: str, before: str
) -> None:
    assert before in await _text(administrator, worker)
    await administrator.send_form(f"{worker}/{what}/{plans[field]}/remove", page=worker)
    page = (await administrator.get(worker)).text
    assert "Removed." in page
    undo = re.search(rf'<form[^>]*action="{worker}/{what}/new"[^>]*>(.*?)</form>', page, re.DOTALL)
    assert undo is not None
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', undo[1]))
    assert before not in await _text(administrator, worker)
    assert (await administrator.post(f"{worker}/{what}/new", data=fields)).status_code == 303
    assert before in await _text(administrator, worker)


async def test_an_exception_and_a_leave_are_planned(
    administrator: Browser, database: Database, estate: Estate, worker: str
) -> None:
    for path, fields in (
        ("days/new", {"day": "2026-03-07", "hours": "10:00-14:00", "note": "换班"}),
        ("leave/new", {"kind": "sick", "first_day": "2026-03-10", "note": "流感"}),
    ):
        await administrator.send_form(f"{worker}/{path}", page=f"{worker}/{path}", **fields)
    text = await _text(administrator, worker)
    assert "2026-03-07 10:00-14:00 all communities · 换班" in text
    assert "2026-03-10 Sick leave 流感" in text
    async with database.reading() as session:
        planned = await shifts.planned(
            session,
            estate.administrator,
            person_id=estate.principals[Role.WORKER].person_id or 0,
            since=date(2026, 3, 2),
        )
    assert [(each.kind, each.since, each.until) for each in planned.leaves] == [
        (LeaveKind.SICK, date(2026, 3, 10), date(2026, 3, 11))
    ]


@pytest.mark.parametrize(
    ("path", "fields", "mend"),
    [
        ("weekly/new", {"hours": "09:00-17:00", "first_day": "2026-03-02"}, "Fill this in."),
        (
            "weekly/new",
            {"weekdays": "7", "hours": "09:00-17:00", "first_day": "2026-03-02"},
            "Choose at least one weekday.",
        ),
        ("weekly/new", {"weekdays": "0", "hours": "9-17", "first_day": "2026-03-02"}, "“9-17” is not understood"),
        (
            "weekly/new",
            {"weekdays": "1", "hours": "16:00-20:00", "first_day": "2026-03-02"},
            "These hours overlap with the shift 09:00-17:00",
        ),
        (
            "weekly/new",
            {"weekdays": "5", "hours": "09:00-17:00", "first_day": "2026-03-02", "last_day": "2026-03-01"},
            "The last day must be the first day or later.",
        ),
        (
            "weekly/new",
            {"weekdays": "5", "hours": "09:00-17:00", "first_day": "2026-03-02", "last_day": "9999-12-31"},
            "Choose an earlier last day",
        ),
        ("days/new", {"day": "2026-03-09", "hours": "10:00-14:00"}, "2026-03-09 has its exception already."),
        ("days/new", {"day": "2026-03-10", "community_id": "999"}, "Choose among the communities"),
        ("leave/new", {"kind": "sick", "first_day": "2026-04-07"}, "There is a leave from 2026-04-01 to 2026-04-07"),
        ("leave/new", {"kind": "gone", "first_day": "2026-05-07"}, "Choose one of the values offered."),
    ],
)
@pytest.mark.usefixtures("plans")
async def test_a_plan_that_can_not_be_is_shown_again_with_the_mend(
    administrator: Browser, worker: str, path: str, fields: dict[str, str], mend: str
) -> None:
    answer = await administrator.send_form(f"{worker}/{path}", page=f"{worker}/{path}", **fields)
    assert answer.status_code == 422
    assert re.search(rf'class="(?:field|form)-error".*?{re.escape(mend)}', answer.text, re.DOTALL)


@pytest.mark.usefixtures("plans")
async def test_the_audit_says_in_words_what_was_planned(administrator: Browser) -> None:
    text = await _text(administrator, "/admin/audit")
    assert "granted a leave" in text
    assert "Leave: Annual leave; First day: 2026-04-01; Last day: 2026-04-07" in text
    assert "Weekdays: Monday, Tuesday, Wednesday, Thursday, Friday; Hours: 09:00-17:00" in text
    assert "made a version of a calendar" in text

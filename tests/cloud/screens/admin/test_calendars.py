import re

import pytest

from cloud.calendars import service
from cloud.core.database import Database
from tests.clocks import FixedClock
from tests.cloud.calendars.plans import SITE
from tests.cloud.estate import Estate
from tests.cloud.web.conftest import Browser

LIST = "/admin/calendars"
PAGE = f"{LIST}/site"


@pytest.fixture
async def site(database: Database, clock: FixedClock, estate: Estate) -> None:
    async with database.transaction() as session:
        await service.define(session, clock, estate.administrator, SITE)


async def _text(browser: Browser, path: str) -> str:
    """Return what a page says, without its markup."""
    answer = await browser.get(path)
    assert answer.status_code == 200, answer.text
    content = answer.text.partition("<main")[2]
    return " ".join(re.sub(r"<[^>]+>", " ", content).split())


async def test_an_organisation_without_calendars_is_offered_the_usual_ones(administrator: Browser) -> None:
    assert "There is no calendar yet." in await _text(administrator, LIST)
    answer = await administrator.send_form(LIST, page=LIST)
    assert answer.headers["location"] == LIST
    text = await _text(administrator, LIST)
    assert "Round the clock always · version 1 Monday to Sunday 00:00-24:00 open now" in text
    assert "Office hours office · version 1 Monday to Friday 09:00-12:00, 13:30-18:00" in text
    assert "Make the usual calendars" not in text


async def test_a_calendar_is_written_weekday_by_weekday(administrator: Browser) -> None:
    path = f"{LIST}/new"
    answer = await administrator.send_form(
        path,
        page=path,
        name_zh="门岗",
        name_en="Gate",
        code="gate",
        time_zone="Asia/Shanghai",
        monday="08:00-20:00",
        saturday="20:00-08:00",
    )
    assert answer.headers["location"] == f"{LIST}/gate"
    text = await _text(administrator, f"{LIST}/gate")
    assert "Monday 08:00-20:00 Tuesday to Friday closed Saturday 20:00-08:00 Sunday closed" in text


@pytest.mark.parametrize(
    ("fields", "mend"),
    [
        ({"friday": "nine to five"}, "“nine to five” is not understood"),
        ({"friday": "09:00-12:00, 11:00-18:00"}, "11:00-18:00 begins before"),
        ({"friday": "22:00-06:00", "saturday": "05:00-09:00"}, "05:00-09:00 begins before"),
        ({"code": "Gate 1", "friday": "09:00-12:00"}, "A code has 2 to 40 small letters"),
        ({"time_zone": "Asia/Spruce", "friday": "09:00-12:00"}, "is no time zone"),
        ({}, "Give at least one weekday its hours"),
    ],
)
async def test_a_calendar_that_can_not_be_is_shown_again_with_the_mend(
    administrator: Browser, fields: dict[str, str], mend: str
) -> None:
    path = f"{LIST}/new"
    answer = await administrator.send_form(
        path, page=path, **{"name_zh": "门岗", "code": "gate", "time_zone": "Asia/Shanghai", **fields}
    )
    assert answer.status_code == 422
    assert re.search(rf'class="(?:field|form)-error".*?{mend}', answer.text, re.DOTALL)
    assert 'value="门岗"' in answer.text


@pytest.mark.usefixtures("site")
async def test_a_changed_week_is_a_new_version_and_can_be_undone(administrator: Browser) -> None:
    path = f"{PAGE}/edit"
    form = (await administrator.get(path)).text
    assert re.search(r'name="friday"[^>]*value="09:00-17:00"', form)
    answer = await administrator.send_form(
        path, page=path, name_zh="现场时间", time_zone="Asia/Shanghai", friday="09:00-12:00", version="1"
    )
    assert answer.headers["location"] == PAGE
    page = (await administrator.get(PAGE)).text
    assert "Saved as a new version." in page
    assert re.search(r'action="/admin/calendars/site/restore".*?name="version" value="1"', page, re.DOTALL)
    await administrator.send_form(f"{PAGE}/restore", page=PAGE, version="1")
    text = await _text(administrator, f"{PAGE}?year=2026")
    assert "Monday to Friday 09:00-17:00" in text
    assert "version 3" in text
    assert "Spring Festival" in text


@pytest.mark.usefixtures("site")
async def test_who_changes_what_somebody_else_changed_is_told(administrator: Browser) -> None:
    path = f"{PAGE}/edit"
    fields = {"name_zh": "现场时间", "time_zone": "Asia/Shanghai", "version": "1"}
    await administrator.send_form(path, page=path, friday="09:00-12:00", **fields)
    answer = await administrator.send_form(path, page=path, friday="10:00-12:00", **fields)
    assert answer.status_code == 409
    assert "Somebody else changed this calendar meanwhile." in answer.text


@pytest.mark.usefixtures("site")
async def test_special_days_come_and_go(administrator: Browser) -> None:
    path = f"{PAGE}/days"
    fields = {"name_zh": "国庆节", "name_en": "National Day"}
    await administrator.send_form(path, page=path, first_day="2026-10-01", last_day="2026-10-07", **fields)
    await administrator.send_form(path, page=path, first_day="2026-10-10", hours="09:00-17:00", name_en="Made up")
    text = await _text(administrator, f"{PAGE}?year=2026")
    assert "National Day 10-01 Thursday – 10-07 Wednesday · 7 days · closed" in text
    assert "Made up 10-10 Saturday · open 09:00-17:00" in text
    answer = await administrator.send_form(
        f"{PAGE}/days/remove", page=PAGE, first_day="2026-10-01", last_day="2026-10-07"
    )
    assert answer.headers["location"] == f"{PAGE}?year=2026"
    assert "National Day" not in await _text(administrator, f"{PAGE}?year=2026")
    assert "No special days are entered for 2027." in await _text(administrator, f"{PAGE}?year=2027")


@pytest.mark.parametrize(
    ("fields", "mend"),
    [
        ({"first_day": "2026-02-10", "last_day": "2026-02-20"}, "2026-02-16 stands in the calendar already"),
        ({"first_day": "2026-03-10", "last_day": "2026-03-09"}, "The last day must be the first day or later"),
        ({"first_day": "2026-03-10", "hours": "all day"}, "“all day” is not understood"),
        ({"first_day": "tomorrow"}, "This value can&#39;t be read"),
        ({}, "Fill this in."),
    ],
)
@pytest.mark.usefixtures("site")
async def test_days_that_can_not_be_are_refused_at_their_field(
    administrator: Browser, fields: dict[str, str], mend: str
) -> None:
    answer = await administrator.send_form(f"{PAGE}/days", page=f"{PAGE}/days", **fields)
    assert answer.status_code == 422
    assert re.search(rf'class="field-error".*?{mend}', answer.text, re.DOTALL)


@pytest.mark.usefixtures("site")
async def test_a_calendar_can_be_tried(administrator: Browser) -> None:
    tried = await _text(administrator, f"{PAGE}?start=2026-02-13T16:30&hours=1")
    assert "plus 1 business hours is 2026-02-17 Tuesday 09:30 ." in tried  # over a weekend and a holiday
    wrong = await _text(administrator, f"{PAGE}?start=someday&hours=1000")
    assert "This value can&#39;t be read" in wrong
    assert "Must be 200 or less." in wrong


@pytest.mark.usefixtures("site")
async def test_the_pages_speak_chinese(administrator: Browser) -> None:
    administrator.cookies.set("gatehouse_language", "zh-Hans")
    assert "现场时间 site · 第 1 版 周一至周五 09:00-17:00" in await _text(administrator, LIST)

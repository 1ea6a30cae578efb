from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from cloud.accounts import organisations
from cloud.calendars import service
from cloud.calendars.definition import Definition, SpecialDay
from cloud.calendars.domain import ALWAYS, Window
from cloud.core.audit import AuditEntry
from cloud.core.database import Database
from cloud.core.errors import Conflict, Forbidden, NotFound, Refused
from cloud.core.principal import Role
from cloud.core.words import Words
from tests.clocks import FixedClock
from tests.cloud.estate import Estate

NINE_TO_FIVE = (Window(540, 1_020),)
SITE = Definition(
    code="site",
    name=Words(zh="现场时间", en="On site"),
    time_zone="Asia/Shanghai",
    week=(NINE_TO_FIVE,) * 5 + ((),) * 2,
)
SPRING = SpecialDay(day=date(2026, 2, 16), name=Words(zh="春节", en="Spring Festival"))
MADE_UP = SpecialDay(day=date(2026, 2, 14), name=Words(zh="调休", en=""), windows=NINE_TO_FIVE)
HOUR = timedelta(hours=1)


@pytest.fixture
async def site_id(database: Database, clock: FixedClock, estate: Estate) -> int:
    async with database.transaction() as session:
        return await service.define(session, clock, estate.administrator, SITE)


async def _pin(database: Database, clock: FixedClock, estate: Estate, code: str) -> int:
    async with database.transaction() as session:
        return await service.pin(session, clock, estate.administrator, code=code)


async def test_the_default_calendars_are_there_when_they_are_first_asked_for(
    database: Database, clock: FixedClock, estate: Estate
) -> None:
    always_id = await _pin(database, clock, estate, "always")
    office_id = await _pin(database, clock, estate, "office")
    assert await _pin(database, clock, estate, "office") == office_id
    async with database.reading() as session:
        found = await service.calendars(session, estate.principals[Role.WORKER], [always_id, office_id, 999])
    assert list(found) == [always_id, office_id]
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    assert found[always_id].between(start, end) == ALWAYS.between(start, end)
    friday = datetime(2026, 3, 6, 9, 30, tzinfo=UTC)  # 17:30 in Shanghai
    assert found[office_id].add(friday, HOUR) == datetime(2026, 3, 9, 1, 30, tzinfo=UTC)


async def test_the_statutory_year_2026_is_what_the_state_council_gave_notice_of(
    database: Database, clock: FixedClock, estate: Estate
) -> None:
    """The notice's own counts: 33 days off and 6 days made up, whose dates it names."""
    await _pin(database, clock, estate, "office")
    async with database.reading() as session:
        office = await service.find_calendar(session, estate.administrator, code="office")
    days = office.definition.days
    assert sum(not each.windows for each in days) == 3 + 9 + 3 + 5 + 3 + 3 + 7
    assert [each.day.isoformat() for each in days if each.windows] == [
        "2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10",
    ]  # fmt: skip
    assert {each.windows for each in days if each.windows} == {office.definition.week[0]}


async def test_an_organisation_elsewhere_begins_without_chinas_holidays(
    database: Database, clock: FixedClock, estate: Estate
) -> None:
    async with database.transaction() as session:
        await organisations.change_organisation(
            session, clock, estate.administrator, name="Spruce", time_zone="Europe/Berlin"
        )
        await service.seed(session, clock, estate.administrator)
        office = await service.find_calendar(session, estate.administrator, code="office")
    assert (office.definition.time_zone, office.definition.days) == ("Europe/Berlin", ())


async def test_seeding_again_changes_nothing_that_was_made(
    database: Database, clock: FixedClock, estate: Estate
) -> None:
    mine = replace(SITE, code="office")
    async with database.transaction() as session:
        await service.define(session, clock, estate.administrator, mine)
        await service.seed(session, clock, estate.administrator)
        await service.seed(session, clock, estate.administrator)
        found = await service.list_calendars(session, estate.administrator)
    assert [(each.definition.code, each.version) for each in found] == [("always", 1), ("office", 1)]
    assert found[1].definition == mine


async def test_what_is_pinned_keeps_its_version_whatever_is_changed(
    database: Database, clock: FixedClock, estate: Estate, site_id: int
) -> None:
    longer = replace(SITE, week=((Window(480, 1_200),),) * 5 + ((),) * 2)
    async with database.transaction() as session:
        new_id = await service.define(session, clock, estate.administrator, longer, version=1)
    async with database.reading() as session:
        pinned = await service.calendar(session, estate.administrator, version_id=site_id)
        newer = await service.calendar(session, estate.administrator, version_id=new_id)
    opening = datetime(2026, 3, 5, 16, tzinfo=UTC)  # midnight in Shanghai
    assert pinned.add(opening, HOUR) == datetime(2026, 3, 6, 2, tzinfo=UTC)
    assert newer.add(opening, HOUR) == datetime(2026, 3, 6, 1, tzinfo=UTC)
    assert await _pin(database, clock, estate, "site") == new_id


async def test_days_come_and_go_in_versions_that_can_be_taken_back(
    database: Database, clock: FixedClock, estate: Estate, site_id: int
) -> None:
    who = estate.administrator
    async with database.transaction() as session:
        await service.add_days(session, clock, who, code="site", days=[SPRING, MADE_UP])
        await service.remove_days(session, clock, who, code="site", first=SPRING.day, last=SPRING.day)
        await service.restore(session, clock, who, code="site", version=2)
    async with database.reading() as session:
        versions = await service.list_versions(session, who, code="site")
    assert [(each.version, each.definition.days) for each in versions] == [
        (4, (MADE_UP, SPRING)),
        (3, (MADE_UP,)),
        (2, (MADE_UP, SPRING)),
        (1, ()),
    ]
    assert [each.replaced_at is None for each in versions] == [True, False, False, False]


async def test_a_version_that_says_nothing_new_is_none(
    database: Database, clock: FixedClock, estate: Estate, site_id: int
) -> None:
    async with database.transaction() as session:
        assert await service.define(session, clock, estate.administrator, SITE, version=1) == site_id


async def test_every_version_is_written_down_with_what_differs(
    database: Database, clock: FixedClock, estate: Estate, site_id: int
) -> None:
    async with database.transaction() as session:
        await service.add_days(session, clock, estate.administrator, code="site", days=[SPRING, MADE_UP])
    async with database.reading() as session:
        entries = (await session.scalars(select(AuditEntry).order_by(AuditEntry.id))).all()
    assert [(each.action, each.subject, each.before) for each in entries] == [
        ("calendars.defined", "calendar:site", None),
        ("calendars.defined", "calendar:site", {"version": 1, "days": []}),
    ]
    assert entries[0].after == {
        "version": 1,
        "name": {"zh": "现场时间", "en": "On site"},
        "time_zone": "Asia/Shanghai",
        "week": ["09:00-17:00"] * 5 + ["", ""],
    }
    assert entries[1].after == {"version": 2, "days": ["2026-02-14 调休 09:00-17:00", "2026-02-16 春节"]}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({"code": "New Site"}, "code", id="a code with blanks"),
        pytest.param({"code": "new"}, "code", id="the code of the form"),
        pytest.param({"name": Words(zh="", en="")}, "name_zh", id="no name"),
        pytest.param({"name": Words(zh="", en="x" * 81)}, "name_en", id="a name that is too long"),
        pytest.param({"time_zone": "Asia/Spruce"}, "time_zone", id="no such zone"),
        pytest.param({"week": ((),) * 7}, "monday", id="never open"),
        pytest.param({"week": ((Window(0, 600), Window(540, 700)),) + ((),) * 6}, "monday", id="overlapping"),
        pytest.param(
            {"week": ((), (Window(1_320, 1_800),), (Window(300, 540),), *((),) * 4)},
            "wednesday",
            id="overlapping over midnight",
        ),
        pytest.param({"days": (SPRING, SPRING)}, "first_day", id="a date twice"),
        pytest.param(
            {"days": (replace(SPRING, windows=(Window(0, 600), Window(540, 700))),)}, "hours", id="a day overlapping"
        ),
        pytest.param(
            {"days": tuple(replace(SPRING, day=SPRING.day + n * timedelta(days=1)) for n in range(2_001))},
            "first_day",
            id="too many days",
        ),
    ],
)
async def test_a_calendar_that_can_not_be_is_refused_at_its_field(
    database: Database, clock: FixedClock, estate: Estate, change: dict[str, Any], field: str
) -> None:
    async with database.transaction() as session:
        with pytest.raises(Refused) as refused:
            await service.define(session, clock, estate.administrator, replace(SITE, **change))
    assert refused.value.field == field


async def test_a_day_that_is_there_is_not_added_again(
    database: Database, clock: FixedClock, estate: Estate, site_id: int
) -> None:
    async with database.transaction() as session:
        await service.add_days(session, clock, estate.administrator, code="site", days=[SPRING])
        with pytest.raises(Refused, match="2026-02-16 stands in the calendar already"):
            await service.add_days(session, clock, estate.administrator, code="site", days=[SPRING])


async def test_a_code_that_is_taken_is_a_conflict(
    database: Database, clock: FixedClock, estate: Estate, site_id: int
) -> None:
    async with database.transaction() as session:
        with pytest.raises(Conflict, match="with this code") as conflict:
            await service.define(session, clock, estate.administrator, SITE)
    assert conflict.value.field == "code"


async def test_who_changes_what_somebody_else_changed_meanwhile_is_told(
    database: Database, clock: FixedClock, estate: Estate, site_id: int
) -> None:
    async with database.transaction() as session:
        await service.add_days(session, clock, estate.administrator, code="site", days=[SPRING])
        with pytest.raises(Conflict, match="meanwhile"):
            await service.define(session, clock, estate.administrator, SITE, version=1)


async def test_only_an_administrator_defines(
    database: Database, clock: FixedClock, estate: Estate, site_id: int
) -> None:
    async with database.transaction() as session:
        for role in set(Role) - {Role.ADMINISTRATOR}:
            with pytest.raises(Forbidden):
                await service.define(session, clock, estate.principals[role], replace(SITE, code="mine"))


_DAY = SPRING.day
_Who = tuple[Any, Any, Any]


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda who: service.pin(*who, code="site"), id="pin"),
        pytest.param(lambda who: service.calendar(who[0], who[2], version_id=1), id="calendar"),
        pytest.param(lambda who: service.find_calendar(who[0], who[2], code="site"), id="find"),
        pytest.param(lambda who: service.add_days(*who, code="site", days=[SPRING]), id="add days"),
        pytest.param(lambda who: service.remove_days(*who, code="site", first=_DAY, last=_DAY), id="remove a day"),
        pytest.param(lambda who: service.restore(*who, code="site", version=1), id="restore"),
    ],
)
async def test_the_neighbour_finds_no_calendar_of_ours(
    database: Database, clock: FixedClock, neighbour: Estate, site_id: int, ask: Callable[[_Who], Any]
) -> None:
    assert site_id == 1
    async with database.transaction() as session:
        with pytest.raises(NotFound):
            await ask((session, clock, neighbour.administrator))


async def test_the_neighbours_lists_are_empty(database: Database, neighbour: Estate, site_id: int) -> None:
    async with database.reading() as session:
        assert await service.calendars(session, neighbour.administrator, [site_id]) == {}
        assert await service.list_calendars(session, neighbour.administrator) == []
        assert await service.list_versions(session, neighbour.administrator, code="site") == []

"""A calendar and a worker's shifts, for tests of what stands on them."""

from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.calendars import planning, service
from cloud.calendars.definition import Definition, SpecialDay
from cloud.calendars.domain import Window
from cloud.calendars.roster import LeaveKind, ShiftTerms
from cloud.core.clock import Clock
from cloud.core.principal import Role
from cloud.core.words import Words
from tests.cloud.estate import Estate

DAYTIME = (Window(9 * 60, 17 * 60),)
SITE = Definition(
    code="site",
    name=Words(zh="现场时间", en="On site"),
    time_zone="Asia/Shanghai",
    week=(DAYTIME,) * 5 + ((),) * 2,
    days=(SpecialDay(day=date(2026, 2, 16), name=Words(zh="春节", en="Spring Festival")),),
)
WEEKDAYS = ShiftTerms(weekdays=frozenset(range(5)), windows=DAYTIME, since=date(2026, 1, 1))


async def make_plans(session: AsyncSession, clock: Clock, estate: Estate) -> dict[str, object]:
    """Put up the calendar SITE and plan the worker's weekdays, a free Monday and a leave; return their ids by name."""
    who = (session, clock, estate.administrator)
    person_id = estate.principals[Role.WORKER].person_id or 0
    await service.define(*who, SITE)
    return {
        "code": SITE.code,
        "shift_id": await planning.add_shift(*who, person_id=person_id, terms=WEEKDAYS),
        "dated_id": await planning.set_day(*who, person_id=person_id, day=date(2026, 3, 9), windows=()),
        "leave_id": await planning.grant_leave(
            *who, person_id=person_id, kind=LeaveKind.ANNUAL, since=date(2026, 4, 1), until=date(2026, 4, 8)
        ),
    }

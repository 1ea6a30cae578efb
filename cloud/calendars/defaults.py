"""The calendars that an organisation begins with, and China's statutory holidays as yearly data."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from cloud.calendars.definition import Definition, SpecialDay
from cloud.calendars.domain import ROUND_THE_CLOCK, Window
from cloud.core.words import Words

ALWAYS_CODE = "always"
OFFICE_CODE = "office"

_OFFICE_HOURS = (Window(9 * 60, 12 * 60), Window(13 * 60 + 30, 18 * 60))
_CHINA = frozenset(
    {"Asia/Shanghai", "Asia/Chongqing", "Asia/Chungking", "Asia/Harbin", "Asia/Kashgar", "Asia/Urumqi", "PRC"}
)
"""The zones whose organisations begin with China's holidays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Holiday:
    name: Words
    first: date
    last: date
    made_up: tuple[date, ...] = ()
    """Days of rest that are worked instead (调休)."""


_STATUTORY: Mapping[int, tuple[_Holiday, ...]] = {
    2026: (
        _Holiday(
            name=Words(zh="元旦", en="New Year's Day"),
            first=date(2026, 1, 1),
            last=date(2026, 1, 3),
            made_up=(date(2026, 1, 4),),
        ),
        _Holiday(
            name=Words(zh="春节", en="Spring Festival"),
            first=date(2026, 2, 15),
            last=date(2026, 2, 23),
            made_up=(date(2026, 2, 14), date(2026, 2, 28)),
        ),
        _Holiday(name=Words(zh="清明节", en="Tomb-Sweeping Day"), first=date(2026, 4, 4), last=date(2026, 4, 6)),
        _Holiday(
            name=Words(zh="劳动节", en="Labour Day"),
            first=date(2026, 5, 1),
            last=date(2026, 5, 5),
            made_up=(date(2026, 5, 9),),
        ),
        _Holiday(name=Words(zh="端午节", en="Dragon Boat Festival"), first=date(2026, 6, 19), last=date(2026, 6, 21)),
        _Holiday(name=Words(zh="中秋节", en="Mid-Autumn Festival"), first=date(2026, 9, 25), last=date(2026, 9, 27)),
        _Holiday(
            name=Words(zh="国庆节", en="National Day"),
            first=date(2026, 10, 1),
            last=date(2026, 10, 7),
            made_up=(date(2026, 9, 20), date(2026, 10, 10)),
        ),
    ),
}
"""By year, as the General Office of the State Council gives notice of them in the November before: 2026 after the
notice of 4 November 2025 (国务院办公厅关于2026年部分节假日安排的通知, printed by Xinhua the same day).

Other years are not confirmed and are left out: an administrator enters them once their notice is out, and corrects
what an organisation keeps otherwise."""


def defaults(time_zone: str) -> tuple[Definition, ...]:
    """Return the calendars of an organisation that has defined none: round the clock, and office hours."""
    always = Definition(
        code=ALWAYS_CODE,
        name=Words(zh="全天候", en="Round the clock"),
        time_zone=time_zone,
        week=(ROUND_THE_CLOCK,) * 7,
    )
    office = Definition(
        code=OFFICE_CODE,
        name=Words(zh="办公时间", en="Office hours"),
        time_zone=time_zone,
        week=(_OFFICE_HOURS,) * 5 + ((),) * 2,
        days=_statutory_days(_OFFICE_HOURS) if time_zone in _CHINA else (),
    )
    return always, office


def _statutory_days(hours: tuple[Window, ...]) -> tuple[SpecialDay, ...]:
    """Return every known year's holidays, and their make-up days with `hours`, in order."""
    days = []
    for holiday in (each for year in _STATUTORY.values() for each in year):
        length = (holiday.last - holiday.first).days + 1
        days += [SpecialDay(day=holiday.first + timedelta(days=n), name=holiday.name) for n in range(length)]
        made_up = Words(zh=f"{holiday.name.zh}调休上班", en=f"Made up for {holiday.name.en}")
        days += [SpecialDay(day=day, name=made_up, windows=hours) for day in holiday.made_up]
    return tuple(sorted(days, key=lambda each: each.day))

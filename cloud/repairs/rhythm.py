"""When an inspection comes round: every so many weeks or months on a day that is worked, or at so much on a meter."""

import calendar as months
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from cloud.calendars.domain import BusinessCalendar

_FURTHEST_DAYS = 60  # longer than any holiday; a calendar without a worked day for so long is not to be waited for


class Rhythm(StrEnum):
    """By what an inspection comes round."""

    WEEKS = "weeks"
    MONTHS = "months"
    METER = "meter"  # what a point has counted: hours that a pump has run, kilometres, cycles


def turn(first_on: date, rhythm: Rhythm, every: int, number: int) -> date:
    """Return the day of turn `number` of a calendar's rhythm, 0 for the first day itself.

    It is reckoned from the first day, so that the 31st comes back after a shorter month.

    Raises:
        ValueError: a meter's rhythm has no days.
    """
    if rhythm is Rhythm.WEEKS:
        return first_on + timedelta(weeks=every * number)
    if rhythm is not Rhythm.MONTHS:
        raise ValueError(f"rhythm {rhythm} has no days: ask next_mark")
    month = first_on.month - 1 + every * number
    year, month = first_on.year + month // 12, month % 12 + 1
    return date(year, month, min(first_on.day, months.monthrange(year, month)[1]))


def worked_day(calendar: BusinessCalendar, day: date) -> date:
    """Return the first day from `day` on that is worked; `day` itself where none comes within two months."""
    days = (day + timedelta(days=each) for each in range(_FURTHEST_DAYS))
    return next((each for each in days if calendar.windows(each)), day)


def next_mark(due: Decimal, every: Decimal, value: Decimal) -> Decimal:
    """Return the next mark of a meter's rhythm after `due` that lies above `value`: missed ones are one inspection."""
    missed = max((value - due) // every, Decimal(0))
    return due + every * (missed + 1)

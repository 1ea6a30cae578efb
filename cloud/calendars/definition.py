"""A calendar as an administrator writes it, and what it may say."""

import re
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from itertools import pairwise

from cloud.accounts.domain import check_time_zone
from cloud.calendars import hours
from cloud.calendars.domain import BusinessCalendar, Window, overlap
from cloud.core.errors import Refused
from cloud.core.words import Words
from firmware_configs.look.words import _

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
"""The fields that hold the hours of the weekdays."""

NAME_LENGTH = 80
MOST_DAYS = 2_000
"""Dates that one calendar may list: forty years of holidays, and still one small row."""

_CODE = re.compile(r"[a-z][a-z0-9_-]{1,39}")
_TAKEN_CODES = frozenset({"new"})  # the address of the form for a new one


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialDay:
    """A date that differs from its weekday.

    Attributes:
        windows: empty for a holiday; the hours of a make-up working day or a short one.
    """

    day: date
    name: Words
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """All that a version of a calendar says.

    Attributes:
        code: by which types and rules name it; it never changes.
        week: the windows of the seven weekdays, from Monday.
        days: in order.
    """

    code: str
    name: Words
    time_zone: str
    week: tuple[tuple[Window, ...], ...]
    days: tuple[SpecialDay, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarVersion:
    """A version of a calendar; what was pinned to it keeps it for ever.

    Attributes:
        replaced_at: None for the one in force.
    """

    id: int
    version: int
    definition: Definition
    created_at: datetime
    replaced_at: datetime | None


@lru_cache(maxsize=256)
def business_calendar(definition: Definition) -> BusinessCalendar:
    """Return the arithmetic of a definition; it is kept, since what it has worked out serves every timer."""
    return BusinessCalendar(
        definition.time_zone, dict(enumerate(definition.week)), {each.day: each.windows for each in definition.days}
    )


def checked(definition: Definition) -> Definition:
    """Return the definition with its windows and days in order.

    Raises:
        Refused: something in it can't be; the error names the field.
    """
    _check_names(definition)
    check_time_zone(definition.time_zone)
    _check_week(definition.week)
    for each in definition.days:
        hours.check(each.windows, field="hours")
    days = tuple(sorted(definition.days, key=lambda each: each.day))
    for earlier, later in pairwise(days):
        if earlier.day == later.day:
            sentence = _("%(day)s stands in the calendar already. Remove it there first.")
            raise Refused(sentence, "first_day", day=later.day.isoformat())
    if len(days) > MOST_DAYS:
        sentence = _("A calendar holds at most %(most)d special days. Remove those of past years.")
        raise Refused(sentence, "first_day", most=MOST_DAYS)
    return replace(definition, days=days, week=tuple(tuple(sorted(windows)) for windows in definition.week))


def _check_names(definition: Definition) -> None:
    if not _CODE.fullmatch(definition.code) or definition.code in _TAKEN_CODES:
        sentence = _("A code has 2 to 40 small letters, digits, - or _, begins with a letter, and is not “new”.")
        raise Refused(sentence, "code")
    if not (definition.name.zh or definition.name.en):
        raise Refused(_("Give the calendar a name in one of the two languages."), "name_zh")
    for words in (definition.name, *(each.name for each in definition.days)):
        for language, text in (("name_zh", words.zh), ("name_en", words.en)):
            if len(text) > NAME_LENGTH:
                raise Refused(_("A name has at most %(length)d characters."), language, length=NAME_LENGTH)


def _check_week(week: tuple[tuple[Window, ...], ...]) -> None:
    if len(week) != len(WEEKDAYS) or not any(week):
        sentence = _("Give at least one weekday its hours: a calendar that is never open has no deadlines.")
        raise Refused(sentence, WEEKDAYS[0])
    found = overlap(dict(enumerate(week)))
    if found is not None:
        weekday, window = found
        sentence = _("%(hours)s begins before the hours in front of it have ended. Put them apart or together.")
        raise Refused(sentence, WEEKDAYS[weekday], hours=hours.written([window]))

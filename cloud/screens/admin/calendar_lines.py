"""A calendar in words: weekdays with the same hours in one line, and special days that belong together."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from cloud.calendars import hours
from cloud.calendars.definition import Definition, SpecialDay
from cloud.core.words import Words
from cloud.screens.admin.calendar_words import WEEKDAY_LABELS
from cloud.web.pages import Page
from firmware_configs.look.words import _

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Special days that follow each other with one name and the same hours.

    Attributes:
        hours: as they are written; empty for closed days.
    """

    first: date
    last: date
    name: Words
    hours: str

    @property
    def days(self) -> int:
        """Return how many they are."""
        return (self.last - self.first).days + 1


def week_lines(page: Page, definition: Definition) -> list[tuple[str, str]]:
    """Return the week as ("Monday to Friday", "09:00-12:00, 13:30-18:00"), closed days with empty hours."""
    lines = []
    for _windows, group in groupby(enumerate(definition.week), key=lambda pair: pair[1]):
        weekdays = [weekday for weekday, _same in group]
        lines.append((weekday_span(page, weekdays), hours.written(definition.week[weekdays[0]])))
    return lines


def weekday_span(page: Page, weekdays: Sequence[int]) -> str:
    """Return weekdays in words, three or more that follow each other as "Monday to Friday"."""
    spans = []
    for _step, group in groupby(enumerate(sorted(weekdays)), key=lambda pair: pair[1] - pair[0]):
        names = [page.say(WEEKDAY_LABELS[weekday]) for _n, weekday in group]
        if len(names) > 2:
            spans.append(page.say(_("%(first)s to %(last)s"), first=names[0], last=names[-1]))
        else:
            spans += names
    return page.say(_("list|, ")).join(spans)


def runs(days: Iterable[SpecialDay]) -> Iterator[Run]:
    """Yield days that come in order, those that belong together in one."""
    gathered: list[SpecialDay] = []
    for each in days:
        if gathered and not _belongs(gathered[-1], each):
            yield _run(gathered)
            gathered = []
        gathered.append(each)
    if gathered:
        yield _run(gathered)


def _belongs(earlier: SpecialDay, later: SpecialDay) -> bool:
    return later.day - earlier.day == _DAY and (later.name, later.windows) == (earlier.name, earlier.windows)


def _run(days: Sequence[SpecialDay]) -> Run:
    first = days[0]
    return Run(first=first.day, last=days[-1].day, name=first.name, hours=hours.written(first.windows))

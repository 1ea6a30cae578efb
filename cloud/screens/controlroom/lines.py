"""An alarm as a line that a person reads: what, where, how bad, since when, and who is on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from cloud.alarms import service as alarms
from cloud.alarms.domain import Notice, Priority, Side
from cloud.alarms.service import Alarm
from cloud.alarms.terms import Kind
from cloud.fleet import service as fleet
from cloud.fleet.domain import Reading
from cloud.tickets import reading as tickets
from cloud.tickets.reading import Ticket
from cloud.web import formats, words
from cloud.web.pages import Page
from cloud.web.session import Unit
from firmware_configs.look.words import _

PER_HOUR = "/h"

_BOUNDS = {
    Side.HIGH: _("above %(bound)s"),
    Side.LOW: _("below %(bound)s"),
    Side.EQUAL: _("is %(bound)s"),
    Side.SILENT: _("no value for %(bound)s"),
}
_RATES = {Side.HIGH: _("rises faster than %(bound)s"), Side.LOW: _("falls faster than %(bound)s")}


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmLine:
    """One alarm, with its words in the reader's language.

    Attributes:
        where: the place, and what is measured there.
        value: what it returned with, or was raised with while it is active; empty when there is none.
        reading: the newest reading of its point while it is active.
        limit: what was passed.
        consequence: what happens if nobody acts, and `first_action` what to do first; empty where nobody wrote it.
        count: how often its rule has raised in the last 24 hours, or its cause has happened.
    """

    alarm: Alarm
    name: str
    where: str
    value: str
    reading: Reading | None
    limit: str
    consequence: str
    first_action: str
    count: int
    ticket: Ticket | None

    @property
    def id(self) -> int:
        """Return the alarm's id."""
        return self.alarm.id

    @property
    def now(self) -> str:
        """Return the newest reading as text; empty when there is none."""
        return "" if self.reading is None else formats.quantity(self.reading.value, self.alarm.unit)

    @property
    def asks(self) -> bool:
        """Return whether somebody should take notice."""
        return self.alarm.notice is Notice.ASKED or (self.alarm.is_active and self.alarm.acknowledged_at is None)

    @property
    def pulses(self) -> bool:
        """Return whether it is so grave that it must catch the eye until somebody has taken notice."""
        return self.asks and self.alarm.priority is Priority.CRITICAL


async def lines(work: Unit, page: Page, found: Sequence[Alarm]) -> list[AlarmLine]:
    """Return the alarms as lines, with what other slices know of them."""
    session, clock, principal = work.session, work.clock, work.principal
    point_ids = {alarm.point_id for alarm in found if alarm.point_id is not None}
    latest = await fleet.latest(session, principal, point_ids=point_ids)
    counts = await alarms.counts(session, clock, principal, found)
    opened = await tickets.tickets_of_alarms(session, clock, principal, alarm_ids=[alarm.id for alarm in found])
    return [
        _line(page, alarm, reading=latest.get(alarm.point_id or 0), count=counts[alarm.id], ticket=opened.get(alarm.id))
        for alarm in found
    ]


async def line(work: Unit, page: Page, *, alarm_id: int) -> AlarmLine:
    """Return one alarm as a line.

    Raises:
        NotFound: there is none that the principal may see.
    """
    found = await alarms.alarm(work.session, work.principal, alarm_id=alarm_id)
    return (await lines(work, page, [found]))[0]


def name_of(page: Page, alarm: Alarm) -> str:
    """Return what is abnormal."""
    if alarm.cause is not None:
        return page.say(words.CAUSES[alarm.cause])
    return words.written(alarm.name, page.reader.locale) if alarm.name else ""


def limit_of(page: Page, alarm: Alarm) -> str:
    """Return what was passed; empty for what Gatehouse raised itself."""
    if alarm.limit is None or alarm.side is None:
        return ""
    if alarm.side is Side.SILENT:
        bound = formats.duration(timedelta(seconds=alarm.limit), page.reader)
    else:
        bound = formats.quantity(alarm.limit, alarm.unit) + (PER_HOUR if alarm.kind is Kind.RATE else "")
    sentences = _RATES if alarm.kind is Kind.RATE else _BOUNDS
    return page.say(sentences[alarm.side], bound=bound)


def raised_value_of(alarm: Alarm) -> str:
    """Return what it was raised with; empty when there was no value."""
    return "" if alarm.raised_value is None else formats.quantity(alarm.raised_value, alarm.unit)


def _line(page: Page, alarm: Alarm, *, reading: Reading | None, count: int, ticket: Ticket | None) -> AlarmLine:
    value = alarm.raised_value if alarm.is_active else alarm.returned_value
    return AlarmLine(
        alarm=alarm,
        name=name_of(page, alarm),
        where=" · ".join(part for part in (alarm.place, alarm.label) if part),
        value="" if value is None else formats.quantity(value, alarm.unit),
        reading=reading if alarm.is_active else None,
        limit=limit_of(page, alarm),
        consequence=words.written(alarm.consequence, page.reader.locale) if alarm.consequence else "",
        first_action=words.written(alarm.first_action, page.reader.locale) if alarm.first_action else "",
        count=count,
        ticket=ticket,
    )

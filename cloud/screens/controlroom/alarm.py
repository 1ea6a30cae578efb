"""One alarm: its curve, its past, what to do, its ticket, and who did what."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from starlette.responses import Response

from cloud.alarms import service as alarms
from cloud.alarms.domain import Deed
from cloud.alarms.service import Alarm, Entry
from cloud.alarms.terms import Kind
from cloud.core.principal import Role
from cloud.fleet import service as fleet
from cloud.fleet.series import SeriesStore
from cloud.screens.controlroom.curve import around
from cloud.screens.controlroom.lines import AlarmLine, limit_of, line, lines
from cloud.web.forms import Form, FormModel
from cloud.web.pages import OnPage, Page
from cloud.web.points import point_label
from cloud.web.routing import pages_for
from cloud.web.series import Series
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

router = pages_for(Role.OPERATOR)

_EARLIER = 10

DEEDS = {
    Deed.ACKNOWLEDGED: (_("Acknowledged"), "check"),
    Deed.UNACKNOWLEDGED: (_("The acknowledgement was taken back"), "arrow-back-up"),
    Deed.NOTED: (_("Note"), "note"),
    Deed.REPEATED: (_("It happened again"), "refresh"),
    Deed.CORRECTED: (_("Readings that came later moved its beginning or its end"), "history"),
    Deed.WITHDRAWN: (_("Readings that came later show that it was none, or part of another"), "history"),
    Deed.RULE_CHANGED: (_("Its rule was changed or switched off, which ended it"), "edit"),
}


class NoteForm(FormModel):
    """A note in the alarm's record."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A line of who did what, as the timeline draws it."""

    at: datetime
    what: str
    icon: str
    who: str = ""
    said: str = ""


@router.get("/alarms/{alarm_id}")
async def alarm_page(work: Work, page: OnPage, series: Series, alarm_id: int) -> Response:
    """Draw one alarm."""
    return await _draw(work, page, series, alarm_id, Form.blank(NoteForm))


@router.post("/alarms/{alarm_id}/notes")
async def add_note(work: Work, page: OnPage, series: Series, alarm_id: int) -> Response:
    """Write a note."""
    form = await page.form(NoteForm)
    async with page.mending(form, lambda: _draw(work, page, series, alarm_id, form)):
        await alarms.note(work.session, work.clock, work.principal, alarm_id=alarm_id, text=form.value.text)
    work.changed("alarms")
    return page.done(f"/alarms/{alarm_id}", _("The note is kept."))


async def _draw(work: Unit, page: Page, series: SeriesStore, alarm_id: int, form: Form[NoteForm]) -> Response:
    shown = await line(work, page, alarm_id=alarm_id)
    alarm = shown.alarm
    earlier = await alarms.history_of(work.session, work.principal, alarm=alarm, limit=_EARLIER)
    entries = await alarms.record(work.session, work.principal, alarm_id=alarm_id)
    points = await fleet.points(work.session, work.principal, point_ids=[alarm.point_id or 0])
    curve = await around(series, alarm, now=work.clock.now())
    return page.show(
        "controlroom/alarm.html",
        shown=shown,
        measured=point_label(points[0], page.reader) if points else shown.name,
        curve=curve,
        limits=_limits(page, alarm),
        marks=_marks(page, alarm),
        earlier=await lines(work, page, earlier),
        steps=_steps(page, shown, entries),
        form=form,
    )


def _limits(page: Page, alarm: Alarm) -> list[tuple[float, str]]:
    """Return the line of the limit that was passed, where the curve has one: a rate and a silence have none."""
    if alarm.limit is None or alarm.kind not in {Kind.LIMITS, Kind.STATE}:
        return []
    return [(alarm.limit, page.say(_("Limit")))]


def _marks(page: Page, alarm: Alarm) -> list[tuple[datetime, str]]:
    marks = [(alarm.raised_at, page.say(_("Raised")))]
    return [*marks, (alarm.returned_at, page.say(_("Cleared")))] if alarm.returned_at else marks


def _steps(page: Page, shown: AlarmLine, entries: Sequence[Entry]) -> list[Step]:
    """Return what happened to the alarm, the newest first."""
    alarm = shown.alarm
    steps = [
        Step(at=alarm.raised_at, what=page.say(_("Raised")), icon="bell-ringing", said=page.say(limit_of(page, alarm)))
    ]
    if alarm.announced_at is not None:
        steps.append(Step(at=alarm.announced_at, what=page.say(_("Announced to the control room")), icon="send"))
    if shown.ticket is not None:
        steps.append(
            Step(at=shown.ticket.opened_at, what=page.say(_("Ticket opened")), icon="ticket", said=shown.ticket.number)
        )
    if alarm.returned_at is not None and alarm.withdrawn_at is None:
        steps.append(Step(at=alarm.returned_at, what=page.say(_("Cleared")), icon="circle-check", said=shown.value))
    for entry in reversed(entries):
        sentence, icon = DEEDS[entry.deed]
        steps.append(Step(at=entry.at, what=page.say(sentence), icon=icon, who=entry.actor, said=entry.text))
    return sorted(steps, key=lambda step: step.at)[::-1]

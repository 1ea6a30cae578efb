"""The roster: who is on duty now, everybody's week, and writing shifts, exceptions and leave."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field
from starlette.responses import Response

from cloud.accounts import organisations, people
from cloud.accounts.domain import Person
from cloud.accounts.phones import shown
from cloud.calendars import hours, planning, shifts
from cloud.calendars.roster import Duty, LeaveKind, Roster, ShiftTerms
from cloud.core.errors import Refused
from cloud.core.principal import Role
from cloud.properties import service as properties
from cloud.properties.domain import SEPARATOR
from cloud.screens.admin.calendar_lines import weekday_span
from cloud.screens.admin.calendar_words import LEAVE_KINDS, WEEKDAY_LABELS
from cloud.web.forms import Form, FormModel
from cloud.web.ids import Id
from cloud.web.notices import Undo
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

router = pages_for(Role.ADMINISTRATOR)

ROSTER = "/admin/shifts"
_DAY = timedelta(days=1)
_WEEKS_AROUND = range(1990, 2200)
_NOTE = Annotated[str, Field(max_length=120)]


def _split(values: object) -> object:
    """Return the parts of what was sent as one text: an undo sends every field once."""
    return [part for text in values for part in text.split(",")] if isinstance(values, list) else values


class ShiftForm(FormModel):
    """A weekly shift; without a last day it goes on."""

    weekdays: Annotated[tuple[int, ...], BeforeValidator(_split)]
    hours: Annotated[str, Field(min_length=1, max_length=120)]
    community_id: Id | None = None
    first_day: date
    last_day: date | None = None


class DatedForm(FormModel):
    """A day that differs from the week; without hours a free one."""

    day: date
    hours: Annotated[str, Field(max_length=120)] = ""
    community_id: Id | None = None
    note: _NOTE = ""


class LeaveForm(FormModel):
    """A leave; without a last day one of a single day."""

    kind: LeaveKind
    first_day: date
    last_day: date | None = None
    note: _NOTE = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterLine:
    """A person's week.

    Attributes:
        cells: for each of the seven days, the shifts or the leave in words; empty on a free day.
    """

    person: Person
    cells: tuple[str, ...]

    @property
    def is_planned(self) -> bool:
        """Return whether anything is planned for the person in this week."""
        return any(self.cells)


@router.get("/admin/shifts")
async def roster_page(work: Work, page: OnPage, day: date | None = None) -> Response:
    """Draw who is on duty now, and the week in which a day lies."""
    chosen = day if day is not None and day.year in _WEEKS_AROUND else await _today(work)
    monday = chosen - chosen.weekday() * _DAY
    roster = await shifts.read_roster(work.session, work.principal, first=monday, last=monday + 6 * _DAY)
    staff = [person for person in await people.list_people(work.session, work.principal) if person.is_active]
    communities = await _communities(work)
    return page.show(
        "admin/shifts.html",
        on_duty=await shifts.duty_list(work.session, work.principal, at=work.clock.now()),
        shown=shown,
        communities=communities,
        lines=[_line(page, roster, person, monday, communities) for person in staff],
        week=7 * _DAY,
        days=[(monday + n * _DAY, label) for n, label in enumerate(WEEKDAY_LABELS)],
        today=await _today(work),
    )


@router.get("/admin/shifts/{person_id}")
async def person_page(work: Work, page: OnPage, person_id: int) -> Response:
    """Draw what is planned for a person from today on."""
    person = await people.find_person(work.session, work.principal, person_id)
    today = await _today(work)
    planned = await shifts.planned(work.session, work.principal, person_id=person_id, since=today)
    return page.show(
        "admin/shifts_of.html",
        person=person,
        planned=planned,
        communities=await _communities(work),
        weekdays={each.id: weekday_span(page, sorted(each.terms.weekdays)) for each in planned.shifts},
        written=hours.written,
        one_day=_DAY,
        kinds=LEAVE_KINDS,
    )


@router.get("/admin/shifts/{person_id}/weekly/new")
async def ask_shift(work: Work, page: OnPage, person_id: int) -> Response:
    """Draw the form for a weekly shift."""
    form = Form.blank(ShiftForm, weekdays=range(5), first_day=await _today(work))
    return await _draw(work, page, "admin/shift_form.html", person_id, form)


@router.post("/admin/shifts/{person_id}/weekly/new")
async def add_shift(work: Work, page: OnPage, person_id: int) -> Response:
    """Add a weekly shift."""
    form = await page.form(ShiftForm)
    async with page.mending(form, lambda: _draw(work, page, "admin/shift_form.html", person_id, form)):
        terms = await _terms(work, form.value)
        await planning.add_shift(work.session, work.clock, work.principal, person_id=person_id, terms=terms)
    return page.done(f"{ROSTER}/{person_id}", _("Added."))


@router.get("/admin/shifts/{person_id}/weekly/{shift_id}")
async def ask_change(work: Work, page: OnPage, person_id: int, shift_id: int) -> Response:
    """Draw the form of a weekly shift with what stands."""
    found = await planning.find_shift(work.session, work.principal, person_id=person_id, shift_id=shift_id)
    form = Form.blank(ShiftForm, **_shift_fields(found.terms))
    return await _draw(work, page, "admin/shift_form.html", person_id, form, shift_id=shift_id)


@router.post("/admin/shifts/{person_id}/weekly/{shift_id}")
async def change(work: Work, page: OnPage, person_id: int, shift_id: int) -> Response:
    """Take the changes."""
    form = await page.form(ShiftForm)

    async def again() -> Response:
        return await _draw(work, page, "admin/shift_form.html", person_id, form, shift_id=shift_id)

    async with page.mending(form, again):
        terms = await _terms(work, form.value)
        await planning.change_shift(
            work.session, work.clock, work.principal, person_id=person_id, shift_id=shift_id, terms=terms
        )
    return page.done(f"{ROSTER}/{person_id}", _("Saved."))


@router.post("/admin/shifts/{person_id}/weekly/{shift_id}/remove")
async def remove_shift(work: Work, page: OnPage, person_id: int, shift_id: int) -> Response:
    """Remove a weekly shift, with the way back."""
    found = await planning.find_shift(work.session, work.principal, person_id=person_id, shift_id=shift_id)
    await planning.remove_shift(work.session, work.clock, work.principal, person_id=person_id, shift_id=shift_id)
    return _removed(page, person_id, "weekly", _shift_fields(found.terms))


@router.get("/admin/shifts/{person_id}/days/new")
async def ask_day(work: Work, page: OnPage, person_id: int) -> Response:
    """Draw the form for an exception."""
    return await _draw(work, page, "admin/shift_day.html", person_id, Form.blank(DatedForm, day=await _today(work)))


@router.post("/admin/shifts/{person_id}/days/new")
async def add_day(work: Work, page: OnPage, person_id: int) -> Response:
    """Add an exception."""
    form = await page.form(DatedForm)
    async with page.mending(form, lambda: _draw(work, page, "admin/shift_day.html", person_id, form)):
        sent = form.value
        await planning.set_day(
            work.session,
            work.clock,
            work.principal,
            person_id=person_id,
            day=sent.day,
            windows=hours.parse(sent.hours, field="hours"),
            community_id=await _offered(work, sent.community_id),
            note=sent.note,
        )
    return page.done(f"{ROSTER}/{person_id}", _("Added."))


@router.post("/admin/shifts/{person_id}/days/{dated_id}/remove")
async def remove_day(work: Work, page: OnPage, person_id: int, dated_id: int) -> Response:
    """Remove an exception, with the way back."""
    found = await planning.find_dated(work.session, work.principal, person_id=person_id, dated_id=dated_id)
    await planning.remove_day(work.session, work.clock, work.principal, person_id=person_id, dated_id=dated_id)
    fields = {
        "day": found.day,
        "hours": hours.written(found.windows),
        "community_id": found.community_id,
        "note": found.note,
    }
    return _removed(page, person_id, "days", fields)


@router.get("/admin/shifts/{person_id}/leave/new")
async def ask_leave(work: Work, page: OnPage, person_id: int) -> Response:
    """Draw the form for a leave."""
    form = Form.blank(LeaveForm, kind=LeaveKind.ANNUAL, first_day=await _today(work))
    return await _draw(work, page, "admin/leave.html", person_id, form)


@router.post("/admin/shifts/{person_id}/leave/new")
async def grant_leave(work: Work, page: OnPage, person_id: int) -> Response:
    """Grant a leave."""
    form = await page.form(LeaveForm)
    async with page.mending(form, lambda: _draw(work, page, "admin/leave.html", person_id, form)):
        sent = form.value
        await planning.grant_leave(
            work.session,
            work.clock,
            work.principal,
            person_id=person_id,
            kind=sent.kind,
            since=sent.first_day,
            until=_day_after(sent.last_day or sent.first_day),
            note=sent.note,
        )
    return page.done(f"{ROSTER}/{person_id}", _("Added."))


@router.post("/admin/shifts/{person_id}/leave/{leave_id}/remove")
async def cancel_leave(work: Work, page: OnPage, person_id: int, leave_id: int) -> Response:
    """Take a leave back, with the way back."""
    found = await planning.find_leave(work.session, work.principal, person_id=person_id, leave_id=leave_id)
    await planning.cancel_leave(work.session, work.clock, work.principal, person_id=person_id, leave_id=leave_id)
    fields = {"kind": found.kind, "first_day": found.since, "last_day": found.until - _DAY, "note": found.note}
    return _removed(page, person_id, "leave", fields)


def _removed(page: Page, person_id: int, what: str, fields: Mapping[str, object]) -> Response:
    """Answer a removal; its undo sends the form again by which it was added."""
    typed = {name: _typed(value) for name, value in fields.items() if value is not None}
    undo = Undo(path=f"{ROSTER}/{person_id}/{what}/new", fields=typed)
    return page.done(f"{ROSTER}/{person_id}", _("Removed."), undo=undo)


def _typed(value: object) -> str:
    return ",".join(str(part) for part in value) if isinstance(value, list) else str(value)


def _shift_fields(terms: ShiftTerms) -> dict[str, object]:
    return {
        "weekdays": sorted(terms.weekdays),
        "hours": hours.written(terms.windows),
        "community_id": terms.community_id,
        "first_day": terms.since,
        "last_day": terms.until - _DAY if terms.until is not None else None,
    }


async def _terms(work: Unit, sent: ShiftForm) -> ShiftTerms:
    return ShiftTerms(
        weekdays=frozenset(sent.weekdays),
        windows=hours.parse(sent.hours, field="hours"),
        community_id=await _offered(work, sent.community_id),
        since=sent.first_day,
        until=_day_after(sent.last_day) if sent.last_day is not None else None,
    )


def _day_after(day: date) -> date:
    """Return the day after.

    Raises:
        Refused: there is none.
    """
    if day == date.max:
        raise Refused(_("Choose an earlier last day, or none for a shift that goes on."), "last_day")
    return day + _DAY


async def _offered(work: Unit, community_id: int | None) -> int | None:
    """Return the chosen community.

    Raises:
        Refused: it is not there to be chosen.
    """
    if community_id is not None and community_id not in await _communities(work):
        raise Refused(_("Choose among the communities that are offered."), field="community_id")
    return community_id


async def _communities(work: Unit) -> dict[int, str]:
    return {each.id: each.name for each in await properties.list_communities(work.session, work.principal)}


async def _today(work: Unit) -> date:
    organisation = await organisations.find_organisation(work.session, work.principal)
    return work.clock.now().astimezone(ZoneInfo(organisation.time_zone)).date()


def _line(page: Page, roster: Roster, person: Person, monday: date, communities: Mapping[int, str]) -> RosterLine:
    return RosterLine(
        person=person,
        cells=tuple(_cell(page, roster, person.id, monday + n * _DAY, communities) for n in range(7)),
    )


def _cell(page: Page, roster: Roster, person_id: int, day: date, communities: Mapping[int, str]) -> str:
    """Return what a person does on a day."""
    leave = roster.leave(day).get(person_id)
    if leave is not None:
        return page.say(LEAVE_KINDS[leave.kind])
    duties = roster.duties(day).get(person_id, ())
    where = groupby(duties, key=lambda duty: duty.community_id)
    return "; ".join(_at_one_place(communities.get(place or 0, ""), list(group)) for place, group in where)


def _at_one_place(community: str, duties: Sequence[Duty]) -> str:
    written = hours.written([duty.window for duty in duties])
    return f"{written}{SEPARATOR}{community}" if community else written


async def _draw(
    work: Unit,
    page: Page,
    template: str,
    person_id: int,
    form: Form[ShiftForm] | Form[DatedForm] | Form[LeaveForm],
    *,
    shift_id: int | None = None,
) -> Response:
    return page.show(
        template,
        person=await people.find_person(work.session, work.principal, person_id),
        form=form,
        shift_id=shift_id,
        communities=list((await _communities(work)).items()),
        weekdays=[(n, page.say(label)) for n, label in enumerate(WEEKDAY_LABELS)],
        kinds=[(kind, page.say(label)) for kind, label in LEAVE_KINDS.items()],
    )

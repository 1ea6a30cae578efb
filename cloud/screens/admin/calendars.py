"""Calendars: the list, one with its week and special days, trying it out, and making new versions."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field, NaiveDatetime
from starlette.responses import Response

from cloud.accounts import organisations
from cloud.calendars import hours
from cloud.calendars import service as calendars
from cloud.calendars.defaults import ALWAYS_CODE, OFFICE_CODE
from cloud.calendars.definition import (
    MOST_DAYS,
    NAME_LENGTH,
    WEEKDAYS,
    CalendarVersion,
    Definition,
    SpecialDay,
    business_calendar,
)
from cloud.core.errors import Refused
from cloud.core.principal import Role
from cloud.core.words import Words
from cloud.screens.admin.calendar_lines import Run, runs, week_lines
from cloud.screens.admin.calendar_words import WEEKDAY_LABELS
from cloud.web import words
from cloud.web.forms import Form, FormModel
from cloud.web.notices import Undo
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

router = pages_for(Role.ADMINISTRATOR)

LIST = "/admin/calendars"
_DAY = timedelta(days=1)
_VERSIONS_SHOWN = 20
_HOURS = Annotated[str, Field(max_length=120)]
_NAME = Annotated[str, Field(max_length=NAME_LENGTH)]


class WeekForm(FormModel):
    """A calendar's name, clock and week; `version` is the one that is changed."""

    name_zh: _NAME = ""
    name_en: _NAME = ""
    time_zone: Annotated[str, Field(min_length=1, max_length=40)]
    monday: _HOURS = ""
    tuesday: _HOURS = ""
    wednesday: _HOURS = ""
    thursday: _HOURS = ""
    friday: _HOURS = ""
    saturday: _HOURS = ""
    sunday: _HOURS = ""
    version: int = 0


class NewCalendarForm(WeekForm):
    """A calendar that is not there yet."""

    code: Annotated[str, Field(min_length=2, max_length=40)]


class DaysForm(FormModel):
    """Dates that differ from their weekdays: without a last day one, without hours closed."""

    first_day: date
    last_day: date | None = None
    name_zh: _NAME = ""
    name_en: _NAME = ""
    hours: _HOURS = ""


class SpanForm(FormModel):
    """Dates that are to be like their weekdays again."""

    first_day: date
    last_day: date


class VersionForm(FormModel):
    """The version that is to hold again."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1)]


class TryForm(FormModel):
    """From when on how many business hours are counted."""

    start: Annotated[NaiveDatetime, Field(ge=datetime(2000, 1, 1), le=datetime(2100, 1, 1))]  # noqa: DTZ001  a wall time
    hours: Annotated[Decimal, Field(ge=0, le=200, decimal_places=2)]


@router.get("/admin/calendars")
async def calendar_list(work: Work, page: OnPage) -> Response:
    """Draw all calendars."""
    found = await calendars.list_calendars(work.session, work.principal)
    lines = [
        (each, _name(page, each), week_lines(page, each.definition), _is_open(work, each.definition)) for each in found
    ]
    is_complete = {ALWAYS_CODE, OFFICE_CODE} <= {each.definition.code for each in found}
    return page.show("admin/calendars.html", lines=lines, is_complete=is_complete)


@router.post("/admin/calendars")
async def seed(work: Work, page: OnPage) -> Response:
    """Make the default calendars that are missing."""
    await calendars.seed(work.session, work.clock, work.principal)
    return page.done(LIST, _("Added."))


@router.get("/admin/calendars/new")
async def ask_new(work: Work, page: OnPage) -> Response:
    """Draw the form for a new one."""
    organisation = await organisations.find_organisation(work.session, work.principal)
    return _draw_form(page, Form.blank(NewCalendarForm, time_zone=organisation.time_zone))


@router.post("/admin/calendars/new")
async def create(work: Work, page: OnPage) -> Response:
    """Make a calendar."""
    form = await page.form(NewCalendarForm)

    async def again() -> Response:
        return _draw_form(page, form)

    async with page.mending(form, again):
        definition = _definition(form.value.code, form.value)
        await calendars.define(work.session, work.clock, work.principal, definition)
    return page.done(f"{LIST}/{form.value.code}", _("Added."))


@router.get("/admin/calendars/{code}")
async def calendar_page(work: Work, page: OnPage, code: str, year: int | None = None) -> Response:
    """Draw a calendar with its week, a year's special days, and what was tried."""
    found = await calendars.find_calendar(work.session, work.principal, code=code)
    definition = found.definition
    this_year = work.clock.now().astimezone(ZoneInfo(definition.time_zone)).year
    chosen = year if year is not None else this_year
    versions = await calendars.list_versions(work.session, work.principal, code=code)
    trial = _trial_form(page, definition, now=work.clock.now())
    return page.show(
        "admin/calendar.html",
        calendar=found,
        name=_name(page, found),
        is_open=_is_open(work, definition),
        week=week_lines(page, definition),
        years=sorted({this_year, this_year + 1, chosen, *(each.day.year for each in definition.days)}),
        year=chosen,
        days=_day_lines(page, definition, chosen),
        versions=versions[:_VERSIONS_SHOWN],
        trial=trial,
        due=_due(page, definition, trial),
        zone=ZoneInfo(definition.time_zone),
        labels=WEEKDAY_LABELS,
    )


@router.get("/admin/calendars/{code}/edit")
async def ask_change(work: Work, page: OnPage, code: str) -> Response:
    """Draw the form with what stands."""
    found = await calendars.find_calendar(work.session, work.principal, code=code)
    written = {field: hours.written(found.definition.week[n]) for n, field in enumerate(WEEKDAYS)}
    name = found.definition.name
    form = Form.blank(
        WeekForm,
        name_zh=name.zh,
        name_en=name.en,
        time_zone=found.definition.time_zone,
        version=found.version,
        **written,
    )
    return _draw_form(page, form, calendar=found)


@router.post("/admin/calendars/{code}/edit")
async def change(work: Work, page: OnPage, code: str) -> Response:
    """Make a new version with the week that was written; the special days stay."""
    found = await calendars.find_calendar(work.session, work.principal, code=code)
    form = await page.form(WeekForm)

    async def again() -> Response:
        return _draw_form(page, form, calendar=found)

    async with page.mending(form, again):
        definition = replace(_definition(code, form.value), days=found.definition.days)
        await calendars.define(work.session, work.clock, work.principal, definition, version=form.value.version)
    return _changed(page, found, f"{LIST}/{code}")


@router.get("/admin/calendars/{code}/days")
async def ask_days(work: Work, page: OnPage, code: str) -> Response:
    """Draw the form for special days."""
    found = await calendars.find_calendar(work.session, work.principal, code=code)
    return _draw_days(page, found, Form.blank(DaysForm))


@router.post("/admin/calendars/{code}/days")
async def add_days(work: Work, page: OnPage, code: str) -> Response:
    """Make a new version with more special days."""
    found = await calendars.find_calendar(work.session, work.principal, code=code)
    form = await page.form(DaysForm)

    async def again() -> Response:
        return _draw_days(page, found, form)

    async with page.mending(form, again):
        days = _special_days(form.value)
        await calendars.add_days(work.session, work.clock, work.principal, code=code, days=days)
    return _changed(page, found, f"{LIST}/{code}?year={form.value.first_day.year}")


@router.post("/admin/calendars/{code}/days/remove")
async def remove_days(work: Work, page: OnPage, code: str) -> Response:
    """Make a new version in which some days are like their weekdays again."""
    found = await calendars.find_calendar(work.session, work.principal, code=code)
    span = (await page.form(SpanForm)).value
    await calendars.remove_days(
        work.session, work.clock, work.principal, code=code, first=span.first_day, last=span.last_day
    )
    return _changed(page, found, f"{LIST}/{code}?year={span.first_day.year}")


@router.post("/admin/calendars/{code}/restore")
async def restore(work: Work, page: OnPage, code: str) -> Response:
    """Make a new version that says what an older one said."""
    found = await calendars.find_calendar(work.session, work.principal, code=code)
    version = (await page.form(VersionForm)).value.version
    await calendars.restore(work.session, work.clock, work.principal, code=code, version=version)
    return _changed(page, found, f"{LIST}/{code}")


def _changed(page: Page, before: CalendarVersion, path: str) -> Response:
    """Answer a new version, with the way back to the one before."""
    undo = Undo(path=f"{LIST}/{before.definition.code}/restore", fields={"version": str(before.version)})
    return page.done(path, _("Saved as a new version."), undo=undo)


def _name(page: Page, calendar: CalendarVersion) -> str:
    return words.written(calendar.definition.name, page.reader.locale)


def _is_open(work: Unit, definition: Definition) -> bool:
    return business_calendar(definition).is_open(work.clock.now())


def _definition(code: str, sent: WeekForm) -> Definition:
    return Definition(
        code=code,
        name=Words(zh=sent.name_zh, en=sent.name_en),
        time_zone=sent.time_zone,
        week=tuple(hours.parse(getattr(sent, field), field=field) for field in WEEKDAYS),
    )


def _special_days(sent: DaysForm) -> list[SpecialDay]:
    """Return the dates that a form names.

    Raises:
        Refused: the last one is before the first, or they are too many.
    """
    count = ((sent.last_day or sent.first_day) - sent.first_day).days + 1
    if not 1 <= count <= MOST_DAYS:
        sentence = _("The last day must be the first day or later, and %(most)d days at most.")
        raise Refused(sentence, "last_day", most=MOST_DAYS)
    windows = hours.parse(sent.hours, field="hours")
    name = Words(zh=sent.name_zh, en=sent.name_en)
    return [SpecialDay(day=sent.first_day + n * _DAY, name=name, windows=windows) for n in range(count)]


def _day_lines(page: Page, definition: Definition, year: int) -> list[tuple[Run, str]]:
    """Return a year's special days, those that belong together in one, with their names."""
    days = [each for each in definition.days if each.day.year == year]
    return [(run, words.written(run.name, page.reader.locale)) for run in runs(days)]


def _trial_form(page: Page, definition: Definition, *, now: datetime) -> Form[TryForm]:
    asked = page.request.query_params
    if "start" not in asked:
        local = now.astimezone(ZoneInfo(definition.time_zone))
        return Form.blank(TryForm, start=f"{local:%Y-%m-%dT%H:%M}", hours="4")
    return Form(TryForm, {name: asked.getlist(name) for name in ("start", "hours")}, sent=True)


def _due(page: Page, definition: Definition, trial: Form[TryForm]) -> tuple[datetime, datetime] | None:
    """Return from when and until when the tried hours last; None when nothing was tried, or nothing readable."""
    if "start" not in page.request.query_params or trial.errors:
        return None
    start = trial.value.start.replace(tzinfo=ZoneInfo(definition.time_zone))
    business = timedelta(minutes=float(trial.value.hours * 60))
    return start, business_calendar(definition).add(start, business)


def _draw_form(
    page: Page, form: Form[NewCalendarForm] | Form[WeekForm], *, calendar: CalendarVersion | None = None
) -> Response:
    back = LIST if calendar is None else f"{LIST}/{calendar.definition.code}"
    return page.show(
        "admin/calendar_form.html",
        form=form,
        back=back,
        calendar=calendar,
        weekdays=list(zip(WEEKDAYS, WEEKDAY_LABELS, strict=True)),
    )


def _draw_days(page: Page, calendar: CalendarVersion, form: Form[DaysForm]) -> Response:
    return page.show("admin/calendar_days.html", form=form, name=_name(page, calendar), calendar=calendar)

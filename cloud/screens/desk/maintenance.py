"""Preventive plans: what is inspected where, when it is next due, and how that is changed."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from cloud.core.listing import Ask, Found
from cloud.core.principal import Role
from cloud.core.words import Words
from cloud.fleet import service as fleet
from cloud.properties import service as properties
from cloud.repairs import maintenance, preventive
from cloud.repairs.maintenance import Maintenance
from cloud.repairs.preventive import Draft
from cloud.repairs.rhythm import Rhythm
from cloud.tickets import types
from cloud.tickets.domain import Kind as TicketKind
from cloud.web import words
from cloud.web.forms import Form, FormModel
from cloud.web.ids import Id
from cloud.web.lists import Column, Kind, ListView, Option
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

router = pages_for(Role.MANAGER, Role.DESK, Role.OPERATOR)

LIST = "/maintenance"
_BOTH = "|"
RHYTHMS = {
    Rhythm.WEEKS: _("rhythm|By weeks"),
    Rhythm.MONTHS: _("rhythm|By months"),
    Rhythm.METER: _("rhythm|By a meter's reading"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLine:
    """A preventive plan with its name in the reader's language."""

    plan: Maintenance
    name: str


PLANS = ListView[PlanLine](
    name="maintenance_list",
    caption=_("Preventive plans"),
    searchable=_("name or place"),
    key=lambda line: line.plan.id,
    columns=(
        Column(name="name", label=_("Name"), value=lambda line: line.name, filtered=True),
        Column(name="place", label=_("Place"), value=lambda line: line.plan.place, filtered=True),
        Column(
            name="rhythm",
            label=_("It comes round"),
            value=lambda line: line.plan.rhythm,
            filtered=True,
            options=tuple(Option(value=rhythm, label=label) for rhythm, label in RHYTHMS.items()),
        ),
        Column(name="every", label=_("Every"), value=lambda line: line.plan.every, kind=Kind.NUMBER, sortable=False),
        Column(name="next", label=_("Next"), value=lambda line: line.plan.next_at, kind=Kind.TIME, filtered=True),
        Column(name="mark", label=_("Next due at"), value=lambda line: line.plan.next_mark, kind=Kind.NUMBER),
        Column(name="last", label=_("Last"), value=lambda line: line.plan.last_at, kind=Kind.TIME, filtered=True),
        Column(
            name="active",
            label=_("Stands"),
            value=lambda line: int(line.plan.is_active),
            filtered=True,
            options=(
                Option(value="yes", label=_("goes on"), meaning=1),
                Option(value="no", label=_("rests"), meaning=0),
            ),
        ),
    ),
)


class PlanForm(FormModel):
    """A preventive plan; the checklist holds an item a line, `中文 | English`."""

    name_zh: Annotated[str, Field(max_length=80)] = ""
    name_en: Annotated[str, Field(max_length=80)] = ""
    place_id: Id
    checklist: Annotated[str, Field(min_length=1, max_length=8_000)]
    repair_type: Annotated[str, Field(min_length=1, max_length=40)]
    rhythm: Rhythm
    every: Annotated[Decimal, Field(gt=0, le=1_000_000)]
    first_on: date | None = None
    point_id: Id | None = None
    next_mark: Annotated[Decimal, Field(ge=0, le=10_000_000, decimal_places=3)] | None = None
    version: Annotated[int, Field(ge=0)] = 0


class ActiveForm(FormModel):
    """Whether a plan rests or goes on."""

    version: Id
    is_active: bool = False


@router.get(LIST)
async def plan_list(work: Work, page: OnPage) -> Response:
    """Draw the preventive plans."""

    async def load(ask: Ask) -> Found[PlanLine]:
        found = await maintenance.list_plans(work.session, work.principal, ask)
        locale = page.reader.locale
        return found.of([PlanLine(plan=plan, name=words.written(plan.name, locale)) for plan in found.rows])

    return await page.list("desk/maintenance.html", PLANS, load, plans_them=_plans_them(work))


@router.get(f"{LIST}/new")
async def ask_new(work: Work, page: OnPage) -> Response:
    """Draw the form for a new plan."""
    work.principal.require(Role.MANAGER)
    today = work.clock.now().astimezone(page.reader.zone).date()
    form = Form.blank(PlanForm, rhythm=Rhythm.MONTHS, every=1, first_on=today.isoformat(), repair_type="repair")
    return await _form(work, page, form, None)


@router.post(f"{LIST}/new")
async def create(work: Work, page: OnPage) -> Response:
    """Make a plan."""
    form = await page.form(PlanForm)
    async with page.mending(form, lambda: _form(work, page, form, None)):
        await preventive.create_plan(work.session, work.clock, work.principal, _draft(form.value))
    return page.done(LIST, _("The plan is made."))


@router.get(f"{LIST}/{{maintenance_id}}")
async def ask_change(work: Work, page: OnPage, maintenance_id: Id) -> Response:
    """Draw a plan with what stands."""
    plan = await maintenance.find_plan(work.session, work.principal, plan_id=maintenance_id)
    return await _form(work, page, _filled(plan), plan)


@router.post(f"{LIST}/{{maintenance_id}}")
async def change(work: Work, page: OnPage, maintenance_id: Id) -> Response:
    """Change a plan."""
    plan = await maintenance.find_plan(work.session, work.principal, plan_id=maintenance_id)
    form = await page.form(PlanForm)
    async with page.mending(form, lambda: _form(work, page, form, plan)):
        await preventive.change_plan(
            work.session,
            work.clock,
            work.principal,
            _draft(form.value),
            plan_id=maintenance_id,
            version=form.value.version,
        )
    return page.done(LIST, _("Saved."))


@router.post(f"{LIST}/{{maintenance_id}}/active")
async def set_active(work: Work, page: OnPage, maintenance_id: Id) -> Response:
    """Let a plan rest, or take it up again."""
    plan = await maintenance.find_plan(work.session, work.principal, plan_id=maintenance_id)
    form = await page.form(ActiveForm)
    async with page.mending(form, lambda: _form(work, page, _filled(plan), plan)):
        await preventive.set_active(
            work.session,
            work.clock,
            work.principal,
            plan_id=maintenance_id,
            version=form.value.version,
            is_active=form.value.is_active,
        )
    said = _("The plan goes on.") if form.value.is_active else _("The plan rests.")
    return page.done(f"{LIST}/{maintenance_id}", said)


def _plans_them(work: Unit) -> bool:
    return work.principal.has(Role.MANAGER)


def _draft(sent: PlanForm) -> Draft:
    return Draft(
        name=Words(zh=sent.name_zh, en=sent.name_en),
        place_id=sent.place_id,
        checklist=tuple(_item(line) for line in sent.checklist.splitlines() if line.strip(f" {_BOTH}")),
        repair_type=sent.repair_type,
        rhythm=sent.rhythm,
        every=sent.every,
        first_on=sent.first_on,
        point_id=sent.point_id,
        next_mark=sent.next_mark,
    )


def _item(line: str) -> Words:
    zh, _bar, en = line.partition(_BOTH)
    return Words(zh=zh.strip()[:200], en=en.strip()[:200])


def _filled(plan: Maintenance) -> Form[PlanForm]:
    return Form.blank(
        PlanForm,
        name_zh=plan.name.zh,
        name_en=plan.name.en,
        place_id=plan.place_id,
        checklist="\n".join(f"{item.zh} {_BOTH} {item.en}" for item in plan.checklist),
        repair_type=plan.repair_type,
        rhythm=plan.rhythm,
        every=plan.every,
        first_on=plan.first_on,
        point_id=plan.point_id,
        next_mark=plan.next_mark,
        version=plan.version,
    )


async def _form(work: Unit, page: Page, form: Form[PlanForm], plan: Maintenance | None) -> Response:
    session, principal = work.session, work.principal
    places = await properties.list_places(session, principal)
    labels = await properties.labels(session, principal, [place.id for place in places])
    points = await fleet.points(session, principal)
    known = await types.list_types(session, principal)
    return page.show(
        "desk/maintenance_form.html",
        form=form,
        plan=plan,
        plans_them=_plans_them(work),
        places=sorted(labels.items(), key=lambda pair: pair[1]),
        points=[(point.id, f"{point.box_name} · {point.key}") for point in points],
        types=[
            (each.code, words.written(each.name, page.reader.locale))
            for each in known
            if each.kind is TicketKind.REPAIR
        ],
        rhythms=[(rhythm, page.say(label)) for rhythm, label in RHYTHMS.items()],
    )

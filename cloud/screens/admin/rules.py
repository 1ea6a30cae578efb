"""Rules of alarms: the list, and writing, trying, changing and removing them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from starlette.responses import Response

from cloud.alarms import rules
from cloud.alarms.rules import Rule, Trial
from cloud.alarms.terms import Equals, Kind, Silence, Terms
from cloud.core.clock import from_us
from cloud.core.listing import Ask, Found
from cloud.core.principal import Role
from cloud.fleet import service as fleet
from cloud.fleet.domain import Point
from cloud.fleet.series import SeriesStore
from cloud.properties import service as properties
from cloud.screens.admin.rule_forms import FORMS, KINDS, blank, draft_of, filled, terms_of
from cloud.web import formats, words
from cloud.web.forms import Form
from cloud.web.ids import Id
from cloud.web.lists import Column, ListView, Load, Option
from cloud.web.pages import OnPage, Page
from cloud.web.points import point_label
from cloud.web.routing import pages_for
from cloud.web.series import Series
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _
from protocols.readings import PointKind
from protocols.units import UNITS, alike, symbol

router = pages_for(Role.ADMINISTRATOR)

TRY = "try"
_EPISODES_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleLine:
    """A rule as it stands in the list."""

    rule: Rule
    name: str
    where: str
    terms: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PointLine:
    """A point as it stands in the list to choose from."""

    point: Point
    label: str
    where: str


RULES = ListView[RuleLine](
    name="rule_list",
    caption=_("Rules"),
    searchable=_("name"),
    key=lambda row: row.rule.id,
    columns=(
        Column(name="name", label=_("Name"), value=lambda row: row.name),
        Column(name="where", label=_("Point"), value=lambda row: row.where, sortable=False),
        Column(
            name="kind",
            label=_("Kind"),
            value=lambda row: row.rule.kind,
            filtered=True,
            options=tuple(Option(value=kind, label=label) for kind, label in KINDS.items()),
        ),
        Column(name="terms", label=_("Normal"), value=lambda row: row.terms, sortable=False),
        Column(
            name="priority",
            label=_("Priority"),
            value=lambda row: int(row.rule.draft.priority),
            filtered=True,
            options=tuple(Option(value=str(n), label=label, meaning=n) for n, label in words.PRIORITIES.items()),
        ),
        Column(
            name="enabled",
            label=_("In force"),
            value=lambda row: int(row.rule.draft.is_enabled),
            filtered=True,
            options=(
                Option(value="yes", label=_("in force"), meaning=1),
                Option(value="no", label=_("switched off"), meaning=0),
            ),
        ),
    ),
)

POINTS = ListView[PointLine](
    name="point_list",
    caption=_("Points"),
    searchable=_("box, device, point or place"),
    key=lambda row: row.point.id,
    columns=(
        Column(name="key", label=_("Point"), value=lambda row: row.label, sortable=False),
        Column(name="where", label=_("Place"), value=lambda row: row.where, sortable=False),
        Column(name="box", label=_("Box"), value=lambda row: row.point.box_name, sortable=False),
        Column(
            name="unit", label=_("Unit of measure"), value=lambda row: symbol(row.point.unit) or None, sortable=False
        ),
    ),
)


@router.get("/admin/rules")
async def rule_list(work: Work, page: OnPage) -> Response:
    """Draw all rules."""
    return await page.list("admin/rules.html", RULES, _loading_rules(work, page))


@router.get("/admin/rules/points")
async def choose_point(work: Work, page: OnPage) -> Response:
    """Draw the points, to write a rule for one."""
    return await page.list("admin/rule_points.html", POINTS, _loading_points(work, page))


@router.get("/admin/rules/new")
async def new(work: Work, page: OnPage, point: Id, kind: Kind | None = None) -> Response:
    """Draw the form of a new rule for a point."""
    found = await fleet.point(work.session, work.principal, point_id=point)
    likely = Kind.STATE if found.kind is PointKind.STATE else Kind.LIMITS
    return await _draw(work, page, found, kind or likely, blank(kind or likely, unit=found.unit))


@router.post("/admin/rules/new")
async def create(work: Work, page: OnPage, series: Series, point: Id, kind: Kind) -> Response:
    """Make the rule, or only try it."""
    found = await fleet.point(work.session, work.principal, point_id=point)
    form: Form[Any] = await page.form(FORMS[kind])
    async with page.mending(form, lambda: _draw(work, page, found, kind, form)):
        if form.text("act") == TRY:
            trial = await _try(work, series, found, terms_of(kind, form.value), form.value.unit)
            return await _draw(work, page, found, kind, form, trial=trial)
        await rules.create_rule(
            work.session, work.clock, work.principal, point_id=point, draft=draft_of(kind, form.value)
        )
    return page.go("/admin/rules")


@router.get("/admin/rules/{rule_id}")
async def rule_page(work: Work, page: OnPage, rule_id: int) -> Response:
    """Draw a rule's form."""
    rule = await rules.rule(work.session, work.principal, rule_id=rule_id)
    point = await fleet.point(work.session, work.principal, point_id=rule.point_id)
    return await _draw(work, page, point, rule.kind, filled(rule.kind, rule.draft, version=rule.version), rule=rule)


@router.post("/admin/rules/{rule_id}")
async def change(work: Work, page: OnPage, series: Series, rule_id: int) -> Response:
    """Change a rule, or only try what was typed."""
    rule = await rules.rule(work.session, work.principal, rule_id=rule_id)
    point = await fleet.point(work.session, work.principal, point_id=rule.point_id)
    form: Form[Any] = await page.form(FORMS[rule.kind])
    async with page.mending(form, lambda: _draw(work, page, point, rule.kind, form, rule=rule)):
        if form.text("act") == TRY:
            trial = await _try(work, series, point, terms_of(rule.kind, form.value), form.value.unit)
            return await _draw(work, page, point, rule.kind, form, rule=rule, trial=trial)
        await rules.change_rule(
            work.session,
            work.clock,
            work.principal,
            rule_id=rule_id,
            version=form.value.version,
            draft=draft_of(rule.kind, form.value),
        )
    work.changed("alarms")
    return page.go("/admin/rules")


@router.get("/admin/rules/{rule_id}/remove")
async def ask_remove(work: Work, page: OnPage, rule_id: int) -> Response:
    """Ask once more, for browsers without scripts."""
    rule = await rules.rule(work.session, work.principal, rule_id=rule_id)
    return page.show("admin/rule_remove.html", rule=rule, name=words.written(rule.draft.name, page.reader.locale))


@router.post("/admin/rules/{rule_id}/remove")
async def remove(work: Work, page: OnPage, rule_id: int) -> Response:
    """Take a rule out of force for good."""
    await rules.remove_rule(work.session, work.clock, work.principal, rule_id=rule_id)
    work.changed("alarms")
    return page.go("/admin/rules")


async def _try(work: Unit, series: SeriesStore, point: Point, terms: Terms, unit: str) -> Trial:
    return await rules.try_terms(
        work.session, work.clock, series, work.principal, point_id=point.id, terms=terms, unit=unit
    )


async def _draw(
    work: Unit,
    page: Page,
    point: Point,
    kind: Kind,
    form: Form[Any],
    *,
    rule: Rule | None = None,
    trial: Trial | None = None,
) -> Response:
    return page.show(
        "admin/rule.html",
        point=point,
        label=point_label(point, page.reader),
        where=await _where(work, point),
        kind=kind,
        kinds=KINDS,
        form=form,
        rule=rule,
        name=words.written(rule.draft.name, page.reader.locale) if rule else "",
        units=[(code, unit.symbol or page.say(_("none"))) for code, unit in UNITS.items() if alike(code, point.unit)],
        trial=trial,
        episodes=[
            (from_us(found.raised_us), None if found.returned_us is None else from_us(found.returned_us), found)
            for found in (trial.episodes[-_EPISODES_SHOWN:] if trial else ())
        ],
    )


async def _where(work: Unit, point: Point) -> str:
    """Return where a point measures, and what there."""
    place_id = point.where.place_id
    labels = await properties.labels(work.session, work.principal, [place_id] if place_id is not None else [])
    return " · ".join(part for part in (labels.get(place_id or 0, ""), point.where.label) if part)


def _loading_rules(work: Unit, page: Page) -> Load[RuleLine]:
    async def load(ask: Ask) -> Found[RuleLine]:
        found = await rules.list_rules(work.session, work.principal, ask)
        point_ids = {rule.point_id for rule in found.rows}
        points = {each.id: each for each in await fleet.points(work.session, work.principal, point_ids=point_ids)}
        rows = [
            RuleLine(
                rule=rule,
                name=words.written(rule.draft.name, page.reader.locale),
                where=f"{points[rule.point_id].box_name} · {points[rule.point_id].key}",
                terms=_in_short(page, rule),
            )
            for rule in found.rows
            if rule.point_id in points
        ]
        return found.of(rows)

    return load


def _loading_points(work: Unit, page: Page) -> Load[PointLine]:
    async def load(ask: Ask) -> Found[PointLine]:
        points = [each for each in await fleet.points(work.session, work.principal) if each.gone_at is None]
        place_ids = {each.where.place_id for each in points if each.where.place_id is not None}
        labels = await properties.labels(work.session, work.principal, place_ids)
        rows = [
            PointLine(point=each, label=point_label(each, page.reader), where=labels.get(each.where.place_id or 0, ""))
            for each in points
        ]
        matching = [row for row in rows if ask.search.lower() in _text(row)]
        end = None if ask.limit is None else ask.offset + ask.limit
        return Found(rows=matching[ask.offset : end], total=len(matching))

    return load


def _text(row: PointLine) -> str:
    return f"{row.point.box_name} {row.point.device_name} {row.point.key} {row.label} {row.where}".lower()


def _in_short(page: Page, rule: Rule) -> str:
    """Return what is normal, or for a state and a silence what is not."""
    terms = rule.draft.terms
    if isinstance(terms, Silence):
        return formats.duration(timedelta(seconds=terms.after_s), page.reader)
    if isinstance(terms, Equals):
        return f"≠ {formats.quantity(terms.value, rule.draft.unit)}"
    ends = [formats.number(end) if end is not None else "" for end in (terms.low, terms.high)]
    per = "/h" if rule.kind is Kind.RATE else ""
    return f"{ends[0]} … {ends[1]} {symbol(rule.draft.unit)}{per}".strip()

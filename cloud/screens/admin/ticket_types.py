"""Types of tickets: the tree, and making, changing and retiring them."""

from typing import Any

from starlette.responses import Response

from cloud.alarms.domain import Priority
from cloud.calendars import service as calendars
from cloud.calendars.defaults import defaults
from cloud.core.principal import Role
from cloud.repairs.retiring import retire_type
from cloud.screens.admin.type_forms import TypeForm, filled, minutes_field, type_of
from cloud.tickets import learning
from cloud.tickets.default_types import DEFAULT_TYPES
from cloud.tickets.domain import Target, TicketType
from cloud.tickets.types import define_type, in_tree, list_types, type_named
from cloud.web import words
from cloud.web.forms import Form
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

router = pages_for(Role.ADMINISTRATOR)


@router.get("/admin/ticket-types")
async def type_tree(work: Work, page: OnPage) -> Response:
    """Draw the tree of types."""
    tree = in_tree(await list_types(work.session, work.principal))
    last = await learning.last_try(work.session, work.principal)
    figures = last.figures if last else None
    names = {each.code: each.name for _depth, each in tree}
    return page.show(
        "admin/ticket_types.html",
        tree=tree,
        targets=tuple(Target),
        can_learn=learning.can_learn(),
        last=last,
        figures=figures,
        support=sorted(figures.support.items(), key=lambda each: -each[1]) if figures else (),
        names=names,
        fewest=(learning.FEWEST_TICKETS, learning.FEWEST_TYPES, learning.FEWEST_OF_A_TYPE),
        confident=round(100 * learning.CONFIDENT),
    )


@router.get("/admin/ticket-types/new")
async def new(work: Work, page: OnPage, parent: str = "") -> Response:
    """Draw the form of a new type: what it is a part of says how it begins."""
    likely = await type_named(work.session, work.principal, code=parent) if parent else DEFAULT_TYPES[1]
    form = filled(likely, code="", parent_code=parent, name_zh="", name_en="", keywords="")
    return await _draw(work, page, form, known=None)


@router.post("/admin/ticket-types")
async def create(work: Work, page: OnPage) -> Response:
    """Make a type."""
    form: Form[Any] = await page.form(TypeForm)
    async with page.mending(form, lambda: _draw(work, page, form, known=None)):
        await define_type(work.session, work.clock, work.principal, type_of(form.value))
    return page.go("/admin/ticket-types")


@router.get("/admin/ticket-types/{type_code}")
async def type_page(work: Work, page: OnPage, type_code: str) -> Response:
    """Draw a type's form."""
    found = await type_named(work.session, work.principal, code=type_code)
    return await _draw(work, page, filled(found), known=found)


@router.post("/admin/ticket-types/{type_code}")
async def change(work: Work, page: OnPage, type_code: str) -> Response:
    """Make a new version of a type; open tickets keep theirs."""
    found = await type_named(work.session, work.principal, code=type_code)
    form: Form[Any] = await page.form(TypeForm)
    async with page.mending(form, lambda: _draw(work, page, form, known=found)):
        await define_type(work.session, work.clock, work.principal, type_of(form.value))
    return page.done(f"/admin/ticket-types/{type_code}", _("A new version is in force; open tickets keep theirs."))


@router.get("/admin/ticket-types/{type_code}/retire")
async def ask_to_retire(work: Work, page: OnPage, type_code: str) -> Response:
    """Ask whether a type is to be retired."""
    found = await type_named(work.session, work.principal, code=type_code)
    return page.show("admin/ticket_type_retire.html", type=found)


@router.post("/admin/ticket-types/{type_code}/retire")
async def retire(work: Work, page: OnPage, type_code: str) -> Response:
    """Let no ticket be opened with a type any more."""
    await retire_type(work.session, work.clock, work.principal, code=type_code)
    work.changed("tickets")
    return page.done("/admin/ticket-types", _("The type is retired."))


async def _draw(work: Unit, page: Page, form: Form[Any], *, known: TicketType | None) -> Response:
    tree = in_tree(await list_types(work.session, work.principal))
    locale = page.reader.locale
    return page.show(
        "admin/ticket_type.html",
        form=form,
        known=known,
        parents=[(each.code, "\u3000" * depth + words.written(each.name, locale)) for depth, each in tree],
        kinds=[(kind, page.say(label)) for kind, label in words.TICKET_KINDS.items()],
        payers=[(payer, page.say(label)) for payer, label in words.PAYERS.items()],
        calendars=await _calendars(work, page),
        rows=[
            (page.say(words.PRIORITIES[priority]), [(minutes_field(priority, target), target) for target in Target])
            for priority in Priority
        ],
    )


async def _calendars(work: Unit, page: Page) -> list[tuple[str, str]]:
    """Return the calendars that there are, and those that are made when they are first asked for."""
    known = {
        each.definition.code: each.definition for each in await calendars.list_calendars(work.session, work.principal)
    }
    standard = {each.code: each for each in defaults("UTC")}
    return [
        (code, words.written(definition.name, page.reader.locale)) for code, definition in {**standard, **known}.items()
    ]

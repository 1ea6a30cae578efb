"""Who owns and lives in which unit: moving in and out, putting right, and telephone numbers."""

from datetime import date
from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from cloud.accounts import people, telephones
from cloud.accounts.phones import shown
from cloud.core.listing import Ask, Found
from cloud.core.principal import STAFF, Role
from cloud.properties import occupancies, unit_codes, units
from cloud.properties.domain import OccupancyKind
from cloud.properties.occupancies import Occupant
from cloud.properties.units import UnitLine
from cloud.screens.admin.words import OCCUPANCY_KINDS
from cloud.web.forms import Form, FormModel
from cloud.web.ids import Id
from cloud.web.lists import Column, ListView
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

UNITS = "/units"

at_desk = pages_for(Role.DESK)
for_staff = pages_for(*STAFF)

Name = Annotated[str, Field(min_length=1, max_length=80)]
Phone = Annotated[str, Field(max_length=40)]


class MoveInForm(FormModel):
    """Somebody who comes into a unit; without a number they can't sign in."""

    name: Name
    phone: Phone | None = None
    kind: OccupancyKind
    since: date


class MoveOutForm(FormModel):
    """From which day on somebody is no longer in the unit."""

    until: date


class CorrectForm(FormModel):
    """As what and from when to when somebody is in a unit."""

    kind: OccupancyKind
    since: date
    until: date | None = None


class OwnerForm(FormModel):
    """What somebody in a unit is called, and their number."""

    name: Name
    phone: Phone | None = None


@at_desk.get(UNITS)
async def unit_list(work: Work, page: OnPage) -> Response:
    """Draw all units with who is in them today."""

    async def load(ask: Ask) -> Found[UnitLine]:
        return await units.list_units(work.session, work.principal, ask, on=_today(work, page))

    return await page.list("admin/units.html", _VIEW, load)


@at_desk.get(f"{UNITS}/{{unit_id}}")
async def unit(work: Work, page: OnPage, unit_id: Id) -> Response:
    """Draw who is, was and will be in a unit, and the letters by which somebody may come."""
    label = await occupancies.unit_label(work.session, work.principal, unit_id)
    found = await occupancies.occupants(work.session, work.principal, [unit_id])
    today = _today(work, page)
    return page.show(
        "admin/unit.html",
        unit_id=unit_id,
        label=label,
        present=[occupant for occupant in found[unit_id] if occupant.holds(today)],
        others=[occupant for occupant in found[unit_id] if not occupant.holds(today)],
        letters=await unit_codes.open_letters(work.session, work.clock, work.principal, unit_id=unit_id),
        kinds=OCCUPANCY_KINDS,
    )


@at_desk.get(f"{UNITS}/{{unit_id}}/move-in")
async def ask_move_in(work: Work, page: OnPage, unit_id: Id) -> Response:
    """Draw the form for somebody who comes."""
    form = Form.blank(MoveInForm, kind=OccupancyKind.OWNER, since=_today(work, page))
    return await _draw_move_in(work, page, unit_id, form)


@at_desk.post(f"{UNITS}/{{unit_id}}/move-in")
async def move_in(work: Work, page: OnPage, unit_id: Id) -> Response:
    """Let somebody move in; who has the number already is the same person."""
    form = await page.form(MoveInForm)
    async with page.mending(form, lambda: _draw_move_in(work, page, unit_id, form)):
        occupancy_id = await occupancies.move_in(
            work.session, work.clock, work.principal, unit_id=unit_id, **form.value.model_dump()
        )
    moved = await occupancies.find_occupancy(work.session, work.principal, occupancy_id)
    names = await people.names(work.session, work.principal, [moved.person_id])
    return page.done(f"{UNITS}/{unit_id}", _("%(name)s is in."), parameters={"name": names[moved.person_id]})


@at_desk.get("/occupancies/{occupancy_id}")
async def ask_correct(work: Work, page: OnPage, occupancy_id: Id) -> Response:
    """Draw the form with what stands."""
    found = await occupancies.find_occupancy(work.session, work.principal, occupancy_id)
    form = Form.blank(CorrectForm, kind=found.kind, since=found.since, until=found.until)
    return await _draw_occupancy(work, page, occupancy_id, "admin/occupancy.html", form)


@at_desk.post("/occupancies/{occupancy_id}")
async def correct(work: Work, page: OnPage, occupancy_id: Id) -> Response:
    """Put right what was entered wrong."""
    found = await occupancies.find_occupancy(work.session, work.principal, occupancy_id)
    form = await page.form(CorrectForm)
    async with page.mending(form, lambda: _draw_occupancy(work, page, occupancy_id, "admin/occupancy.html", form)):
        await occupancies.correct_occupancy(
            work.session, work.clock, work.principal, occupancy_id=occupancy_id, **form.value.model_dump()
        )
    return page.done(f"{UNITS}/{found.unit_id}", _("Saved."))


@at_desk.get("/occupancies/{occupancy_id}/move-out")
async def ask_move_out(work: Work, page: OnPage, occupancy_id: Id) -> Response:
    """Ask from which day on, which is also to ask once more."""
    form = Form.blank(MoveOutForm, until=_today(work, page))
    return await _draw_occupancy(work, page, occupancy_id, "admin/move_out.html", form)


@at_desk.post("/occupancies/{occupancy_id}/move-out")
async def move_out(work: Work, page: OnPage, occupancy_id: Id) -> Response:
    """Let somebody move out: from that day on they see nothing of the unit."""
    found = await occupancies.find_occupancy(work.session, work.principal, occupancy_id)
    form = await page.form(MoveOutForm)
    async with page.mending(form, lambda: _draw_occupancy(work, page, occupancy_id, "admin/move_out.html", form)):
        await occupancies.move_out(
            work.session, work.clock, work.principal, occupancy_id=occupancy_id, until=form.value.until
        )
    return page.done(f"{UNITS}/{found.unit_id}", _("Saved."))


@at_desk.get("/occupancies/{occupancy_id}/person")
async def ask_owner(work: Work, page: OnPage, occupancy_id: Id) -> Response:
    """Draw what somebody in a unit is called; their number is only replaced here, not shown."""
    occupant = await _occupant(work, occupancy_id)
    return await _draw_owner(page, occupant, Form.blank(OwnerForm, name=occupant.name))


@at_desk.post("/occupancies/{occupancy_id}/person")
async def change_owner(work: Work, page: OnPage, occupancy_id: Id) -> Response:
    """Take another name or number; an empty number leaves the one that is known."""
    occupant = await _occupant(work, occupancy_id)
    form = await page.form(OwnerForm)
    async with page.mending(form, lambda: _draw_owner(page, occupant, form)):
        await telephones.change_owner(
            work.session,
            work.clock,
            work.principal,
            occupant.person_id,
            name=form.value.name,
            phone=form.value.phone or occupant.phone,
        )
    return page.done(f"{UNITS}/{occupant.unit_id}", _("Saved."))


@for_staff.post("/people/{person_id}/phone")
async def reveal(work: Work, page: OnPage, person_id: Id) -> Response:
    """Show a number in full, this once; that somebody looked is written down."""
    phone = await occupancies.reveal_phone(work.session, work.clock, work.principal, person_id)
    names = await people.names(work.session, work.principal, [person_id])
    response = page.show(
        "admin/phone.html",
        name=names[person_id],
        phone=phone,
        dialled=shown(phone) if phone else "",
        back=page.back(UNITS),
    )
    response.headers["Cache-Control"] = "no-store"
    return response


_VIEW = ListView[UnitLine](
    name="unit_list",
    caption=_("Units"),
    searchable=_("community, building or unit"),
    key=lambda row: row.id,
    sort="unit",
    columns=(
        Column(name="community", label=_("Community"), value=lambda row: row.community),
        Column(name="building", label=_("Building"), value=lambda row: row.building),
        Column(name="unit", label=_("Unit"), value=lambda row: row.name),
        Column(
            name="people",
            label=_("Who is there"),
            value=lambda row: ", ".join(occupant.name for occupant in row.occupants),
            sortable=False,
        ),
    ),
)


async def _draw_move_in(work: Unit, page: Page, unit_id: int, form: Form[MoveInForm]) -> Response:
    label = await occupancies.unit_label(work.session, work.principal, unit_id)
    return page.show("admin/move_in.html", form=form, unit_id=unit_id, label=label, kinds=_kinds(page))


async def _draw_occupancy(
    work: Unit, page: Page, occupancy_id: int, template: str, form: Form[CorrectForm] | Form[MoveOutForm]
) -> Response:
    occupant = await _occupant(work, occupancy_id)
    label = await occupancies.unit_label(work.session, work.principal, occupant.unit_id)
    return page.show(template, form=form, occupant=occupant, label=label, kinds=_kinds(page))


async def _draw_owner(page: Page, occupant: Occupant, form: Form[OwnerForm]) -> Response:
    return page.show("admin/owner.html", form=form, occupant=occupant)


async def _occupant(work: Unit, occupancy_id: int) -> Occupant:
    found = await occupancies.find_occupancy(work.session, work.principal, occupancy_id)
    inside = await occupancies.occupants(work.session, work.principal, [found.unit_id])
    return next(occupant for occupant in inside[found.unit_id] if occupant.id == occupancy_id)


def _today(work: Unit, page: Page) -> date:
    return work.clock.now().astimezone(page.reader.zone).date()


def _kinds(page: Page) -> list[tuple[OccupancyKind, str]]:
    return [(kind, page.say(label)) for kind, label in OCCUPANCY_KINDS.items()]

"""What a community holds, buildings, units and places: making, changing and deleting them."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from enum import StrEnum
from functools import partial
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from cloud.core.clock import Clock
from cloud.core.errors import NotFound
from cloud.core.principal import Principal, Role
from cloud.properties import service as properties
from cloud.properties.domain import SEPARATOR, Building, Community, Place, PlaceKind, Unit
from cloud.properties.tree import read_tree
from cloud.screens.admin.deleting import ask_delete, delete_asked
from cloud.screens.admin.words import PLACE_KINDS
from cloud.web.forms import Form, FormModel
from cloud.web.ids import Id
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Unit as UnitOfWork
from cloud.web.session import Work
from firmware_configs.look.words import _

router = pages_for(Role.ADMINISTRATOR)

Name = Annotated[str, Field(min_length=1, max_length=80)]
Thing = Building | Unit | Place


class Noun(StrEnum):
    """What stands in a community; the words of the addresses."""

    BUILDING = "buildings"
    UNIT = "units"
    PLACE = "places"


class BuildingForm(FormModel):
    """A building's name."""

    name: Name


class UnitForm(FormModel):
    """A new unit and the building that it is in."""

    building: Id
    name: Name


class PlaceForm(FormModel):
    """A new place and where it is: `building:3`, `unit:7`, or nothing for the community's grounds."""

    where: Annotated[str, Field(pattern=r"^(building|unit):\d{1,15}$")] | None = None
    name: Name
    kind: PlaceKind


class NamedForm(FormModel):
    """What may be changed of something that is there; only a place has a kind."""

    name: Name
    kind: PlaceKind | None = None


_FORMS: Mapping[Noun, type[BuildingForm | UnitForm | PlaceForm]] = {
    Noun.BUILDING: BuildingForm,
    Noun.UNIT: UnitForm,
    Noun.PLACE: PlaceForm,
}
_DELETE: Mapping[Noun, Callable[[AsyncSession, Clock, Principal, int], Awaitable[None]]] = {
    Noun.BUILDING: properties.delete_building,
    Noun.UNIT: properties.delete_unit,
    Noun.PLACE: properties.delete_place,
}


@router.get("/admin/communities/{community_id}/{noun}/new")
async def ask_new(work: Work, page: OnPage, community_id: int, noun: Noun) -> Response:
    """Draw the form for something new, in what the address names."""
    tree = await _tree(work, community_id)
    return _draw_new(page, tree, noun, Form.blank(_FORMS[noun], **page.request.query_params))


@router.post("/admin/communities/{community_id}/{noun}/new")
async def create(work: Work, page: OnPage, community_id: int, noun: Noun) -> Response:
    """Make a building, a unit or a place."""
    tree = await _tree(work, community_id)
    form = await page.form(_FORMS[noun])

    async def again() -> Response:
        return _draw_new(page, tree, noun, form)

    async with page.mending(form, again):
        await _create(work, tree, form.value)
    return page.done(_path(community_id), _("Added."))


@router.get("/admin/communities/{community_id}/{noun}/{thing_id}")
async def ask_change(work: Work, page: OnPage, community_id: int, noun: Noun, thing_id: int) -> Response:
    """Draw the form with what stands."""
    thing = _find(await _tree(work, community_id), noun, thing_id)
    form = Form.blank(NamedForm, name=thing.name, kind=thing.kind if isinstance(thing, Place) else None)
    return _draw_change(page, form, noun, community_id=community_id)


@router.post("/admin/communities/{community_id}/{noun}/{thing_id}")
async def change(work: Work, page: OnPage, community_id: int, noun: Noun, thing_id: int) -> Response:
    """Take the changes."""
    thing = _find(await _tree(work, community_id), noun, thing_id)
    form = await page.form(NamedForm)

    async def again() -> Response:
        return _draw_change(page, form, noun, community_id=community_id)

    async with page.mending(form, again):
        await _change(work, thing, form.value)
    return page.done(_path(community_id), _("Saved."))


@router.get("/admin/communities/{community_id}/{noun}/{thing_id}/delete")
async def ask_delete_thing(work: Work, page: OnPage, community_id: int, noun: Noun, thing_id: int) -> Response:
    """Ask once more."""
    thing = _find(await _tree(work, community_id), noun, thing_id)
    return ask_delete(page, thing.name, back=_path(community_id))


@router.post("/admin/communities/{community_id}/{noun}/{thing_id}/delete")
async def delete(work: Work, page: OnPage, community_id: int, noun: Noun, thing_id: int) -> Response:
    """Delete something that nothing is in and nothing speaks of."""
    thing = _find(await _tree(work, community_id), noun, thing_id)
    deleting = partial(_DELETE[noun], work.session, work.clock, work.principal, thing_id)
    await delete_asked(page, deleting, name=thing.name, back=_path(community_id))
    return page.done(_path(community_id), _("Deleted."))


async def _tree(work: UnitOfWork, community_id: int) -> Community:
    return await read_tree(work.session, work.principal, community_id)


async def _create(work: UnitOfWork, tree: Community, wanted: FormModel) -> None:
    with_whom = (work.session, work.clock, work.principal)
    match wanted:
        case BuildingForm(name=name):
            await properties.create_building(*with_whom, community_id=tree.id, name=name)
        case UnitForm(building=building_id, name=name):
            _find(tree, Noun.BUILDING, building_id)
            await properties.create_unit(*with_whom, building_id=building_id, name=name)
        case PlaceForm(where=where, name=name, kind=kind):
            in_building, in_unit = _where(tree, where)
            await properties.create_place(
                *with_whom, community_id=tree.id, building_id=in_building, unit_id=in_unit, name=name, kind=kind
            )


async def _change(work: UnitOfWork, thing: Thing, wanted: NamedForm) -> None:
    with_whom = (work.session, work.clock, work.principal)
    match thing:
        case Building():
            await properties.rename_building(*with_whom, thing.id, name=wanted.name)
        case Unit():
            await properties.rename_unit(*with_whom, thing.id, name=wanted.name)
        case Place():
            await properties.change_place(*with_whom, thing.id, name=wanted.name, kind=wanted.kind or thing.kind)


def _where(tree: Community, where: str | None) -> tuple[int | None, int | None]:
    """Return the building and the unit that a form's `where` means."""
    if where is None:
        return None, None
    noun, _, number = where.partition(":")
    if noun == "building":
        return int(number), None
    unit = _find(tree, Noun.UNIT, int(number))
    return (unit.building_id, unit.id) if isinstance(unit, Unit) else (None, None)


def _find(tree: Community, noun: Noun, thing_id: int) -> Thing:
    found = next((thing for kind, thing in _things(tree) if kind is noun and thing.id == thing_id), None)
    if found is None:
        raise NotFound(_("There is no such place."))
    return found


def _things(tree: Community) -> Iterator[tuple[Noun, Thing]]:
    yield from ((Noun.PLACE, place) for place in tree.places)
    for building in tree.buildings:
        yield Noun.BUILDING, building
        yield from ((Noun.PLACE, place) for place in building.places)
        for unit in building.units:
            yield Noun.UNIT, unit
            yield from ((Noun.PLACE, place) for place in unit.places)


def _draw_new(page: Page, tree: Community, noun: Noun, form: Form[Any]) -> Response:
    units = [
        (f"unit:{unit.id}", f"{building.name}{SEPARATOR}{unit.name}")
        for building in tree.buildings
        for unit in building.units
    ]
    buildings = [(f"building:{building.id}", building.name) for building in tree.buildings]
    return page.show(
        "admin/new_thing.html",
        form=form,
        noun=noun,
        community=tree,
        buildings=[(building.id, building.name) for building in tree.buildings],
        where=sorted([*buildings, *units], key=lambda option: option[1]),
        kinds=_kinds(page),
        back=_path(tree.id),
    )


def _draw_change(page: Page, form: Form[NamedForm], noun: Noun, *, community_id: int) -> Response:
    return page.show("admin/thing.html", form=form, noun=noun, kinds=_kinds(page), back=_path(community_id))


def _kinds(page: Page) -> list[tuple[PlaceKind, str]]:
    return [(kind, page.say(label)) for kind, label in PLACE_KINDS.items()]


def _path(community_id: int) -> str:
    return f"/admin/communities/{community_id}"

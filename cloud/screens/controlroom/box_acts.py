"""What an administrator does with boxes: codes to claim them, names, places of what they measure, shutting one out."""

from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from cloud.core.principal import Role
from cloud.fleet import bindings, boxes, claims, overview
from cloud.fleet import service as fleet
from cloud.fleet.bindings import LABEL_LENGTH
from cloud.fleet.boxes import NAME_LENGTH
from cloud.fleet.claims import IssuedCode
from cloud.fleet.domain import Device, Point
from cloud.fleet.overview import Box
from cloud.properties import service as properties
from cloud.web.forms import Form, FormModel
from cloud.web.ids import Id
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

router = pages_for(Role.ADMINISTRATOR)

_COMMUNITY, _PLACE = "community", "place"


class ClaimForm(FormModel):
    """What a new box is to be called, and where it stands: `community:3` or `place:7`."""

    name: Annotated[str, Field(min_length=1, max_length=NAME_LENGTH)]
    where: Annotated[str, Field(pattern=r"^(community|place):\d{1,15}$")]


class NameForm(FormModel):
    """A box's name."""

    name: Annotated[str, Field(min_length=1, max_length=NAME_LENGTH)]


class PlaceForm(FormModel):
    """Where something measures, and what it is called there."""

    place: Id
    label: Annotated[str, Field(max_length=LABEL_LENGTH)] = ""


@router.get("/boxes/new")
async def ask_for_code(work: Work, page: OnPage) -> Response:
    """Draw the form of a code for a new box."""
    return await _draw_claim(work, page, Form.blank(ClaimForm))


@router.post("/boxes/new")
async def issue(work: Work, page: OnPage) -> Response:
    """Issue a code for a new box and show it, this once."""
    form = await page.form(ClaimForm)
    async with page.mending(form, lambda: _draw_claim(work, page, form)):
        kind, _colon, number = form.value.where.partition(":")
        place_id = int(number) if kind == _PLACE else None
        place = await properties.find_place(work.session, work.principal, place_id) if place_id else None
        issued = await claims.issue(
            work.session,
            work.clock,
            work.principal,
            community_id=place.community_id if place else int(number),
            place_id=place_id,
            box_name=form.value.name,
        )
    return _show(page, issued, name=form.value.name, back="/boxes")


@router.get("/boxes/{box_id}/code")
async def ask_for_code_again(work: Work, page: OnPage, box_id: int) -> Response:
    """Ask whether the box is to get another key."""
    return page.show("controlroom/box_code_again.html", box=await _box(work, box_id))


@router.post("/boxes/{box_id}/code")
async def issue_again(work: Work, page: OnPage, box_id: int) -> Response:
    """Issue a code that gives the box another key, and show it, this once."""
    box = await _box(work, box_id)
    issued = await claims.issue_again(work.session, work.clock, work.principal, box_id=box_id)
    return _show(page, issued, name=box.name, back=f"/boxes/{box_id}")


@router.get("/boxes/{box_id}/name")
async def ask_for_name(work: Work, page: OnPage, box_id: int) -> Response:
    """Draw the form of a box's name."""
    box = await _box(work, box_id)
    return page.show("controlroom/box_name.html", box=box, form=Form.blank(NameForm, name=box.name))


@router.post("/boxes/{box_id}/name")
async def rename(work: Work, page: OnPage, box_id: int) -> Response:
    """Call the box something else."""
    form = await page.form(NameForm)

    async def draw() -> Response:
        return page.show("controlroom/box_name.html", box=await _box(work, box_id), form=form)

    async with page.mending(form, draw):
        await boxes.rename(work.session, work.clock, work.principal, box_id=box_id, name=form.value.name)
    work.changed("boxes")
    return page.done(f"/boxes/{box_id}", _("The box has its new name."))


@router.get("/boxes/{box_id}/shut-out")
async def ask_to_shut_out(work: Work, page: OnPage, box_id: int) -> Response:
    """Ask whether the box is to be let in no more."""
    return page.show("controlroom/box_shut_out.html", box=await _box(work, box_id))


@router.post("/boxes/{box_id}/shut-out")
async def shut_out(work: Work, page: OnPage, box_id: int) -> Response:
    """Let the box in no more."""
    await boxes.revoke(work.session, work.clock, work.principal, box_id=box_id)
    work.changed("boxes")
    return page.done(f"/boxes/{box_id}", _("The box is shut out."))


@router.get("/devices/{device_id}/place")
async def ask_for_device_place(work: Work, page: OnPage, device_id: int) -> Response:
    """Draw the form of where a device measures."""
    device = await fleet.device(work.session, work.principal, device_id=device_id)
    return await _draw_place(work, page, device, _filled(device))


@router.post("/devices/{device_id}/place")
async def bind_device(work: Work, page: OnPage, device_id: int) -> Response:
    """Let a device measure a place from now on."""
    device = await fleet.device(work.session, work.principal, device_id=device_id)
    form = await page.form(PlaceForm)
    async with page.mending(form, lambda: _draw_place(work, page, device, form)):
        await bindings.bind_device(
            work.session,
            work.clock,
            work.principal,
            device_id=device_id,
            place_id=form.value.place,
            label=form.value.label,
        )
    return _bound(work, page, device.box_id)


@router.get("/points/{point_id}/place")
async def ask_for_point_place(work: Work, page: OnPage, point_id: int) -> Response:
    """Draw the form of where a point measures."""
    point = await fleet.point(work.session, work.principal, point_id=point_id)
    return await _draw_place(work, page, point, _filled(point))


@router.post("/points/{point_id}/place")
async def bind_point(work: Work, page: OnPage, point_id: int) -> Response:
    """Let one point measure another place than its device from now on."""
    point = await fleet.point(work.session, work.principal, point_id=point_id)
    form = await page.form(PlaceForm)
    async with page.mending(form, lambda: _draw_place(work, page, point, form)):
        await bindings.bind_point(
            work.session,
            work.clock,
            work.principal,
            point_id=point_id,
            place_id=form.value.place,
            label=form.value.label,
        )
    return _bound(work, page, point.box_id)


def _show(page: Page, issued: IssuedCode, *, name: str, back: str) -> Response:
    command = f"gatehouse-edge claim {issued.code}"
    return page.show("controlroom/box_code.html", name=name, issued=issued, command=command, back=back)


def _bound(work: Unit, page: Page, box_id: int) -> Response:
    work.changed("boxes", "alarms")
    return page.done(f"/boxes/{box_id}", _("The place is kept, from now on."))


async def _box(work: Unit, box_id: int) -> Box:
    return await overview.find_box(work.session, work.clock, work.principal, box_id=box_id)


async def _draw_claim(work: Unit, page: Page, form: Form[ClaimForm]) -> Response:
    communities = await properties.list_communities(work.session, work.principal)
    options = [(f"{_COMMUNITY}:{community.id}", community.name) for community in communities]
    places = await properties.list_places(work.session, work.principal)
    labels = await properties.labels(work.session, work.principal, [place.id for place in places])
    options += sorted(((f"{_PLACE}:{place_id}", label) for place_id, label in labels.items()), key=_words)
    return page.show("controlroom/box_claim.html", form=form, where=options)


async def _draw_place(work: Unit, page: Page, bound: Device | Point, form: Form[PlaceForm]) -> Response:
    places = await properties.list_places(work.session, work.principal, community_id=bound.where.community_id)
    labels = await properties.labels(work.session, work.principal, [place.id for place in places])
    name = bound.name if isinstance(bound, Device) else bound.key
    options = sorted(labels.items(), key=_words)
    return page.show("controlroom/box_place.html", name=name, box_id=bound.box_id, places=options, form=form)


def _filled(bound: Device | Point) -> Form[PlaceForm]:
    return Form.blank(PlaceForm, place=bound.where.place_id, label=bound.where.label)


def _words(option: tuple[object, str]) -> str:
    return option[1]

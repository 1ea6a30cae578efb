"""Reporting a fault: a photo, where, and words if one likes."""

import secrets
from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from cloud.accounts import telephones
from cloud.core.errors import Refused
from cloud.core.principal import Role
from cloud.properties import service as properties
from cloud.properties.occupancies import Occupied
from cloud.reception import reports as reception
from cloud.screens.owner.home import own_units
from cloud.tickets import attachments, reports
from cloud.tickets.opening import Location
from cloud.web import uploads
from cloud.web.forms import Form, FormModel
from cloud.web.pages import OnPage, Page
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

REPORT = "/my/report"
_KEY_BYTES = 18

router = uploads.pages_with_files(Role.OWNER)


class ReportForm(FormModel):
    """A fault.

    Attributes:
        where: `unit:3` or, for what all share, `place:7`.
        key: drawn with the form, so that what is sent twice is one report.
    """

    where: Annotated[str, Field(pattern=r"^(unit|place):\d{1,15}$")]
    text: Annotated[str, Field(max_length=4_000)] | None = None
    photos: None = None
    key: Annotated[str, Field(min_length=16, max_length=reports.KEY_LENGTH)]


@router.get(REPORT)
async def ask(work: Work, page: OnPage) -> Response:
    """Draw the form, with the owner's unit chosen."""
    units = await own_units(work, page)
    where = f"unit:{units[0].unit_id}" if units else None
    return await _draw(work, page, Form.blank(ReportForm, where=where, key=secrets.token_urlsafe(_KEY_BYTES)))


@router.post(REPORT)
async def report(work: Work, page: OnPage) -> Response:
    """Open a ticket with the photos; a report that comes again leads to the ticket that it became."""
    form = await page.form(ReportForm)
    async with page.mending(form, lambda: _draw(work, page, form)):
        ticket_id = await reports.reported(work.session, work.principal, key=form.value.key)
        if ticket_id is None:
            ticket_id = await _open(work, page, form.value)
    work.changed("tickets", "reception")
    return page.done(f"/my/repairs/{ticket_id}", _("Reported. You can follow it here."))


async def _open(work: Unit, page: Page, wanted: ReportForm) -> int:
    sent = uploads.sent(page.request, "photos")
    units = await own_units(work, page)
    location, unit_id = await _location(work, units, wanted.where)
    phone = await telephones.own_phone(work.session, work.principal)
    ticket_id = await reports.report(
        work.session,
        work.clock,
        work.principal,
        key=wanted.key,
        location=location,
        unit_id=unit_id,
        text=wanted.text or "",
        phone=phone or "",
        has_photo=bool(sent),
    )
    await reception.reported(work.session, work.clock, work.principal, ticket_id=ticket_id)
    await attachments.attach(
        work.session,
        work.clock,
        work.principal,
        ticket_id=ticket_id,
        attachments=await kept(work, sent),
        is_public=True,
    )
    return ticket_id


async def kept(work: Unit, sent: uploads.Uploads) -> list[attachments.NewAttachment]:
    """Keep the files that were sent, and return them as a ticket takes them."""
    return [
        attachments.NewAttachment(
            file_id=await uploads.add(work.session, work.clock, work.principal, upload),
            name=upload.name,
            width=upload.width,
            height=upload.height,
        )
        for upload in sent
    ]


async def _location(work: Unit, units: list[Occupied], where: str) -> tuple[Location, int | None]:
    """Return where a form's `where` is, and the unit if it is one.

    Raises:
        Refused: it is not among what was offered.
    """
    noun, _colon, number = where.partition(":")
    if noun == "unit":
        for unit in units:
            if unit.unit_id == int(number):
                return Location(community_id=unit.community_id, place=unit.label), unit.unit_id
    else:
        for place in await properties.list_places(work.session, work.principal):
            if place.id == int(number) and place.unit_id is None:
                label = await properties.place_label(work.session, work.principal, place.id)
                return Location(community_id=place.community_id, place_id=place.id, place=label), None
    raise Refused(_("Choose one of the places that are offered."), field="where")


async def _draw(work: Unit, page: Page, form: Form[ReportForm]) -> Response:
    units = await own_units(work, page)
    shared = [place.id for place in await properties.list_places(work.session, work.principal) if not place.unit_id]
    labels = await properties.labels(work.session, work.principal, shared)
    places = sorted(((f"place:{place_id}", label) for place_id, label in labels.items()), key=lambda place: place[1])
    return page.show(
        "owner/report.html",
        form=form,
        units=[(f"unit:{unit.unit_id}", unit.label) for unit in units],
        places=places,
        megabytes=uploads.MAXIMUM_BYTES // 1024**2,
    )

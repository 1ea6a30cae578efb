"""Letters with which somebody comes into their unit for the first time: printed this once, and taken back."""

from typing import Annotated

import segno
from markupsafe import Markup
from pydantic import Field
from starlette.responses import Response

from cloud.core.principal import Role
from cloud.properties import occupancies, unit_codes
from cloud.properties.domain import OccupancyKind
from cloud.screens.admin.words import OCCUPANCY_KINDS
from cloud.web.forms import Form, FormModel
from cloud.web.ids import Id
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

router = pages_for(Role.DESK)


class LetterForm(FormModel):
    """To whom the letter goes, and as what they come."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    kind: OccupancyKind


@router.get("/units/{unit_id}/letter")
async def ask_letter(work: Work, page: OnPage, unit_id: Id) -> Response:
    """Draw the form for a letter."""
    return await _draw(work, page, unit_id, Form.blank(LetterForm, kind=OccupancyKind.OWNER))


@router.post("/units/{unit_id}/letter")
async def print_letter(work: Work, page: OnPage, unit_id: Id) -> Response:
    """Draw the letter; its code is shown this once."""
    form = await page.form(LetterForm)
    async with page.mending(form, lambda: _draw(work, page, unit_id, form)):
        issued = await unit_codes.issue(
            work.session, work.clock, work.principal, unit_id=unit_id, name=form.value.name, kind=form.value.kind
        )
    address = f"{page.request.url.scheme}://{page.request.url.netloc}/join"
    scanned = segno.make_qr(f"{address}/{unit_codes.read(issued.code)}", error="m")
    # segno draws nothing but a path of numbers.
    drawn = Markup(scanned.svg_inline(border=4, omitsize=True))  # noqa: S704
    response = page.show("admin/unit_letter.html", issued=issued, address=address, qr=drawn, unit_id=unit_id)
    response.headers["Cache-Control"] = "no-store"
    return response


@router.get("/units/{unit_id}/letters/{letter_id}/revoke")
async def ask_revoke(work: Work, page: OnPage, unit_id: Id, letter_id: Id) -> Response:
    """Ask once more, for browsers without scripts."""
    return await _ask_revoke(work, page, unit_id, letter_id, Form.blank(FormModel))


@router.post("/units/{unit_id}/letters/{letter_id}/revoke")
async def revoke(work: Work, page: OnPage, unit_id: Id, letter_id: Id) -> Response:
    """Take a letter back."""
    form = await page.form(FormModel)
    async with page.mending(form, lambda: _ask_revoke(work, page, unit_id, letter_id, form)):
        await unit_codes.revoke(work.session, work.clock, work.principal, unit_id=unit_id, letter_id=letter_id)
    return page.done(f"/units/{unit_id}", _("The letter is taken back: its code lets nobody in."))


async def _ask_revoke(work: Unit, page: Page, unit_id: int, letter_id: int, form: Form[FormModel]) -> Response:
    found = await unit_codes.find_letter(work.session, work.principal, unit_id=unit_id, letter_id=letter_id)
    return page.show("admin/unit_letter_revoke.html", form=form, unit_id=unit_id, letter=found)


async def _draw(work: Unit, page: Page, unit_id: int, form: Form[LetterForm]) -> Response:
    label = await occupancies.unit_label(work.session, work.principal, unit_id)
    kinds = [(kind, page.say(words)) for kind, words in OCCUPANCY_KINDS.items()]
    return page.show("admin/unit_letter_form.html", form=form, unit_id=unit_id, label=label, kinds=kinds)

"""When somebody may come: the times that are offered to an owner, and the one they choose."""

from datetime import datetime

from starlette.responses import Response

from cloud.core.principal import Role
from cloud.repairs import visits
from cloud.screens.owner.repairs import REPAIRS
from cloud.tickets import reading
from cloud.web.forms import Form, FormModel
from cloud.web.ids import Id
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

router = pages_for(Role.OWNER)


class ChoiceForm(FormModel):
    """The time that suits."""

    visit_id: Id
    starts_at: datetime


@router.get(f"{REPAIRS}/{{repair_id}}/visit")
async def visit_page(work: Work, page: OnPage, repair_id: Id) -> Response:
    """Draw the times that are offered."""
    return await _draw(work, page, repair_id, Form.blank(ChoiceForm))


@router.post(f"{REPAIRS}/{{repair_id}}/visit")
async def choose(work: Work, page: OnPage, repair_id: Id) -> Response:
    """Take the owner's choice; it may be changed until somebody comes."""
    await reading.ticket(work.session, work.clock, work.principal, ticket_id=repair_id)
    form = await page.form(ChoiceForm)
    async with page.mending(form, lambda: _draw(work, page, repair_id, form)):
        await visits.choose(
            work.session,
            work.clock,
            work.principal,
            ticket_id=repair_id,
            visit_id=form.value.visit_id,
            starts_at=form.value.starts_at,
        )
    work.changed("tickets")
    return page.done(f"{REPAIRS}/{repair_id}", _("Thank you. We come at that time."))


async def _draw(work: Unit, page: Page, repair_id: int, form: Form[ChoiceForm]) -> Response:
    ticket = await reading.ticket(work.session, work.clock, work.principal, ticket_id=repair_id)
    known = (await visits.visits(work.session, work.principal, ticket_ids=[repair_id]))[repair_id]
    offered = next((each for each in reversed(known) if each.is_open and ticket.is_undone), None)
    return page.show("owner/visit.html", ticket=ticket, visits=known, offered=offered, form=form)

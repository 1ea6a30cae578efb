"""What was done, what it costs, and what the owner thinks of it."""

from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from cloud.core.principal import Role
from cloud.feedback import service as feedback
from cloud.feedback.domain import TEXT_LENGTH, Rating
from cloud.repairs import charges, results, surveys
from cloud.screens.owner.repairs import REPAIRS
from cloud.tickets import reading
from cloud.web.forms import Form, FormModel
from cloud.web.ids import Id
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

router = pages_for(Role.OWNER)

THANKS = _("Thank you for telling us.")


class RatingForm(FormModel):
    """One of the five choices, and a word about it if one likes; without a word, what was said before stays."""

    rating: Rating
    text: Annotated[str, Field(max_length=TEXT_LENGTH)] | None = None


@router.get(f"{REPAIRS}/{{repair_id}}/result")
async def result_page(work: Work, page: OnPage, repair_id: Id) -> Response:
    """Draw the reports, what was charged, the photos and the five choices."""
    return await _draw(work, page, repair_id, Form.blank(RatingForm))


@router.post(f"{REPAIRS}/{{repair_id}}/result")
async def rate(work: Work, page: OnPage, repair_id: Id) -> Response:
    """Take the owner's opinion."""
    await reading.ticket(work.session, work.clock, work.principal, ticket_id=repair_id)
    form = await page.form(RatingForm)
    async with page.mending(form, lambda: _draw(work, page, repair_id, form)):
        await feedback.rate(
            work.session,
            work.clock,
            work.principal,
            ticket_id=repair_id,
            rating=form.value.rating,
            text=form.value.text,
        )
    work.changed("tickets")
    return page.done(f"{REPAIRS}/{repair_id}/result", THANKS)


async def _draw(work: Unit, page: Page, repair_id: int, form: Form[RatingForm]) -> Response:
    session, principal = work.session, work.principal
    ticket = await reading.ticket(session, work.clock, principal, ticket_id=repair_id)
    return page.show(
        "owner/result.html",
        ticket=ticket,
        results=await results.results(session, principal, ticket_id=repair_id),
        charges=await charges.charges(session, principal, ticket_id=repair_id),
        photos=await surveys.photos(session, principal, ticket_id=repair_id),
        asked=await feedback.asked_about(session, work.clock, principal, ticket_id=repair_id),
        form=form,
    )

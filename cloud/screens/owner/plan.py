"""The plan that an owner is asked to consent to: its lines, what changed, and yes, no or a question."""

from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from cloud.core.money import Money
from cloud.core.principal import Role
from cloud.repairs import consent, plans
from cloud.repairs.consent import Answer
from cloud.repairs.domain import Reply
from cloud.screens.owner.repairs import REPAIRS
from cloud.tickets import reading
from cloud.web.forms import Form, FormModel
from cloud.web.ids import Id
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

router = pages_for(Role.OWNER)

SAID = {
    Reply.AGREED: _("You agreed to the plan. The work can begin."),
    Reply.REFUSED: _("You refused the plan. We will be in touch with you."),
    Reply.ASKED: _("Your question is sent. Nothing begins before you agree."),
}


class ReplyForm(FormModel):
    """What the owner says, to the version and the amount that they saw."""

    reply: Reply
    version: Id
    amount: Annotated[int, Field(ge=0)]
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    text: Annotated[str, Field(max_length=4_000)] = ""


@router.get(f"{REPAIRS}/{{repair_id}}/plan")
async def plan_page(work: Work, page: OnPage, repair_id: Id) -> Response:
    """Draw the newest version of the plan."""
    return await _draw(work, page, repair_id, Form.blank(ReplyForm))


@router.post(f"{REPAIRS}/{{repair_id}}/plan")
async def reply(work: Work, page: OnPage, repair_id: Id) -> Response:
    """Take what the owner says; a plan that changed meanwhile is shown with what is different."""
    await reading.ticket(work.session, work.clock, work.principal, ticket_id=repair_id)
    form = await page.form(ReplyForm)
    async with page.mending(form, lambda: _draw(work, page, repair_id, form)):
        sent = form.value
        answer = Answer(
            reply=sent.reply, version=sent.version, amount=Money(sent.amount, sent.currency), text=sent.text
        )
        await consent.reply(work.session, work.clock, work.principal, ticket_id=repair_id, answer=answer)
    work.changed("tickets")
    return page.done(f"{REPAIRS}/{repair_id}", SAID[form.value.reply])


async def _draw(work: Unit, page: Page, repair_id: int, form: Form[ReplyForm]) -> Response:
    ticket = await reading.ticket(work.session, work.clock, work.principal, ticket_id=repair_id)
    plan = await plans.current_plan(work.session, work.principal, ticket_id=repair_id)
    decides = plan is not None and await consent.may_decide(
        work.session, work.clock, work.principal, ticket, plan.terms.payer
    )
    is_open = plan is not None and plan.can_be_agreed_to(work.clock.now())
    return page.show("owner/plan.html", ticket=ticket, plan=plan, decides=decides, is_open=is_open, form=form)

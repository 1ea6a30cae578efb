"""What those who pay say to a plan, where the desk writes it down and a manager says it themselves."""

from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from cloud.core.money import Money
from cloud.core.principal import Role
from cloud.repairs import consent, plans, sight
from cloud.repairs.consent import Answer
from cloud.repairs.domain import Means, Reply
from cloud.tickets.domain import Payer
from cloud.tickets.reading import ticket as find_ticket
from cloud.web import words
from cloud.web.forms import Form, FormModel
from cloud.web.ids import Id
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

router = pages_for(Role.DESK, Role.MANAGER)

MEANS = {Means.PHONE: _("means|By telephone"), Means.DESK: _("means|At the desk"), Means.PAPER: _("means|On paper")}
SAID = (Reply.AGREED, Reply.REFUSED, Reply.ASKED)


class ConsentForm(FormModel):
    """What was said, by whom and how, to the version and the amount that were on the page."""

    reply: Reply
    version: Id
    amount: Annotated[int, Field(ge=0)]
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    means: Means = Means.APP
    decider_id: Id | None = None
    text: Annotated[str, Field(max_length=4_000)] = ""


@router.get("/tickets/{ticket_id}/consent")
async def consent_page(work: Work, page: OnPage, ticket_id: Id) -> Response:
    """Draw the newest version of the plan, and the form for what is said to it."""
    return await _draw(work, page, ticket_id, Form.blank(ConsentForm, means=Means.PHONE))


@router.post("/tickets/{ticket_id}/consent")
async def reply(work: Work, page: OnPage, ticket_id: Id) -> Response:
    """Take what was said."""
    await find_ticket(work.session, work.clock, work.principal, ticket_id=ticket_id)
    form = await page.form(ConsentForm)
    async with page.mending(form, lambda: _draw(work, page, ticket_id, form)):
        sent = form.value
        answer = Answer(
            reply=sent.reply,
            version=sent.version,
            amount=Money(sent.amount, sent.currency),
            means=sent.means,
            text=sent.text,
            decider_id=sent.decider_id,
        )
        await consent.reply(work.session, work.clock, work.principal, ticket_id=ticket_id, answer=answer)
    work.changed("tickets")
    return page.done(f"/tickets/{ticket_id}/consent", _("What was said is written down."))


async def _draw(work: Unit, page: Page, ticket_id: int, form: Form[ConsentForm]) -> Response:
    session, principal = work.session, work.principal
    ticket = await find_ticket(session, work.clock, principal, ticket_id=ticket_id)
    known = await plans.plans(session, principal, ticket_id=ticket_id)
    payer = known[0].terms.payer if known else Payer.OWNER
    deciders = await sight.deciders(session, work.clock, principal, ticket, payer)
    return page.show(
        "desk/consent.html",
        ticket=ticket,
        plans=known,
        is_open=bool(known) and known[0].can_be_agreed_to(work.clock.now()),
        decides=payer is not Payer.OWNER and principal.has(Role.MANAGER),
        records=principal.has(Role.DESK),
        deciders=[(each.person_id, each.name) for each in deciders],
        means=[(value, page.say(label)) for value, label in MEANS.items()],
        replies=[(value, page.say(words.REPLIES[value])) for value in SAID],
        form=form,
    )

"""The desk's mail: what somebody must look at, and what becomes of one: an answer, a ticket, or no matter."""

from typing import Annotated, Any

from pydantic import Field
from starlette.responses import Response

from cloud.accounts import people
from cloud.core.listing import Ask, Found
from cloud.core.principal import Role
from cloud.reception import card, correspondence
from cloud.reception.correspondence import Mail
from cloud.reception.mail_tables import MailState, ReplyState
from cloud.screens.desk.calls import TOPIC, resolve
from cloud.screens.desk.tree import type_options
from cloud.tickets.suggesting import suggested
from cloud.tickets.types import list_types
from cloud.web.forms import Form, FormModel
from cloud.web.lists import Column, Kind, ListView, Option
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

router = pages_for(Role.DESK)

STATES = {
    MailState.NEW: _("mail|New"),
    MailState.HELD: _("Waits aside: too many from one sender"),
    MailState.AUTOMATIC: _("Written by a machine"),
    MailState.JOINED: _("In its ticket"),
    MailState.ANSWERED: _("Answered"),
    MailState.TICKET: _("Ticket"),
    MailState.NO_MATTER: _("No matter"),
}

REPLIES = {
    ReplyState.WAITING: _("reply|on its way"),
    ReplyState.SENT: _("reply|sent"),
    ReplyState.DEAD: _("could not be sent"),
}

_TEXT = Annotated[str, Field(max_length=4_000)]

MAILS = ListView[Mail](
    name="mail_list",
    caption=_("Mails"),
    searchable=_("sender, subject or words"),
    key=lambda row: row.id,
    columns=(
        Column(name="subject", label=_("Subject"), value=lambda row: row.subject or "–", filtered=True),
        Column(name="sender", label=_("mail|From"), value=lambda row: row.who, filtered=True),
        Column(name="received", label=_("Came"), value=lambda row: row.received_at, kind=Kind.TIME, filtered=True),
        Column(
            name="state",
            label=_("State"),
            value=lambda row: row.state,
            filtered=True,
            options=tuple(Option(value=state, label=label) for state, label in STATES.items()),
        ),
        Column(name="ticket", label=_("Ticket"), value=lambda row: row.ticket or None, sortable=False),
    ),
)


class AnswerForm(FormModel):
    """What is answered by mail."""

    text: _TEXT
    replies_seen: Annotated[int, Field(ge=0)] = 0


class TicketForm(FormModel):
    """What a mail's ticket is about and where."""

    what: _TEXT
    where: Annotated[str, Field(max_length=300)]
    type: str


class WhoForm(FormModel):
    """Whose the address is: a name, a number or a unit that means one person."""

    who: Annotated[str, Field(max_length=80)]


@router.get("/desk/mails")
async def new_mails(work: Work, page: OnPage) -> Response:
    """Draw the mails that somebody must look at."""
    return await _list(work, page, only_new=True)


@router.get("/desk/mails/all")
async def all_mails(work: Work, page: OnPage) -> Response:
    """Draw all mails, the newest first."""
    return await _list(work, page, only_new=False)


@router.get("/desk/mails/{mail_id}")
async def mail(work: Work, page: OnPage, mail_id: int) -> Response:
    """Draw one mail."""
    return await _draw(work, page, mail_id)


@router.post("/desk/mails/{mail_id}/answer")
async def answer(work: Work, page: OnPage, mail_id: int) -> Response:
    """Answer by mail."""
    form = await page.form(AnswerForm)
    async with page.mending(form, lambda: _draw(work, page, mail_id, answer_form=form)):
        await correspondence.answer(
            work.session,
            work.clock,
            work.principal,
            mail_id=mail_id,
            text=form.value.text,
            replies_seen=form.value.replies_seen,
        )
    work.changed(TOPIC)
    return page.done("/desk/mails", _("The answer goes out."))


@router.post("/desk/mails/{mail_id}/ticket")
async def make_ticket(work: Work, page: OnPage, mail_id: int) -> Response:
    """Open a ticket with what the mail brought."""
    form = await page.form(TicketForm)
    ticket_id = 0
    async with page.mending(form, lambda: _draw(work, page, mail_id, ticket_form=form)):
        sent = form.value
        spot = await resolve(work, sent.where)
        ticket_id = await correspondence.make_ticket(
            work.session,
            work.clock,
            work.principal,
            mail_id=mail_id,
            type_code=sent.type,
            text=sent.what,
            unit_id=spot.unit_id,
            place_id=spot.place_id,
        )
    work.changed(TOPIC, "tickets")
    return page.go(f"/tickets/{ticket_id}")


@router.post("/desk/mails/{mail_id}/dismiss")
async def dismiss(work: Work, page: OnPage, mail_id: int) -> Response:
    """Say that nobody asks for anything."""
    await correspondence.dismiss(work.session, work.clock, work.principal, mail_id=mail_id)
    work.changed(TOPIC)
    return page.done("/desk/mails", _("It is off the list."))


@router.post("/desk/mails/{mail_id}/let-through")
async def let_through(work: Work, page: OnPage, mail_id: int) -> Response:
    """Take a mail that waits aside for one that somebody must look at."""
    await correspondence.let_through(work.session, work.clock, work.principal, mail_id=mail_id)
    work.changed(TOPIC)
    return page.done(f"/desk/mails/{mail_id}", _("It stands among the new ones now."))


@router.post("/desk/mails/{mail_id}/who")
async def say_who(work: Work, page: OnPage, mail_id: int) -> Response:
    """Say whose the address is."""
    form = await page.form(WhoForm)
    async with page.mending(form, lambda: _draw(work, page, mail_id, who_form=form)):
        found = await card.find(work.session, work.clock, work.principal, form.value.who)
        person = card.the_one(found)
        await correspondence.say_who(work.session, work.clock, work.principal, mail_id=mail_id, person_id=person.id)
    work.changed(TOPIC)
    return page.done(f"/desk/mails/{mail_id}", _("The address is known now."))


async def _list(work: Unit, page: Page, *, only_new: bool) -> Response:
    async def load(ask: Ask) -> Found[Mail]:
        return await correspondence.list_mails(work.session, work.principal, ask, only_new=only_new)

    return await page.list("desk/mails.html", MAILS, load, only_new=only_new)


async def _draw(
    work: Unit,
    page: Page,
    mail_id: int,
    *,
    answer_form: Form[AnswerForm] | None = None,
    ticket_form: Form[TicketForm] | None = None,
    who_form: Form[WhoForm] | None = None,
) -> Response:
    found = await correspondence.find_mail(work.session, work.principal, mail_id)
    names = await people.names(work.session, work.principal, [found.person_id]) if found.person_id else {}
    return page.show(
        "desk/mail.html",
        mail=found,
        states=STATES,
        replies=REPLIES,
        person=names.get(found.person_id or 0, ""),
        types=await type_options(work, page),
        answer=answer_form or Form.blank(AnswerForm, replies_seen=len(found.replies)),
        ticket=ticket_form or Form.blank(TicketForm, **await _initial(work, found)),
        who=who_form or Form.blank(WhoForm),
    )


async def _initial(work: Unit, found: Mail) -> dict[str, Any]:
    """Return what stands in the ticket's form: the subject, the sender's unit, the type that the words speak for."""
    where = ""
    if found.person_id is not None:
        shown = await card.card_of_person(work.session, work.clock, work.principal, found.person_id)
        where = shown.spot.label if shown.spot else ""
    types = suggested(f"{found.subject}\n{found.text}", await list_types(work.session, work.principal))
    return {"what": found.subject, "where": where, "type": types[0].type.code if types else "repair"}

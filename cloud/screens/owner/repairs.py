"""An owner's repairs: all of them, one of them, and a word about it."""

from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from cloud.core.listing import Ask
from cloud.core.principal import Role
from cloud.screens.owner import words
from cloud.screens.owner.report import kept
from cloud.screens.owner.steps import steps
from cloud.tickets import attachments, reading
from cloud.tickets.holding import followed
from cloud.tickets.saying import say as say_it
from cloud.tickets.timeline import timeline
from cloud.web import uploads
from cloud.web.forms import Form, FormModel
from cloud.web.ids import Id
from cloud.web.pages import OnPage, Page
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

REPAIRS = "/my/repairs"
_SHOWN = 100
"""The newest; more than a household has in years."""

router = uploads.pages_with_files(Role.OWNER)


class MessageForm(FormModel):
    """A word or a photo about a repair."""

    text: Annotated[str, Field(max_length=4_000)] | None = None
    photos: None = None


@router.get(REPAIRS)
async def repairs(work: Work, page: OnPage) -> Response:
    """Draw all that the owner reported and all that is about their units, the newest first."""
    ask = Ask(limit=_SHOWN)
    found = await reading.list_tickets(work.session, work.clock, work.principal, ask, only_undone=False)
    return page.show("owner/repairs.html", repairs=found.rows)


@router.get(f"{REPAIRS}/{{repair_id}}")
async def repair(work: Work, page: OnPage, repair_id: Id) -> Response:
    """Draw one: where it stands, what happened, and a field for a word about it."""
    return await _draw(work, page, repair_id, Form.blank(MessageForm))


@router.post(f"{REPAIRS}/{{repair_id}}")
async def say(work: Work, page: OnPage, repair_id: Id) -> Response:
    """Add a message with its photos."""
    await reading.ticket(work.session, work.clock, work.principal, ticket_id=repair_id)
    form = await page.form(MessageForm)
    async with page.mending(form, lambda: _draw(work, page, repair_id, form)):
        sent = uploads.sent(page.request, "photos")
        files = await kept(work, sent)
        text = form.value.text or ""
        await say_it(work.session, work.clock, work.principal, ticket_id=repair_id, text=text, files=files)
    work.changed("tickets")
    return page.done(f"{REPAIRS}/{repair_id}", _("Sent."))


async def _draw(work: Unit, page: Page, repair_id: int, form: Form[MessageForm]) -> Response:
    ticket = await reading.ticket(work.session, work.clock, work.principal, ticket_id=repair_id)
    lines = (await timeline(work.session, work.principal, ticket_ids=[repair_id]))[repair_id]
    photos = (await attachments.attachments_of(work.session, work.principal, ticket_ids=[repair_id]))[repair_id]
    goes_on = await followed(work.session, work.clock, work.principal, of=ticket)
    told = [
        {"at": line.at, "who": line.actor, "what": page.say(what), "icon": icon, "said": line.text}
        for line in (*(goes_on.lines if goes_on else ()), *lines)
        if line.deed in words.DEEDS
        for what, icon in [words.DEEDS[line.deed]]
    ]
    return page.show(
        "owner/repair.html",
        ticket=ticket,
        stands=goes_on or ticket,
        told=told,
        files=photos,
        form=form,
        steps=await steps(work, ticket),
    )

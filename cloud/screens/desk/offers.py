"""Offers on a worker's list: taken with one tap, declined with a reason."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from cloud.core.principal import Role
from cloud.screens.desk.lines import TicketLine, lines
from cloud.tickets import offers
from cloud.tickets.offers import Offer
from cloud.tickets.reading import ticket
from cloud.web.forms import FormModel
from cloud.web.notices import Undo
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

router = pages_for(Role.WORKER)


class Why(StrEnum):
    """The usual reasons to decline."""

    BUSY = "busy"
    FAR = "far"
    SKILL = "skill"
    TOOLS = "tools"
    OTHER = "other"


REASONS = {
    Why.BUSY: _("I have too much to do"),
    Why.FAR: _("I am too far away"),
    Why.SKILL: _("I can't do this kind of work"),
    Why.TOOLS: _("I lack tools or parts"),
    Why.OTHER: _("Something else"),
}


class DeclineForm(FormModel):
    """Why somebody does not take what was offered."""

    reason: Why
    note: Annotated[str, Field(max_length=200)] = ""


@router.post("/offers/{offer_id}/accept")
async def accept(work: Work, page: OnPage, offer_id: int) -> Response:
    """Take what was offered; who was too late is told so."""
    ticket_id = await offers.accept(work.session, work.clock, work.principal, offer_id=offer_id)
    work.changed("tickets")
    now = await ticket(work.session, work.clock, work.principal, ticket_id=ticket_id)
    undo = Undo(path=f"/tickets/{ticket_id}/release", fields={"version": str(now.version)})
    return page.done("/tickets", _("The ticket is yours."), undo=undo)


@router.post("/offers/{offer_id}/decline")
async def decline(work: Work, page: OnPage, offer_id: int) -> Response:
    """Say no, and why; the next one is asked."""
    sent = (await page.form(DeclineForm)).value
    said = " ".join(part for part in (page.say(REASONS[sent.reason]), sent.note) if part)
    await offers.decline(work.session, work.clock, work.principal, offer_id=offer_id, reason=said)
    work.changed("tickets")
    return page.done("/tickets", _("Declined: somebody else is asked."))


async def offered(work: Unit, page: Page) -> list[tuple[Offer, TicketLine]]:
    """Return what the reader is asked to take, each with its line; only workers are asked."""
    if Role.WORKER not in work.principal.roles:
        return []
    found = await offers.open_offers(work.session, work.clock, work.principal)
    drawn = await lines(work, page, [offer.ticket for offer in found])
    return list(zip(found, drawn, strict=True))


def reasons(page: Page) -> list[tuple[Why, str]]:
    """Return the usual reasons in the reader's language."""
    return [(why, page.say(label)) for why, label in REASONS.items()]

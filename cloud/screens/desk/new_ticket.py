"""Opening a ticket by hand: what and where, who asked, and the type that its words speak for."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from cloud.alarms.domain import Priority
from cloud.core.errors import Refused
from cloud.core.files import FileStore
from cloud.core.principal import Role
from cloud.core.words import Words
from cloud.properties import service as properties
from cloud.screens.desk.tree import type_options
from cloud.tickets import learning
from cloud.tickets.domain import Origin
from cloud.tickets.opening import Location, open_ticket
from cloud.tickets.suggesting import Suggestion, suggested
from cloud.tickets.types import list_types
from cloud.web import words
from cloud.web.forms import Form, FormModel
from cloud.web.ids import Id
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

router = pages_for(Role.DESK, Role.OPERATOR)

SUGGEST, USE = "suggest", "use:"
"""What a button of the form asks for instead of opening the ticket: suggestions, or to take one of them."""

_CAME_BY = (Origin.CALL, Origin.VISIT, Origin.MAIL, Origin.STAFF)


class TicketForm(FormModel):
    """A ticket as it is opened by hand."""

    type: str
    subject: Annotated[str, Field(max_length=200)]
    place_id: Id
    priority: Annotated[int, Field(ge=1, le=4)] | None = None
    description: Annotated[str, Field(max_length=4_000)] = ""
    requester_name: Annotated[str, Field(max_length=80)] = ""
    requester_phone: Annotated[str, Field(max_length=20)] = ""
    origin: Origin = Origin.CALL


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A type that the words speak for, and which of them."""

    code: str
    name: str
    because: str


@router.get("/tickets/new")
async def new(work: Work, page: OnPage, subject: str = "", description: str = "") -> Response:
    """Draw the form of a new ticket; the words that are typed ask for suggestions as they come."""
    form = Form.blank(
        TicketForm, type="repair", origin=Origin.CALL, subject=subject[:200], description=description[:4_000]
    )
    return await _draw(work, page, form)


@router.post("/tickets")
async def create(work: Work, page: OnPage) -> Response:
    """Open a ticket, or only suggest its type."""
    form = await page.form(TicketForm)
    asked = form.text("act")
    if asked == SUGGEST or asked.startswith(USE):
        typed = {name: form.text(name) for name in TicketForm.model_fields}
        chosen = asked.removeprefix(USE) if asked.startswith(USE) else typed["type"]
        return await _draw(work, page, Form.blank(TicketForm, **{**typed, "type": chosen}))
    ticket_id = 0
    async with page.mending(form, lambda: _draw(work, page, form)):
        ticket_id = await _open(work, form.value)
    work.changed("tickets")
    return page.go(f"/tickets/{ticket_id}")


async def _open(work: Unit, sent: TicketForm) -> int:
    places = {place.id: place for place in await properties.list_places(work.session, work.principal)}
    if sent.place_id not in places:
        raise Refused(_("Choose one of the values offered."), "place_id")
    place = places[sent.place_id]
    label = await properties.place_label(work.session, work.principal, sent.place_id)
    return await open_ticket(
        work.session,
        work.clock,
        work.principal,
        type_code=sent.type,
        subject=Words(zh=sent.subject, en=sent.subject),
        location=Location(community_id=place.community_id, place_id=place.id, place=label),
        priority=Priority(sent.priority) if sent.priority else None,
        description=sent.description,
        unit_id=place.unit_id,
        requester_name=sent.requester_name,
        requester_phone=sent.requester_phone,
        origin=sent.origin,
    )


async def _draw(work: Unit, page: Page, form: Form[TicketForm]) -> Response:
    places = await properties.list_places(work.session, work.principal)
    labels = await properties.labels(work.session, work.principal, [place.id for place in places])
    return page.show(
        "desk/new.html",
        form=form,
        types=await type_options(work, page),
        places=sorted(labels.items(), key=lambda pair: pair[1]),
        origins=[(origin, page.say(words.ORIGINS[origin])) for origin in _CAME_BY],
        offers=await _offers(work, page, form),
    )


async def _offers(work: Unit, page: Page, form: Form[TicketForm]) -> list[Offer]:
    text = f"{form.text('subject')}\n{form.text('description')}"
    if not text.strip():
        return []
    types = await list_types(work.session, work.principal)
    store: FileStore | None = getattr(work.request.app.state, "files", None)
    guess = await learning.guess(work.session, store, work.principal, text=text)
    return [
        Offer(
            code=each.type.code,
            name=words.written(each.type.name, page.reader.locale),
            because=_because(page, each),
        )
        for each in suggested(text, types, guess=guess)
        if each.type.code != form.text("type")
    ]


def _because(page: Page, each: Suggestion) -> str:
    words_found = ", ".join(each.found)
    if each.probability is None:
        return page.say(_("because of: %(words)s"), words=words_found)
    percent = round(100 * each.probability)
    return page.say(_("like earlier tickets (%(percent)d %%): %(words)s"), percent=percent, words=words_found)

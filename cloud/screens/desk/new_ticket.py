"""Opening a ticket by hand: who asked, what and where, and the type that its words speak for."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from operator import itemgetter
from typing import Annotated, Any, assert_never

from pydantic import Field
from starlette.responses import Response

from cloud.alarms.domain import Priority
from cloud.core.errors import NotFound, Refused
from cloud.core.files import FileStore
from cloud.core.principal import Role
from cloud.core.words import Words
from cloud.properties import finding
from cloud.properties import service as properties
from cloud.properties.finding import Spot
from cloud.reception import service
from cloud.reception.domain import Channel, Entry, subject_of
from cloud.screens.desk import requester
from cloud.screens.desk.tree import type_options
from cloud.tickets import learning
from cloud.tickets.domain import Origin
from cloud.tickets.opening import Location, open_ticket
from cloud.tickets.reading import ticket
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


class Wish(StrEnum):
    """What a button of the form asks for instead of opening the ticket."""

    SUGGEST = "suggest"
    USE = "use"  # with a type's code: take what was suggested
    FIND = "find"
    PERSON = "person"  # with an id: they ask
    UNIT = "unit"  # with an id: it is there
    NOBODY = "nobody"  # who asks is somebody else than was chosen


_CAME_BY = (Origin.CALL, Origin.VISIT, Origin.MAIL, Origin.STAFF)
_CHANNELS = {Origin.CALL: Channel.CALL, Origin.VISIT: Channel.VISIT, Origin.MAIL: Channel.MAIL}


class TicketForm(FormModel):
    """A ticket as it is opened by hand.

    Attributes:
        who: the words by which somebody or a unit was looked for.
        requester_id: who asks, where they are known; name and number are then theirs.
        where: `unit:3`, or a place that is none as `place:7`.
        begun_at: when the form was drawn, which is when they came.
    """

    type: str
    subject: Annotated[str, Field(max_length=200)]
    where: Annotated[str, Field(pattern=r"^(unit|place):\d{1,15}$")]
    priority: Annotated[int, Field(ge=1, le=4)] | None = None
    description: Annotated[str, Field(max_length=4_000)] = ""
    who: Annotated[str, Field(max_length=80)] = ""
    requester_id: Id | None = None
    requester_name: Annotated[str, Field(max_length=80)] = ""
    requester_phone: Annotated[str, Field(max_length=20)] = ""
    origin: Origin = Origin.CALL
    begun_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A type that the words speak for, and which of them."""

    code: str
    name: str
    because: str


@router.get("/tickets/new")
async def new(
    work: Work, page: OnPage, subject: str = "", description: str = "", who: str = "", person: Id | None = None,
    unit: Id | None = None,
) -> Response:  # fmt: skip
    """Draw the form of a new ticket; the words that are typed ask for suggestions and for people as they come."""
    typed: dict[str, Any] = {
        "type": "repair", "origin": Origin.CALL, "subject": subject[:200], "description": description[:4_000],
        "who": who[:80], "begun_at": page.reader.now.isoformat(),
    }  # fmt: skip
    if unit is not None:
        typed |= {"where": f"unit:{unit}"}
    if person is not None:
        typed |= await requester.chosen(work, person, where=typed.get("where", ""))
    return await _draw(work, page, Form.blank(TicketForm, **typed))


@router.post("/tickets")
async def create(work: Work, page: OnPage) -> Response:
    """Open a ticket, or only suggest its type, or say who asks."""
    form = await page.form(TicketForm)
    wish, _colon, chosen = form.text("act").partition(":")
    if wish in set(Wish):
        typed: dict[str, object] = {name: form.text(name) for name in TicketForm.model_fields}
        changed = await _granted(work, form, Wish(wish), chosen)
        return await _draw(work, page, Form.blank(TicketForm, **{**typed, **changed}))
    ticket_id = 0
    async with page.mending(form, lambda: _draw(work, page, form)):
        ticket_id = await _open(work, form.value)
    work.changed("tickets", "reception")
    return page.go(f"/tickets/{ticket_id}")


async def _granted(work: Unit, form: Form[TicketForm], wish: Wish, chosen: str) -> dict[str, object]:
    """Return the fields of the form that change with a wish."""
    number = int(chosen) if chosen.isdecimal() else 0
    match wish:
        case Wish.SUGGEST | Wish.FIND:
            return {}
        case Wish.USE:
            return {"type": chosen}
        case Wish.PERSON:
            return await requester.chosen(work, number, where=form.text("where"))
        case Wish.UNIT:
            return {"who": "", "where": f"unit:{number}"}
        case Wish.NOBODY:
            return {"requester_id": ""}
        case _:
            assert_never(wish)


async def _open(work: Unit, sent: TicketForm) -> int:
    spot = await _spot(work, sent.where)
    name, phone = sent.requester_name, sent.requester_phone
    if sent.requester_id is not None:
        person = await finding.find_person(work.session, work.principal, sent.requester_id)
        name, phone = person.name, person.phone or ""
    ticket_id = await open_ticket(
        work.session,
        work.clock,
        work.principal,
        type_code=sent.type,
        subject=Words(zh=sent.subject, en=sent.subject),
        location=Location(community_id=spot.community_id, place_id=spot.place_id, place=spot.label),
        priority=Priority(sent.priority) if sent.priority else None,
        description=sent.description,
        unit_id=spot.unit_id,
        requester_id=sent.requester_id,
        requester_name=name,
        requester_phone=phone,
        origin=sent.origin,
    )
    await _write_down(work, sent, spot, ticket_id)
    return ticket_id


async def _write_down(work: Unit, sent: TicketForm, spot: Spot, ticket_id: int) -> None:
    """Write down whoever came with it; staff who saw something themselves did not come."""
    if sent.origin not in _CHANNELS:
        return
    opened = await ticket(work.session, work.clock, work.principal, ticket_id=ticket_id)
    entry = Entry(
        channel=_CHANNELS[sent.origin],
        subject=subject_of(opened.kind),
        begun_at=sent.begun_at or work.clock.now(),
        key=f"by-hand-{ticket_id}",
        person_id=sent.requester_id,
        name=sent.requester_name,
        phone=sent.requester_phone,
        unit_id=spot.unit_id,
        place_id=spot.place_id,
        text=sent.description or sent.subject,
    )
    await service.about_ticket(work.session, work.clock, work.principal, entry, ticket_id=ticket_id)


async def _spot(work: Unit, where: str) -> Spot:
    """Return the unit or the place that was chosen; of a place in a unit, both.

    Raises:
        Refused: it is none of those that are offered.
    """
    noun, _colon, number = where.partition(":")
    try:
        if noun == "unit":
            return await finding.find_spot(work.session, work.principal, unit_id=int(number), place_id=None)
        place = await properties.find_place(work.session, work.principal, int(number))
        spot = await finding.find_spot(work.session, work.principal, unit_id=None, place_id=place.id)
    except NotFound as error:
        raise Refused(_("Choose one of the values offered."), "where") from error
    return replace(spot, unit_id=place.unit_id)


async def _draw(work: Unit, page: Page, form: Form[TicketForm]) -> Response:
    places = await properties.list_places(work.session, work.principal)
    labels = await properties.labels(work.session, work.principal, [place.id for place in places])
    asks = await requester.find(
        work, who=form.text("who"), requester_id=form.text("requester_id"), where=form.text("where")
    )
    units = [(f"unit:{spot.unit_id}", spot.label) for spot in asks.units]
    return page.show(
        "desk/new.html",
        form=form,
        asks=asks,
        types=await type_options(work, page),
        places=[*units, *sorted(((f"place:{number}", label) for number, label in labels.items()), key=itemgetter(1))],
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

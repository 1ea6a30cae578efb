"""The desk's first screen: one search, the card of whoever calls or stands there, and how it ended in two keys."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import Field
from starlette.responses import Response

from cloud.accounts.phones import check_phone, shown
from cloud.core.errors import Refused
from cloud.core.listing import Ask, Found
from cloud.properties import finding
from cloud.properties.finding import Spot
from cloud.reception import callbacks, card, explained, queue, service
from cloud.reception.card import Card
from cloud.reception.correspondence import count_held, count_new
from cloud.reception.domain import TAKES_CALLS, Channel, Entry, Subject
from cloud.screens.desk.lines import lines
from cloud.screens.desk.reception_words import CHANNELS, COMINGS, ENDINGS, OCCUPANCY_KINDS, SUBJECTS
from cloud.screens.desk.tree import type_options
from cloud.tickets.incident_reading import Incident, list_incidents
from cloud.tickets.suggesting import suggested
from cloud.tickets.types import list_types
from cloud.web import prices, words
from cloud.web.forms import Form, FormModel
from cloud.web.ids import Id
from cloud.web.notices import Notice
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

router = pages_for(*TAKES_CALLS)

TOPIC = "reception"
DEFAULT_TYPE = "repair"
ANSWERED, TICKET, CALLBACK, ABOUT = "answered", "ticket", "callback", "about"
EXPLAINED, JOINED = "explained", "joined"
"""How it ended, as the buttons of the form say it.

`ticket:` and a type opens one of the type that was suggested; `about:` and a ticket is about one that there is;
`explained:` and an incident answers with that, and `joined:` opens a ticket that it explains.
"""

_ACT = rf"^({ANSWERED}|{CALLBACK}|{TICKET}(:[\w.-]+)?|({ABOUT}|{EXPLAINED}|{JOINED}):\d{{1,15}})$"

_PROMISED_IN = timedelta(hours=1)
_OFFERED_SPOTS = 3
_SHOWN_INCIDENTS = 5


class EntryForm(FormModel):
    """What the desk writes down while somebody speaks.

    Attributes:
        where: a unit or a place as people say it; the card fills it in.
        begun_at: when the form was drawn, which is when they called.
        unit_id: of whose card the form was drawn beside, where it was no person's.
        visitor_id: who stands at the counter, and was served once it is written down.
    """

    act: Annotated[str, Field(pattern=_ACT)]
    key: Annotated[str, Field(min_length=8, max_length=64)]
    begun_at: datetime
    channel: Channel = Channel.CALL
    subject: Subject = Subject.ENQUIRY
    person_id: Id | None = None
    unit_id: Id | None = None
    name: Annotated[str, Field(max_length=80)] = ""
    phone: Annotated[str, Field(max_length=40)] = ""
    where: Annotated[str, Field(max_length=300)] = ""
    text: Annotated[str, Field(max_length=4_000)] = ""
    answer: Annotated[str, Field(max_length=4_000)] = ""
    type: str = DEFAULT_TYPE
    price_id: Id | None = None
    visitor_id: Id | None = None
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A type that the words speak for, and which of them."""

    code: str
    name: str
    because: str


@router.get("/desk")
async def desk(
    work: Work, page: OnPage, q: str = "", person: Id | None = None, unit: Id | None = None,
    channel: Channel = Channel.CALL, name: str = "", visitor: Id | None = None,
) -> Response:  # fmt: skip
    """Draw the search, whom its words mean, and the card when that is one."""
    found = await card.find(work.session, work.clock, work.principal, q) if q and not (person or unit) else None
    if found is not None and len(found.tickets) == 1:
        return page.go(f"/tickets/{found.tickets[0].id}")
    if found is not None and found.only_person is not None:
        person = found.only_person.id
    elif found is not None and found.only_unit is not None:
        unit = found.only_unit.unit_id
    shown_card = await _card(work, person, unit)
    initial = _initial(page, shown_card, q=q, channel=channel, name=name)
    form = Form.blank(EntryForm, **initial, visitor_id=visitor)
    return await _draw(work, page, form, q=q, found=found, shown_card=shown_card)


@router.get("/desk/suggestions")
async def suggestions(work: Work, page: OnPage, text: str = "") -> Response:
    """Draw the types that the words speak for, each with the reason."""
    return page.show("desk/call_suggestions.html", offers=await _offers(work, page, text))


@router.post("/desk/entries")
async def write(work: Work, page: OnPage) -> Response:
    """Write down how it ended: answered, a ticket, a promised call back, or explained by an incident."""
    form = await page.form(EntryForm)
    said, path = "", "/desk"
    async with page.mending(form, lambda: _mend(work, page, form)):
        said, path = await _end(work, page, form.value)
        if form.value.visitor_id is not None:
            await queue.serve(work.session, work.clock, work.principal, visitor_id=form.value.visitor_id)
    work.changed(TOPIC, "tickets", "incidents")
    return page.go(path, notice=Notice(id=said))


@router.get("/desk/paper")
async def paper(work: Work, page: OnPage) -> Response:
    """Draw the form on paper for hours without the page."""
    quoted = await prices.published(work, page)
    return page.show("desk/paper.html", prices=quoted, subjects=SUBJECTS, endings=ENDINGS)


async def resolve(work: Unit, where: str) -> Spot:
    """Return the one unit or place that the words mean.

    Raises:
        Refused: they mean none, or several.
    """
    limit = _OFFERED_SPOTS + 1
    found = await finding.find_units(work.session, work.principal, where, limit=limit)
    found = found or await finding.find_places(work.session, work.principal, where, limit=limit)
    exact = [spot for spot in found if spot.label == where] or found
    if not exact:
        raise Refused(_("There is no such place: write 1-302, or a place's name."), "where")
    if len(exact) > 1:
        labels = "; ".join(spot.label for spot in exact[:_OFFERED_SPOTS])
        raise Refused(_("This may be several places: %(places)s. Write which."), "where", places=labels)
    return exact[0]


async def _end(work: Unit, page: Page, sent: EntryForm) -> tuple[str, str]:
    """Write down how it ended; return what is said, and where the desk goes on."""
    entry = await _entry(work, sent)
    what = (work.session, work.clock, work.principal, entry)
    if sent.act == ANSWERED:
        await service.answered(*what)
        return _("Written down."), "/desk"
    if sent.act == CALLBACK:
        if sent.due_at is None:
            raise Refused(_("Say when you will call back."), "due_at")
        await callbacks.promise(*what, due_at=local(page, sent.due_at))
        return _("The call back is promised."), "/desk"
    act, _colon, named = sent.act.partition(":")
    if act == ABOUT:
        await service.about_ticket(*what, ticket_id=int(named))
        return _("Written down with its ticket."), "/desk"
    if act == EXPLAINED:
        await explained.answered(*what, incident_id=int(named))
        return _("Written down."), "/desk"
    if act == JOINED:
        ticket_id = await explained.opened(*what, incident_id=int(named))
    else:
        ticket_id = await service.opened(*what, type_code=named or sent.type)
    return _("The ticket is open."), f"/tickets/{ticket_id}"


def local(page: Page, moment: datetime) -> datetime:
    """Return an instant that was typed as the clock on the reader's wall shows it."""
    return moment.replace(tzinfo=page.reader.zone) if moment.tzinfo is None else moment


async def _entry(work: Unit, sent: EntryForm) -> Entry:
    spot = await resolve(work, sent.where) if sent.where else None
    return Entry(
        channel=sent.channel,
        subject=sent.subject,
        begun_at=sent.begun_at,
        key=sent.key,
        person_id=sent.person_id,
        name=sent.name,
        phone=sent.phone,
        unit_id=spot.unit_id if spot else None,
        place_id=spot.place_id if spot else None,
        text=sent.text,
        answer=sent.answer,
        price_id=sent.price_id,
    )


async def _card(work: Unit, person_id: int | None, unit_id: int | None) -> Card | None:
    if person_id is not None:
        return await card.card_of_person(work.session, work.clock, work.principal, person_id)
    if unit_id is not None:
        return await card.card_of_unit(work.session, work.clock, work.principal, unit_id)
    return None


def _initial(page: Page, shown_card: Card | None, *, q: str, channel: Channel, name: str) -> dict[str, Any]:
    """Return what stands in the form as it is first drawn."""
    now = page.reader.now
    person = shown_card.person if shown_card else None
    return {
        "act": "",
        "key": token_hex(16),
        "begun_at": now.isoformat(),
        "channel": channel,
        "subject": Subject.ENQUIRY,
        "person_id": person.id if person else None,
        "unit_id": shown_card.spot.unit_id if shown_card and shown_card.spot and not person else None,
        "name": name[:80],
        "phone": "" if person else _number(q),
        "where": shown_card.spot.label if shown_card and shown_card.spot else "",
        "type": DEFAULT_TYPE,
        "due_at": (now + _PROMISED_IN).astimezone(page.reader.zone).strftime("%Y-%m-%dT%H:%M"),
    }


def _number(q: str) -> str:
    """Return what was searched for when it is a telephone's number: whoever calls from it is unknown."""
    try:
        return shown(check_phone(q))
    except Refused:
        return ""


async def _mend(work: Unit, page: Page, form: Form[EntryForm]) -> Response:
    person, unit = (int(text) if text.isdecimal() else None for text in map(form.text, ("person_id", "unit_id")))
    shown_card = await _card(work, person, unit)
    return await _draw(work, page, form, q="", found=None, shown_card=shown_card)


async def _draw(
    work: Unit, page: Page, form: Form[EntryForm], *, q: str, found: card.Finds | None, shown_card: Card | None
) -> Response:
    community_ids = [shown_card.spot.community_id] if shown_card and shown_card.spot else None
    tickets = found.tickets if found else []
    if shown_card:
        tickets = [*shown_card.open_tickets, *shown_card.past_tickets[:5], *shown_card.nearby]
    incidents = await _incidents(work, shown_card)
    quoted = await prices.published(work, page, community_ids=community_ids)
    return page.show(
        "desk/calls.html",
        q=q,
        found=found,
        card=shown_card,
        form=form,
        ticket_lines=await lines(work, page, tickets),
        prices=quoted,
        types=await type_options(work, page),
        offers=await _offers(work, page, form.text("text")),
        subjects=[(subject, page.say(label)) for subject, label in SUBJECTS.items()],
        channels=[(channel, page.say(CHANNELS[channel])) for channel in (Channel.CALL, Channel.VISIT, Channel.APP)],
        endings=ENDINGS,
        occupancy_kinds=OCCUPANCY_KINDS,
        comings=COMINGS,
        channels_said=CHANNELS,
        new_ticket=_new_ticket(shown_card),
        incidents=incidents,
        due=await callbacks.count_due(work.session, work.clock, work.principal),
        mails=await count_new(work.session, work.principal),
        held=await count_held(work.session, work.principal),
    )


def _new_ticket(shown_card: Card | None) -> str:
    """Return the query with which a new ticket knows who is on a card, and where."""
    if shown_card is None:
        return ""
    person, spot = shown_card.person, shown_card.spot
    known = {"person": person.id if person else None, "unit": spot.unit_id if spot else None}
    return urlencode({name: number for name, number in known.items() if number is not None})


async def _incidents(work: Unit, shown_card: Card | None) -> Found[Incident]:
    """Return the open incidents that concern a card's address; without a card the first of all."""
    if shown_card is not None:
        return Found(rows=shown_card.incidents, total=len(shown_card.incidents))
    ask = Ask(limit=_SHOWN_INCIDENTS)
    return await list_incidents(work.session, work.clock, work.principal, ask, only_open=True)


async def _offers(work: Unit, page: Page, text: str) -> list[Offer]:
    if not text.strip():
        return []
    types = await list_types(work.session, work.principal)
    return [
        Offer(
            code=each.type.code,
            name=words.written(each.type.name, page.reader.locale),
            because=page.say(_("because of: %(words)s"), words=", ".join(each.found)),
        )
        for each in suggested(text, types)
    ]

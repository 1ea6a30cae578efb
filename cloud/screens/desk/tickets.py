"""The ticket list, and opening a ticket by hand."""

from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from cloud.alarms.domain import Priority
from cloud.core.errors import Refused
from cloud.core.listing import Ask, Found
from cloud.core.principal import Role
from cloud.core.words import Words
from cloud.properties import service as properties
from cloud.screens.desk.lines import TicketLine, lines
from cloud.screens.desk.offers import offered, reasons
from cloud.tickets.domain import State
from cloud.tickets.opening import Location, open_ticket
from cloud.tickets.reading import list_tickets
from cloud.tickets.types import list_types
from cloud.web import words
from cloud.web.forms import Form, FormModel
from cloud.web.ids import Id
from cloud.web.lists import Column, Kind, ListView, Load, Option
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

router = pages_for(Role.DESK, Role.OPERATOR, Role.WORKER)

TICKETS = ListView[TicketLine](
    name="ticket_list",
    caption=_("Tickets"),
    searchable=_("number, subject, place or person"),
    key=lambda row: row.ticket.id,
    summary=lambda row: f"{row.ticket.number} {row.subject}",
    columns=(
        Column(name="number", label=_("Number"), value=lambda row: row.ticket.number),
        Column(name="subject", label=_("What"), value=lambda row: row.subject),
        Column(name="place", label=_("Place"), value=lambda row: row.ticket.place or None, filtered=True),
        Column(
            name="priority",
            label=_("Priority"),
            value=lambda row: int(row.ticket.priority),
            filtered=True,
            options=tuple(Option(value=str(n), label=label, meaning=n) for n, label in words.PRIORITIES.items()),
        ),
        Column(
            name="state",
            label=_("State"),
            value=lambda row: row.ticket.state,
            filtered=True,
            options=tuple(Option(value=state, label=label) for state, label in words.TICKET_STATES.items()),
        ),
        Column(name="owner", label=_("Owner"), value=lambda row: row.ticket.assignee_name or None, filtered=True),
        Column(name="due", label=_("Due"), value=lambda row: row.ticket.due_at, kind=Kind.TIME, filtered=True),
        Column(
            name="late",
            label=_("Late"),
            value=lambda row: int(row.ticket.is_late),
            filtered=True,
            phone=False,
            options=(
                Option(value="yes", label=_("late"), meaning=1),
                Option(value="no", label=_("in time"), meaning=0),
            ),
        ),
        Column(name="opened", label=_("Opened"), value=lambda row: row.ticket.opened_at, kind=Kind.TIME, phone=False),
    ),
)


class TicketForm(FormModel):
    """A ticket as it is opened by hand."""

    type: str
    subject: Annotated[str, Field(max_length=200)]
    place_id: Id
    priority: Annotated[int, Field(ge=1, le=4)] | None = None
    description: Annotated[str, Field(max_length=4_000)] = ""


@router.get("/tickets")
async def undone(work: Work, page: OnPage) -> Response:
    """Draw the tickets that are not done, by their deadline."""
    return await _list(work, page, only_undone=True)


@router.get("/tickets/all")
async def all_tickets(work: Work, page: OnPage) -> Response:
    """Draw all tickets, the newest first."""
    return await _list(work, page, only_undone=False)


@router.get("/tickets/new")
async def new(work: Work, page: OnPage) -> Response:
    """Draw the form of a new ticket."""
    work.principal.require(Role.DESK, Role.OPERATOR)
    return await _draw(work, page, Form.blank(TicketForm, type="repair"))


@router.post("/tickets")
async def create(work: Work, page: OnPage) -> Response:
    """Open a ticket."""
    work.principal.require(Role.DESK, Role.OPERATOR)
    form = await page.form(TicketForm)
    ticket_id = 0
    async with page.mending(form, lambda: _draw(work, page, form)):
        ticket_id = await _open(work, form.value)
    work.changed("tickets")
    return page.go(f"/tickets/{ticket_id}")


async def _open(work: Unit, sent: TicketForm) -> int:
    places = {place.id: place for place in await properties.list_places(work.session, work.principal)}
    if sent.place_id not in places:
        raise Refused(_("Choose one of the values offered."), "place_id")
    label = await properties.place_label(work.session, work.principal, sent.place_id)
    return await open_ticket(
        work.session,
        work.clock,
        work.principal,
        type_code=sent.type,
        subject=Words(zh=sent.subject, en=sent.subject),
        location=Location(community_id=places[sent.place_id].community_id, place_id=sent.place_id, place=label),
        priority=Priority(sent.priority) if sent.priority else None,
        description=sent.description,
    )


async def _list(work: Unit, page: Page, *, only_undone: bool) -> Response:
    may_open = bool(work.principal.roles & {Role.ADMINISTRATOR, Role.DESK, Role.OPERATOR})
    return await page.list(
        "desk/tickets.html", TICKETS, _loading(work, page, only_undone=only_undone), only_undone=only_undone,
        may_open=may_open, may_take=Role.WORKER in work.principal.roles, free=State.OPEN,
        offers=await offered(work, page), reasons=reasons(page),
    )  # fmt: skip


async def _draw(work: Unit, page: Page, form: Form[TicketForm]) -> Response:
    types = await list_types(work.session, work.principal)
    places = await properties.list_places(work.session, work.principal)
    labels = await properties.labels(work.session, work.principal, [place.id for place in places])
    return page.show(
        "desk/new.html",
        form=form,
        types=[(each.code, words.written(each.name, page.reader.locale)) for each in types],
        places=sorted(labels.items(), key=lambda pair: pair[1]),
    )


def _loading(work: Unit, page: Page, *, only_undone: bool) -> Load[TicketLine]:
    async def load(ask: Ask) -> Found[TicketLine]:
        found = await list_tickets(work.session, work.clock, work.principal, ask, only_undone=only_undone)
        return Found(rows=await lines(work, page, found.rows), total=found.total)

    return load

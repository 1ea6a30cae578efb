"""The ticket list, and opening a ticket by hand."""

from starlette.responses import Response

from cloud.core.listing import Ask, Found
from cloud.core.principal import Role
from cloud.screens.desk.lines import TicketLine, lines
from cloud.screens.desk.offers import offered, reasons
from cloud.tickets.domain import State
from cloud.tickets.reading import list_tickets
from cloud.web import words
from cloud.web.lists import Column, Kind, ListView, Load, Option
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

router = pages_for(Role.DESK, Role.OPERATOR, Role.WORKER, Role.MANAGER)

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
            chip="flag",
        ),
        Column(
            name="state",
            label=_("State"),
            value=lambda row: row.ticket.state,
            filtered=True,
            options=tuple(Option(value=state, label=label) for state, label in words.TICKET_STATES.items()),
        ),
        Column(name="owner", label=_("Assigned to"), value=lambda row: row.ticket.assignee_name or None, filtered=True),
        Column(
            name="due",
            label=_("Due"),
            value=lambda row: row.ticket.due_at,
            kind=Kind.TIME,
            filtered=True,
            late=lambda row: row.ticket.is_late,
        ),
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


@router.get("/tickets")
async def undone(work: Work, page: OnPage) -> Response:
    """Draw the tickets that are not done, by their deadline."""
    return await _list(work, page, only_undone=True)


@router.get("/tickets/all")
async def all_tickets(work: Work, page: OnPage) -> Response:
    """Draw all tickets, the newest first."""
    return await _list(work, page, only_undone=False)


async def _list(work: Unit, page: Page, *, only_undone: bool) -> Response:
    may_open = bool(work.principal.roles & {Role.ADMINISTRATOR, Role.DESK, Role.OPERATOR})
    return await page.list(
        "desk/tickets.html", TICKETS, _loading(work, page, only_undone=only_undone), only_undone=only_undone,
        may_open=may_open, may_take=Role.WORKER in work.principal.roles, free=State.OPEN,
        offers=await offered(work, page), reasons=reasons(page),
    )  # fmt: skip


def _loading(work: Unit, page: Page, *, only_undone: bool) -> Load[TicketLine]:
    async def load(ask: Ask) -> Found[TicketLine]:
        found = await list_tickets(work.session, work.clock, work.principal, ask, only_undone=only_undone)
        return found.of(await lines(work, page, found.rows))

    return load

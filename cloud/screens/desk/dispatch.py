"""The dispatcher's screen: what nobody has, who should do it and why, and everybody with what they have to do."""

from dataclasses import dataclass

from starlette.responses import Response

from cloud.accounts import people
from cloud.core.listing import Ask, Found
from cloud.core.principal import Role
from cloud.screens.desk import dispatch_words
from cloud.screens.desk.lines import TicketLine, lines
from cloud.screens.desk.verdict import Reason, Team, reason_of, team_of, verdict_lines
from cloud.tickets import board as boards
from cloud.tickets.board import Board, Line
from cloud.tickets.dispatch_rules import rules_in_force
from cloud.tickets.domain import Act
from cloud.tickets.reading import acts_for
from cloud.tickets.reading import ticket as find_ticket
from cloud.tickets.service import assign
from cloud.tickets.skills import skill_name, today
from cloud.web import words
from cloud.web.forms import FormModel
from cloud.web.ids import Id
from cloud.web.lists import Column, Kind, ListView, Option
from cloud.web.notices import Undo
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

router = pages_for(Role.DESK, Role.OPERATOR, Role.MANAGER)


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchLine:
    """A row of the board.

    Attributes:
        best: who should do it; None when nobody can.
        reasons: why them, or what keeps everybody from it.
        offered_to: who is asked now; empty when nobody is.
    """

    line: Line
    ticket: TicketLine
    best: int | None
    best_name: str
    reasons: tuple[Reason, ...]
    offered_to: str


class GiveForm(FormModel):
    """To whom a ticket is given, as its sender saw it."""

    version: Id
    person_id: Id


DISPATCH = ListView[DispatchLine](
    name="dispatch_list",
    caption=_("Tickets without an owner"),
    searchable=_("number, subject or place"),
    key=lambda row: row.line.ticket.id,
    summary=lambda row: f"{row.line.ticket.number} {row.ticket.subject}",
    columns=(
        Column(name="number", label=_("Number"), value=lambda row: row.line.ticket.number),
        Column(name="subject", label=_("What"), value=lambda row: row.ticket.subject, sortable=False),
        Column(name="place", label=_("Place"), value=lambda row: row.line.ticket.place or None, filtered=True),
        Column(
            name="priority",
            label=_("Priority"),
            value=lambda row: int(row.line.ticket.priority),
            filtered=True,
            options=tuple(Option(value=str(n), label=label, meaning=n) for n, label in words.PRIORITIES.items()),
        ),
        Column(name="due", label=_("Due"), value=lambda row: row.line.ticket.due_at, kind=Kind.TIME, filtered=True),
        Column(
            name="search",
            label=_("dispatch|Search"),
            value=lambda row: row.line.search,
            filtered=True,
            options=tuple(
                Option(value=state, label=label) for state, label in dispatch_words.SEARCHES.items() if state != "over"
            ),
        ),
        Column(name="best", label=_("Who, and why"), value=lambda row: row.best_name or None, sortable=False),
    ),
)


@router.get("/dispatch")
async def dispatch(work: Work, page: OnPage) -> Response:
    """Draw what nobody has, by its deadline, and everybody with what they have to do."""
    team: list[Team] = []

    async def load(ask: Ask) -> Found[DispatchLine]:
        found = await boards.board(work.session, work.clock, work.principal, ask)
        team[:] = await _team(work, page, found)
        return found.lines.of(await _rows(work, page, found))

    return await page.list("desk/dispatch.html", DISPATCH, load, team=team, searches=dispatch_words.SEARCHES)


@router.get("/dispatch/{ticket_id}")
async def dispatch_ticket(work: Work, page: OnPage, ticket_id: int) -> Response:
    """Draw the verdict on everybody for one ticket, and who was asked before."""
    rules = (await rules_in_force(work.session, work.principal)).rules
    ticket, choice, team = await boards.try_out(
        work.session, work.clock, work.principal, ticket_id=ticket_id, rules=rules
    )
    past = await boards.history(work.session, work.principal, ticket_id=ticket_id)
    names = await people.names(work.session, work.principal, {each.person_id for each in past})
    line = (await lines(work, page, [ticket]))[0]
    return page.show(
        "desk/dispatch_ticket.html",
        line=line,
        ticket=ticket,
        skills=[words.written(skill_name(code), page.reader.locale) for code in ticket.type.skills],
        verdicts=verdict_lines(
            page,
            choice,
            team,
            cap=rules.cap,
            needed=ticket.type.skills,
            today=await today(work.session, work.clock, work.principal),
        ),
        past=[(each, names.get(each.person_id, ""), dispatch_words.OFFERS[each.state]) for each in past],
        may_give=Act.ASSIGN in acts_for(work.principal, ticket),
    )


@router.post("/dispatch/{ticket_id}/give")
async def give(work: Work, page: OnPage, ticket_id: int) -> Response:
    """Give a ticket to somebody, on shift or not, however much they have to do; what forbids it is said at once."""
    sent = (await page.form(GiveForm)).value
    await assign(
        work.session,
        work.clock,
        work.principal,
        ticket_id=ticket_id,
        version=sent.version,
        person_id=sent.person_id,
    )
    work.changed("tickets")
    now = await find_ticket(work.session, work.clock, work.principal, ticket_id=ticket_id)
    may_undo = Act.RELEASE in acts_for(work.principal, now)
    undo = Undo(path=f"/tickets/{ticket_id}/release", fields={"version": str(now.version)}) if may_undo else None
    said = _("%(number)s is %(name)s's now.")
    return page.done("/dispatch", said, undo=undo, parameters={"number": now.number, "name": now.assignee_name})


async def _rows(work: Unit, page: Page, found: Board) -> list[DispatchLine]:
    drawn = await lines(work, page, [line.ticket for line in found.lines.rows])
    return [_row(page, found, line, ticket) for line, ticket in zip(found.lines.rows, drawn, strict=True)]


def _row(page: Page, found: Board, line: Line, ticket: TicketLine) -> DispatchLine:
    best, asked = line.choice.best, found.workers.get(line.offered_to or 0)
    return DispatchLine(
        line=line,
        ticket=ticket,
        best=best,
        best_name=found.workers[best].person.name if best is not None else "",
        reasons=reason_of(page, line.choice, cap=found.rules.cap),
        offered_to=asked.person.name if asked else "",
    )


async def _team(work: Unit, page: Page, found: Board) -> list[Team]:
    day = await today(work.session, work.clock, work.principal)
    return team_of(page, found.workers.values(), cap=found.rules.cap, today=day)

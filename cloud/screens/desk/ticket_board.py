"""The board: tickets that are not done, side by side by where they stand or by when they are due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from starlette.responses import Response

from cloud.core.listing import COUNT_LIMIT, Ask, Filter, Operator
from cloud.core.principal import Role
from cloud.screens.desk.lines import TicketLine, lines
from cloud.tickets.domain import State
from cloud.tickets.reading import FAR_OFF, list_tickets
from cloud.web import words
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

router = pages_for(Role.DESK, Role.OPERATOR, Role.WORKER)

_SHOWN = 20
_STATES = (
    State.OPEN, State.ASSIGNED, State.PLANNED, State.AGREED, State.IN_WORK, State.WAITING, State.VERIFYING,
)  # fmt: skip


class By(StrEnum):
    """What the columns are."""

    STATE = "state"
    DUE = "due"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of the board: its first tickets by their deadline, and how many there are; None for very many."""

    label: str
    lines: Sequence[TicketLine]
    total: int | None


@router.get("/tickets/board")
async def board(work: Work, page: OnPage, by: By = By.STATE) -> Response:
    """Draw the board."""
    wanted = _by_state() if by is By.STATE else _by_due(work.clock.now())
    columns = [await _column(work, page, page.say(label), filters) for label, filters in wanted]
    return page.show("desk/board.html", columns=columns, by=by)


def _by_state() -> list[tuple[str, tuple[Filter, ...]]]:
    return [
        (words.TICKET_STATES[state], (Filter(column="state", operator=Operator.IS, values=(state,)),))
        for state in _STATES
    ]


def _by_due(now: datetime) -> list[tuple[str, tuple[Filter, ...]]]:
    day, week = now + timedelta(days=1), now + timedelta(days=7)
    return [
        (_("Late"), (_until(now),)),
        (_("Within a day"), (_from(now), _until(day))),
        (_("Within a week"), (_from(day), _until(week))),
        (_("Afterwards"), (_from(week), _until(FAR_OFF))),
        (_("The clock stands"), (_from(FAR_OFF),)),
    ]


def _from(at: datetime) -> Filter:
    return Filter(column="due", operator=Operator.FROM, values=(at,))


def _until(at: datetime) -> Filter:
    return Filter(column="due", operator=Operator.UNTIL, values=(at,))


async def _column(work: Unit, page: Page, label: str, filters: tuple[Filter, ...]) -> Column:
    ask = Ask(filters=filters, limit=_SHOWN)
    found = await list_tickets(work.session, work.clock, work.principal, ask, only_undone=True)
    total = found.total if found.total <= COUNT_LIMIT else None
    return Column(label=label, lines=await lines(work, page, found.rows), total=total)

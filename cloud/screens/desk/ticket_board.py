"""The board: tickets that are not done, side by side by where they stand or by when they are due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice

from starlette.responses import Response

from cloud.core.listing import Ask, Filter, Operator
from cloud.core.principal import Role
from cloud.screens.desk.lines import TicketLine, lines
from cloud.tickets.domain import State
from cloud.tickets.reading import FAR_OFF, undone_by
from cloud.web import words
from cloud.web.pages import OnPage
from cloud.web.routing import pages_for
from cloud.web.session import Work
from firmware_configs.look.words import _

router = pages_for(Role.DESK, Role.OPERATOR, Role.WORKER, Role.MANAGER)

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
    asks = [Ask(filters=filters, limit=_SHOWN) for _label, filters in wanted]
    found = await undone_by(work.session, work.clock, work.principal, asks)
    drawn = iter(await lines(work, page, [ticket for column in found for ticket in column.rows]))
    columns = [
        Column(
            label=page.say(label),
            lines=list(islice(drawn, len(column.rows))),
            total=column.total if column.is_counted else None,
        )
        for (label, _filters), column in zip(wanted, found, strict=True)
    ]
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

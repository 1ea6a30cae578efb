"""The one way in which a ticket moves: locked, as its reader saw it, by the table, and told to all that follows it."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.clock import Clock
from cloud.core.errors import Conflict, NotFound, Refused
from cloud.core.outbox import emit
from cloud.core.principal import Principal, Role
from cloud.tickets import timers
from cloud.tickets.domain import DEEDS, Act, Consent, Standing, State, TicketMoved, consent_after, moved
from cloud.tickets.tables import TicketRow, locked_ticket
from cloud.tickets.timeline import tell
from firmware_configs.look.words import _

TEXT_LENGTH = 4_000


async def locked(session: AsyncSession, principal: Principal, *, ticket_id: int) -> TicketRow:
    """Return a ticket that nobody else changes meanwhile.

    Raises:
        NotFound: there is none that the principal may see.
    """
    found = await locked_ticket(session, principal, ticket_id=ticket_id)
    if found is None:
        raise NotFound(_("There is no such ticket."))
    return found[0]


async def seen(session: AsyncSession, principal: Principal, *, ticket_id: int, version: int) -> TicketRow:
    """Return a ticket, locked, that is still what its reader saw.

    Raises:
        NotFound: there is none that the principal may see.
        Conflict: it changed since `version` was read.
    """
    row = await locked(session, principal, ticket_id=ticket_id)
    if row.version != version:
        raise Conflict(_("Somebody else has changed this ticket meanwhile. Look at it again before you go on."))
    return row


async def working(session: AsyncSession, principal: Principal, *, ticket_id: int, version: int) -> TicketRow:
    """Return a ticket for an act of whoever has it; front desk and control room may do it for them.

    Raises:
        NotFound, Conflict: as `seen` says.
        Forbidden: somebody else has it.
    """
    row = await seen(session, principal, ticket_id=ticket_id, version=version)
    require_owner(principal, row)
    return row


def require_owner(principal: Principal, row: TicketRow) -> None:
    """Let pass who has the ticket, front desk and control room.

    Raises:
        Forbidden: the principal is none of them.
    """
    if row.assignee_id is None or row.assignee_id != principal.person_id:
        principal.require(Role.DESK, Role.OPERATOR)


async def carry(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    row: TicketRow,
    act: Act,
    *,
    text: str = "",
    is_public: bool = True,
    must_verify: bool = False,
) -> None:
    """Move a locked ticket: its state and consent, its clocks, a line in its timeline, and word of it.

    Raises:
        Conflict: it is not to be moved that way, or nobody has agreed to the work.
    """
    end = state_after(row, act, must_verify=must_verify)
    if end is State.WAITING and row.state is not State.WAITING:
        row.waited_in = row.state
    elif end is not State.WAITING:
        row.waited_in, row.waiting_for = None, ""
    row.state, row.consent = end, consent_after(Consent(row.consent), act)
    row.version += 1
    await timers.follow(session, clock, principal, row, act)
    await tell(session, clock, principal, row, DEEDS[act], text=text, is_public=is_public)
    await emit(session, clock, TicketMoved(organisation_id=row.organisation_id, ticket_id=row.id, act=act, state=end))


def state_after(row: TicketRow, act: Act, *, must_verify: bool = False) -> State:
    """Return where `act` takes a ticket.

    Raises:
        Conflict: it is not to be moved that way, or nobody has agreed to the work.
    """
    standing = Standing(
        state=row.state,
        consent=Consent(row.consent),
        waited_in=row.waited_in,
        has_owner=row.assignee_id is not None,
        must_verify=must_verify,
    )
    return moved(standing, act)


def close(row: TicketRow, *, at: datetime | None, result: str, by: int | None) -> None:
    """Hold when, how and by whom a ticket was ended; `at` is None while an alarm's value is still waited for."""
    row.closed_at, row.result, row.resolved_by = at, result, by


def required(text: str, field: str, sentence: str) -> str:
    """Return a text without the space around it.

    Raises:
        Refused: it is empty, which `sentence` says, or too long.
    """
    if not text.strip():
        raise Refused(sentence, field)
    check_text(text, field)
    return text.strip()


def check_text(text: str, field: str) -> None:
    """Refuse a text that is too long.

    Raises:
        Refused: it is.
    """
    if len(text) > TEXT_LENGTH:
        raise Refused(_("Too long: at most %(length)d characters."), field, length=TEXT_LENGTH)

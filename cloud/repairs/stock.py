"""What lies in the store: received, counted, taken for a repair and brought back; never below zero."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core import audit
from cloud.core.clock import Clock
from cloud.core.errors import Conflict, NotFound, Refused
from cloud.core.listing import Ask, Found, fetch
from cloud.core.principal import Principal, Role
from cloud.repairs.domain import LARGEST_QUANTITY, MILLI, LineKind, checked_quantity, from_milli, to_milli
from cloud.repairs.sight import worked_on
from cloud.repairs.stock_tables import (
    Move,
    StockMoveRow,
    StockRow,
    change_stock,
    move_listing,
    price_in_force,
    stock_of,
    used_for,
)
from cloud.tickets.domain import State
from firmware_configs.look.words import _


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A change of an item's stock; `quantity` is below zero for what went out."""

    id: int
    at: datetime
    move: Move
    quantity: Decimal
    ticket_id: int | None
    actor: str
    text: str


async def receive(
    session: AsyncSession, clock: Clock, principal: Principal, *, item: str, quantity: Decimal, text: str = ""
) -> None:
    """Put a delivery into the store.

    Raises:
        NotFound: there is no such material in the price list.
        Refused: the quantity can't be.
    """
    _require_keeper(principal)
    milli = to_milli(checked_quantity(quantity, "quantity"))
    await _prepare(session, principal, item)
    await _change(session, clock, principal, item, milli, Move.RECEIVED, text=text)
    _record(session, clock, principal, "repairs.stock_received", item, after={"quantity": str(quantity)})


async def count(
    session: AsyncSession, clock: Clock, principal: Principal, *, item: str, quantity: Decimal, text: str
) -> None:
    """Make the stock what was counted; the difference stays in the book with its reason.

    Raises:
        NotFound: there is no such material in the price list.
        Refused: the quantity can't be, or nobody says why it differs.
    """
    _require_keeper(principal)
    if not (quantity.is_finite() and 0 <= quantity <= LARGEST_QUANTITY and quantity * MILLI % 1 == 0):
        raise Refused(_("What was counted is between 0 and a million, with at most three decimals."), "quantity")
    if not text.strip():
        raise Refused(_("Say why it was counted, or why it differs."), "text")
    await _prepare(session, principal, item)
    row = await stock_of(session, principal, item)
    before = row.on_hand_milli if row is not None else 0
    if to_milli(quantity) != before:
        await _change(session, clock, principal, item, to_milli(quantity) - before, Move.COUNTED, text=text)
    was, is_now = {"on_hand": str(from_milli(before))}, {"on_hand": str(quantity), "reason": text.strip()}
    _record(session, clock, principal, "repairs.stock_counted", item, before=was, after=is_now)


async def take(
    session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int, item: str, quantity: Decimal
) -> None:
    """Take material for a ticket's work.

    Raises:
        Conflict: the work has not begun, or there is not so much of it.
        NotFound: there is no such material in the price list.
    """
    ticket = await worked_on(session, clock, principal, ticket_id=ticket_id)
    if ticket.state is not State.IN_WORK:
        raise Conflict(_("Material is taken once the work has begun."))
    milli = to_milli(checked_quantity(quantity, "quantity"))
    await _prepare(session, principal, item)
    await _change(session, clock, principal, item, -milli, Move.TAKEN, ticket_id=ticket_id)


async def give_back(
    session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int, item: str, quantity: Decimal
) -> None:
    """Bring back what was taken for a ticket and not used, before its result says what was.

    Raises:
        Conflict: not so much was taken for it, or it is closed.
    """
    await worked_on(session, clock, principal, ticket_id=ticket_id)
    milli = to_milli(checked_quantity(quantity, "quantity"))
    if (await used_for(session, principal, ticket_id)).get(item, 0) < milli:
        raise Conflict(_("Not so much of it was taken for this ticket."), "quantity")
    await _change(session, clock, principal, item, milli, Move.RETURNED, ticket_id=ticket_id)


async def used(session: AsyncSession, principal: Principal, *, ticket_id: int) -> dict[str, Decimal]:
    """Return what was taken for a ticket that the principal has seen, and not brought back, by item."""
    return {item: from_milli(milli) for item, milli in (await used_for(session, principal, ticket_id)).items()}


async def moves(session: AsyncSession, principal: Principal, ask: Ask, *, item: str) -> Found[Moved]:
    """Return the stretch of an item's changes that `ask` wants, the newest first."""
    principal.require(Role.MANAGER, Role.OFFICE, Role.DESK)
    found = await fetch(session, move_listing(principal, item), ask)
    return found.of([_moved(row.StockMoveRow) for row in found.rows])


def _moved(row: StockMoveRow) -> Moved:
    return Moved(
        id=row.id,
        at=row.at,
        move=row.move,
        quantity=from_milli(row.quantity_milli),
        ticket_id=row.ticket_id,
        actor=row.actor,
        text=row.text,
    )


def _require_keeper(principal: Principal) -> None:
    principal.require(Role.MANAGER, Role.OFFICE, Role.DESK)


async def _prepare(session: AsyncSession, principal: Principal, item: str) -> None:
    """Have a row for an item's stock; two who make it at once make one."""
    price = await price_in_force(session, principal, item)
    if price is None or price.kind is not LineKind.MATERIAL:
        raise NotFound(_("There is no such material in the price list."))
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    empty = {"organisation_id": principal.organisation_id, "item": item, "on_hand_milli": 0}
    await session.execute(insert(StockRow).values(**empty).on_conflict_do_nothing())


async def _change(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    item: str,
    by_milli: int,
    move: Move,
    *,
    ticket_id: int | None = None,
    text: str = "",
) -> None:
    if not await change_stock(session, principal, item, by_milli):
        row = await stock_of(session, principal, item)
        left = from_milli(row.on_hand_milli if row is not None else 0)
        raise Conflict(_("There is not so much of it in the store: %(left)s is left."), "quantity", left=left)
    session.add(
        StockMoveRow(
            organisation_id=principal.organisation_id,
            item=item,
            move=move,
            quantity_milli=by_milli,
            ticket_id=ticket_id,
            text=text.strip(),
            at=clock.now(),
            person_id=principal.person_id,
            actor=principal.name,
        )
    )
    await session.flush()


def _record(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    action: str,
    item: str,
    *,
    before: audit.State | None = None,
    after: audit.State | None = None,
) -> None:
    audit.record(session, clock, principal, action=action, subject=f"stock:{item}", before=before, after=after)

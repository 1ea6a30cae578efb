"""The rows of the price list and of the stock."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    Select,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from cloud.core.append_only import append_only
from cloud.core.database import Base
from cloud.core.listing import Listing, containing
from cloud.core.principal import Principal
from cloud.repairs.domain import LineKind
from cloud.repairs.tables import CODE_LENGTH, NAME_LENGTH

UNIT_LENGTH = 16


class Move(StrEnum):
    """Why the stock of an item changed."""

    RECEIVED = "received"
    TAKEN = "taken"  # for a ticket
    RETURNED = "returned"  # from a ticket
    COUNTED = "counted"  # what lies there was counted, and is what it is


class PriceRow(Base):
    """A version of a line of the price list; plans freeze the price that they were made with.

    Attributes:
        replaced_at: when a newer version took its place, or it was retired; None for the one in force.
    """

    __tablename__ = "repair_prices"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    code: Mapped[str] = mapped_column(String(CODE_LENGTH))
    version: Mapped[int]
    kind: Mapped[LineKind]
    name_zh: Mapped[str] = mapped_column(String(NAME_LENGTH))
    name_en: Mapped[str] = mapped_column(String(NAME_LENGTH))
    unit: Mapped[str] = mapped_column(String(UNIT_LENGTH))
    price_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    created_at: Mapped[datetime]
    replaced_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("organisation_id", "code", "version"),)


_PRICES = cast("Table", PriceRow.__table__).c


class StockRow(Base):
    """How much of an item lies in the store, in thousandths of its unit; the database refuses less than none."""

    __tablename__ = "repair_stock"

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), primary_key=True, autoincrement=False)
    item: Mapped[str] = mapped_column(String(CODE_LENGTH), primary_key=True)
    on_hand_milli: Mapped[int]

    __table_args__ = (CheckConstraint("on_hand_milli >= 0", name="not_below_zero"),)


class StockMoveRow(Base):
    """A change of the stock; append only, and their sum is what is on hand.

    Attributes:
        quantity_milli: by how much, below zero for what went out.
    """

    __tablename__ = "repair_stock_moves"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    item: Mapped[str] = mapped_column(String(CODE_LENGTH))
    move: Mapped[Move]
    quantity_milli: Mapped[int]
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("tickets.id"), index=True)
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    actor: Mapped[str] = mapped_column(String(NAME_LENGTH))

    __table_args__ = (Index("ix_repair_stock_moves_item", "organisation_id", "item", "id"),)


append_only(cast("Table", StockMoveRow.__table__))

_MOVES = cast("Table", StockMoveRow.__table__).c


async def price_in_force(session: AsyncSession, principal: Principal, code: str) -> PriceRow | None:
    """Return the newest version of a line of the price list; None when it is retired or never was."""
    return await session.scalar(
        select(PriceRow).where(
            PriceRow.organisation_id == principal.organisation_id,
            PriceRow.code == code,
            PriceRow.replaced_at.is_(None),
        )
    )


async def prices_in_force(session: AsyncSession, principal: Principal) -> Sequence[tuple[PriceRow, int | None]]:
    """Return the price list with what is on hand of each, by kind and code."""
    rows = await session.execute(
        select(PriceRow, StockRow.on_hand_milli)
        .outerjoin(StockRow, (StockRow.organisation_id == PriceRow.organisation_id) & (StockRow.item == PriceRow.code))
        .where(PriceRow.organisation_id == principal.organisation_id, PriceRow.replaced_at.is_(None))
        .order_by(PriceRow.kind, PriceRow.code)
    )
    return [(row[0], row[1]) for row in rows]


def price_listing(principal: Principal) -> Listing:
    """Return the price list in force as a list that may be searched, filtered and sorted."""
    joined = (
        select(PriceRow, StockRow.on_hand_milli)
        .outerjoin(StockRow, (StockRow.organisation_id == PriceRow.organisation_id) & (StockRow.item == PriceRow.code))
        .where(PriceRow.organisation_id == principal.organisation_id, PriceRow.replaced_at.is_(None))
    )
    return Listing(
        select=cast("Select[Any]", joined),
        columns={
            "code": _PRICES.code,
            "name_zh": func.coalesce(func.nullif(_PRICES.name_zh, ""), _PRICES.name_en),
            "kind": _PRICES.kind,
            "price": _PRICES.price_minor,
            "unit": _PRICES.unit,
        },
        key=_PRICES.id,
        order=(_PRICES.kind, _PRICES.code),
        search=containing(_PRICES.code, _PRICES.name_zh, _PRICES.name_en),
    )


async def last_version(session: AsyncSession, principal: Principal, code: str) -> int:
    """Return the number of the newest version that a line of the price list ever had; 0 for none."""
    newest = select(func.max(PriceRow.version)).where(
        PriceRow.organisation_id == principal.organisation_id, PriceRow.code == code
    )
    return await session.scalar(newest) or 0


async def stock_of(session: AsyncSession, principal: Principal, item: str) -> StockRow | None:
    """Return how much of an item is on hand, locked."""
    return await session.scalar(
        select(StockRow)
        .where(StockRow.organisation_id == principal.organisation_id, StockRow.item == item)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


async def change_stock(session: AsyncSession, principal: Principal, item: str, by_milli: int) -> bool:
    """Change the stock of an item in one statement; False when there is not so much of it."""
    changed = await session.execute(
        update(StockRow)
        .where(
            StockRow.organisation_id == principal.organisation_id,
            StockRow.item == item,
            StockRow.on_hand_milli + by_milli >= 0,
        )
        .values(on_hand_milli=StockRow.on_hand_milli + by_milli)
        .execution_options(synchronize_session=False)
        .returning(StockRow.item)
    )
    return changed.first() is not None


async def used_for(
    session: AsyncSession, principal: Principal, ticket_id: int, *, since: datetime | None = None
) -> dict[str, int]:
    """Return what was taken for a ticket, after `since`, and not brought back, in thousandths by item."""
    moved = (
        select(StockMoveRow.item, func.sum(StockMoveRow.quantity_milli))
        .where(StockMoveRow.organisation_id == principal.organisation_id, StockMoveRow.ticket_id == ticket_id)
        .group_by(StockMoveRow.item)
        .order_by(StockMoveRow.item)
    )
    rows = await session.execute(moved if since is None else moved.where(StockMoveRow.at > since))
    return {item: -int(total) for item, total in rows if total}


def move_listing(principal: Principal, item: str) -> Listing:
    """Return the changes of an item's stock as a list, the newest first."""
    moved = select(StockMoveRow).where(
        StockMoveRow.organisation_id == principal.organisation_id, StockMoveRow.item == item
    )
    return Listing(
        select=cast("Select[Any]", moved),
        columns={
            "at": _MOVES.at,
            "move": _MOVES.move,
            "quantity": _MOVES.quantity_milli,
            "actor": _MOVES.actor,
            "text": _MOVES.text,
        },
        key=_MOVES.id,
        order=(_MOVES.id.desc(),),
        search=containing(_MOVES.actor, _MOVES.text),
    )

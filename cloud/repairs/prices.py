"""The price list: what labour and material cost, as versions; a plan freezes the price that it was made with."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core import audit
from cloud.core.clock import Clock
from cloud.core.database import hold
from cloud.core.errors import Conflict, NotFound, Refused
from cloud.core.listing import Ask, Found, fetch
from cloud.core.money import Money
from cloud.core.principal import Principal, Role
from cloud.core.words import Words
from cloud.repairs.domain import Item, Line, LineKind, checked_quantity, from_milli
from cloud.repairs.stock_tables import (
    UNIT_LENGTH,
    PriceRow,
    last_version,
    price_in_force,
    price_listing,
    prices_in_force,
)
from cloud.repairs.tables import CODE_LENGTH, NAME_LENGTH
from firmware_configs.look.words import _

_LARGEST = 100_000_000_00  # a hundred million in minor units: no single thing that a repair needs costs more


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A line as whoever plans writes it; one with an item takes text, unit and rate from the price list."""

    kind: LineKind
    item: str = ""
    text: str = ""
    quantity: Decimal
    unit: str = ""
    rate: Money | None = None


async def price_list(session: AsyncSession, principal: Principal) -> list[Item]:
    """Return the price list in force, with what is on hand."""
    return [_item(row, on_hand) for row, on_hand in await prices_in_force(session, principal)]


async def ask_for_prices(session: AsyncSession, principal: Principal, ask: Ask) -> Found[Item]:
    """Return the stretch of the price list that `ask` wants, with what is on hand."""
    found = await fetch(session, price_listing(principal), ask)
    return found.of([_item(row.PriceRow, row.on_hand_milli) for row in found.rows])


async def find_item(session: AsyncSession, principal: Principal, *, code: str) -> Item:
    """Return a line of the price list in force.

    Raises:
        NotFound: there is none.
    """
    for item in await price_list(session, principal):
        if item.code == code:
            return item
    raise NotFound(_("There is no such line in the price list."))


async def define_price(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    *,
    code: str,
    kind: LineKind,
    name: Words,
    unit: str,
    price: Money,
    version: int,
) -> None:
    """Make a line of the price list, or a new version of it; plans that were made keep theirs.

    Args:
        session: of the transaction.
        clock: the cloud's.
        principal: a manager, the front desk or the billing office.
        code: stable.
        kind: stays what it is when the line changes.
        name: as plans and bills show it.
        unit: of what the price is for one.
        price: for one unit.
        version: the one that was changed; 0 for a line that is not there yet.

    Raises:
        Refused: something can't be; the error names the field.
        Conflict: the code is taken, or somebody made a newer version meanwhile.
    """
    principal.require(Role.MANAGER, Role.OFFICE, Role.DESK)
    _check(code, name, unit, price)
    await hold(session, f"prices {principal.organisation_id}")
    before = await price_in_force(session, principal, code)
    if before is not None and not version:
        raise Conflict(_("The price list has this code already. Choose another."), "code")
    if (before.version if before is not None else 0) != version:
        raise Conflict(_("Somebody else has changed this price meanwhile. Look at it again before you go on."))
    if before is not None and before.kind is not kind:
        raise Refused(_("Labour stays labour and material stays material: make a new line instead."), "kind")
    if before is not None:
        before.replaced_at = clock.now()
    row = PriceRow(
        organisation_id=principal.organisation_id,
        code=code,
        version=await last_version(session, principal, code) + 1,
        kind=kind,
        name_zh=name.zh.strip(),
        name_en=name.en.strip(),
        unit=unit.strip(),
        price_minor=price.minor,
        currency=price.currency,
        created_at=clock.now(),
    )
    session.add(row)
    await session.flush()
    _record(session, clock, principal, "repairs.price_defined", code, before=before, after=row)


async def retire_price(session: AsyncSession, clock: Clock, principal: Principal, *, code: str, version: int) -> None:
    """Take a line out of the price list; plans that were made keep it.

    Raises:
        Conflict: it is not there any more, or changed since `version` was read.
    """
    principal.require(Role.MANAGER, Role.OFFICE, Role.DESK)
    await hold(session, f"prices {principal.organisation_id}")
    before = await price_in_force(session, principal, code)
    if before is None or before.version != version:
        raise Conflict(_("Somebody else has changed this price meanwhile. Look at it again before you go on."))
    before.replaced_at = clock.now()
    _record(session, clock, principal, "repairs.price_retired", code, before=before, after=None)


async def priced(session: AsyncSession, principal: Principal, wanted: Sequence[Wanted], *, is_zh: bool) -> list[Line]:
    """Return lines of a plan at the prices in force.

    Raises:
        Refused: a line has no item, text or rate, or a quantity that can't be; the sentence says which line.
    """
    known = {item.code: item for item in await price_list(session, principal)}
    return [_line(number, each, known, is_zh=is_zh) for number, each in enumerate(wanted, 1)]


def _line(number: int, wanted: Wanted, known: dict[str, Item], *, is_zh: bool) -> Line:
    quantity = checked_quantity(wanted.quantity, "lines")
    if wanted.item:
        item = known.get(wanted.item)
        if item is None or item.kind is not wanted.kind:
            raise Refused(
                _("Line %(number)d: the price list has no %(item)s."), "lines", number=number, item=wanted.item
            )
        name = (item.name.zh or item.name.en) if is_zh else (item.name.en or item.name.zh)
        return Line(kind=item.kind, item=item.code, text=name, quantity=quantity, unit=item.unit, rate=item.price)
    if wanted.kind is LineKind.MATERIAL:
        raise Refused(_("Line %(number)d: choose the material from the price list."), "lines", number=number)
    if not wanted.text.strip() or wanted.rate is None or not 0 <= wanted.rate.minor <= _LARGEST:
        raise Refused(_("Line %(number)d: say what it is for, and at what rate."), "lines", number=number)
    return Line(
        kind=wanted.kind,
        text=wanted.text.strip()[:NAME_LENGTH],
        quantity=quantity,
        unit=wanted.unit.strip()[:UNIT_LENGTH],
        rate=wanted.rate,
    )


def _check(code: str, name: Words, unit: str, price: Money) -> None:
    if not code.strip() or len(code) > CODE_LENGTH:
        raise Refused(_("Give it a code of at most %(length)d characters."), "code", length=CODE_LENGTH)
    if not (name.zh.strip() or name.en.strip()) or max(len(name.zh), len(name.en)) > NAME_LENGTH:
        raise Refused(_("Give it a name of at most %(length)d characters."), "name_zh", length=NAME_LENGTH)
    if not unit.strip() or len(unit) > UNIT_LENGTH:
        raise Refused(_("Say what the price is for one of: an hour, a metre, a piece."), "unit")
    if not 0 <= price.minor <= _LARGEST:
        raise Refused(_("A price is not below 0, nor above a hundred million."), "price")


def _item(row: PriceRow, on_hand_milli: int | None) -> Item:
    in_stock = from_milli(on_hand_milli or 0) if row.kind is LineKind.MATERIAL else None
    return Item(
        code=row.code,
        version=row.version,
        kind=row.kind,
        name=Words(zh=row.name_zh, en=row.name_en),
        unit=row.unit,
        price=Money(row.price_minor, row.currency),
        on_hand=in_stock,
    )


def _record(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    action: str,
    code: str,
    *,
    before: PriceRow | None,
    after: PriceRow | None,
) -> None:
    audit.record(
        session,
        clock,
        principal,
        action=action,
        subject=f"price:{code}",
        before=_state(before) if before is not None else None,
        after=_state(after) if after is not None else None,
    )


def _state(row: PriceRow) -> dict[str, object]:
    return {
        "version": row.version,
        "name_zh": row.name_zh,
        "name_en": row.name_en,
        "unit": row.unit,
        "price_minor": row.price_minor,
        "currency": row.currency,
    }

"""The price list and the store: what labour and material cost, and how much of it is there."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from cloud.core.listing import Ask, Found
from cloud.core.money import Money
from cloud.core.principal import Role
from cloud.core.words import Words
from cloud.repairs import prices, stock
from cloud.repairs.domain import Item, LineKind
from cloud.repairs.stock import Moved
from cloud.repairs.stock_tables import Move
from cloud.tickets.reading import tickets
from cloud.web import words
from cloud.web.forms import Form, FormModel
from cloud.web.ids import Id
from cloud.web.lists import Column, Kind, ListView, Option
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

router = pages_for(Role.DESK, Role.OFFICE, Role.MANAGER)

LIST = "/materials"
CURRENCY = "CNY"
_CODE = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9._-]+$")]

MOVES = {
    Move.RECEIVED: _("move|Received"),
    Move.TAKEN: _("move|Taken"),
    Move.RETURNED: _("move|Brought back"),
    Move.COUNTED: _("move|Counted"),
}

PRICES = ListView[Item](
    name="material_list",
    caption=_("Prices and stock"),
    searchable=_("code or name"),
    key=lambda row: row.code,
    columns=(
        Column(name="code", label=_("Code"), value=lambda row: row.code, filtered=True),
        Column(name="name_zh", label=_("Name"), value=lambda row: row.name.zh or row.name.en),
        Column(
            name="kind",
            label=_("Kind"),
            value=lambda row: row.kind,
            filtered=True,
            options=tuple(Option(value=kind, label=label) for kind, label in words.LINE_KINDS.items()),
        ),
        Column(name="price", label=_("Price"), value=lambda row: row.price, kind=Kind.MONEY),
        Column(name="unit", label=_("Unit of measure"), value=lambda row: row.unit),
        Column(name="on_hand", label=_("On hand"), value=lambda row: row.on_hand, kind=Kind.NUMBER, sortable=False),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveLine:
    """A change of the stock, and the number of its ticket; empty for none that the reader may see."""

    moved: Moved
    ticket: str


MOVED = ListView[MoveLine](
    name="stock_move_list",
    caption=_("What moved it"),
    searchable=_("name or note"),
    key=lambda line: line.moved.id,
    columns=(
        Column(name="at", label=_("Time"), value=lambda line: line.moved.at, kind=Kind.TIME, filtered=True),
        Column(
            name="move",
            label=_("Kind"),
            value=lambda line: line.moved.move,
            filtered=True,
            options=tuple(Option(value=move, label=label) for move, label in MOVES.items()),
        ),
        Column(name="quantity", label=_("Quantity"), value=lambda line: line.moved.quantity, kind=Kind.NUMBER),
        Column(name="ticket", label=_("Ticket"), value=lambda line: line.ticket or None, sortable=False),
        Column(name="actor", label=_("By"), value=lambda line: line.moved.actor, filtered=True),
        Column(name="text", label=_("Note"), value=lambda line: line.moved.text or None, filtered=True),
    ),
)


class PriceForm(FormModel):
    """A line of the price list; 0 is the version of one that is not there yet."""

    code: _CODE
    kind: LineKind
    name_zh: Annotated[str, Field(max_length=80)] = ""
    name_en: Annotated[str, Field(max_length=80)] = ""
    unit: Annotated[str, Field(min_length=1, max_length=16)]
    price: Annotated[Decimal, Field(ge=0, le=100_000_000, decimal_places=2)]
    version: Annotated[int, Field(ge=0)] = 0


class ReceiveForm(FormModel):
    """So much came in."""

    quantity: Decimal
    text: Annotated[str, Field(max_length=200)] = ""


class CountForm(FormModel):
    """So much lies there, and why it was counted."""

    counted: Decimal
    reason: Annotated[str, Field(max_length=200)]


class RetireForm(FormModel):
    """The version that is taken out of the list."""

    version: Id


@router.get(LIST)
async def price_list(work: Work, page: OnPage) -> Response:
    """Draw the price list with what is on hand."""

    async def load(ask: Ask) -> Found[Item]:
        return await prices.ask_for_prices(work.session, work.principal, ask)

    return await page.list("desk/materials.html", PRICES, load)


@router.get(f"{LIST}/new")
async def ask_new(page: OnPage) -> Response:
    """Draw the form for a new line."""
    return _form(page, Form.blank(PriceForm, kind=LineKind.MATERIAL, version=0), is_new=True)


@router.post(f"{LIST}/new")
async def create(work: Work, page: OnPage) -> Response:
    """Make a line."""
    return await _define(work, page, is_new=True)


@router.get(f"{LIST}/{{item_code}}")
async def price(work: Work, page: OnPage, item_code: str) -> Response:
    """Draw a line with its stock and what moved it."""
    return await _draw(work, page, item_code, Form.blank(ReceiveForm), Form.blank(CountForm))


@router.get(f"{LIST}/{{item_code}}/edit")
async def ask_change(work: Work, page: OnPage, item_code: str) -> Response:
    """Draw the form with what stands."""
    item = await prices.find_item(work.session, work.principal, code=item_code)
    form = Form.blank(
        PriceForm,
        code=item.code,
        kind=item.kind,
        name_zh=item.name.zh,
        name_en=item.name.en,
        unit=item.unit,
        price=item.price.amount,
        version=item.version,
    )
    return _form(page, form, is_new=False)


@router.post(f"{LIST}/{{item_code}}/edit")
async def change(work: Work, page: OnPage, item_code: str) -> Response:
    """Make a new version."""
    await prices.find_item(work.session, work.principal, code=item_code)
    return await _define(work, page, is_new=False)


@router.post(f"{LIST}/{{item_code}}/receive")
async def receive(work: Work, page: OnPage, item_code: str) -> Response:
    """Put a delivery into the store."""
    await prices.find_item(work.session, work.principal, code=item_code)
    form = await page.form(ReceiveForm)
    async with page.mending(form, lambda: _draw(work, page, item_code, form, Form.blank(CountForm))):
        sent = form.value
        await stock.receive(
            work.session, work.clock, work.principal, item=item_code, quantity=sent.quantity, text=sent.text
        )
    return page.done(f"{LIST}/{item_code}", _("It is in the store."))


@router.post(f"{LIST}/{{item_code}}/count")
async def count(work: Work, page: OnPage, item_code: str) -> Response:
    """Make the stock what was counted."""
    await prices.find_item(work.session, work.principal, code=item_code)
    form = await page.form(CountForm)
    async with page.mending(form, lambda: _draw(work, page, item_code, Form.blank(ReceiveForm), form)):
        sent = form.value
        await stock.count(
            work.session, work.clock, work.principal, item=item_code, quantity=sent.counted, text=sent.reason
        )
    return page.done(f"{LIST}/{item_code}", _("The stock is what was counted."))


@router.post(f"{LIST}/{{item_code}}/retire")
async def retire(work: Work, page: OnPage, item_code: str) -> Response:
    """Take a line out of the list."""
    await prices.find_item(work.session, work.principal, code=item_code)
    form = await page.form(RetireForm)
    async with page.mending(form, lambda: _draw(work, page, item_code, Form.blank(ReceiveForm), Form.blank(CountForm))):
        await prices.retire_price(work.session, work.clock, work.principal, code=item_code, version=form.value.version)
    return page.done(LIST, _("It is out of the price list."))


async def _define(work: Unit, page: Page, *, is_new: bool) -> Response:
    form = await page.form(PriceForm)

    async def again() -> Response:
        return _form(page, form, is_new=is_new)

    async with page.mending(form, again):
        sent = form.value
        await prices.define_price(
            work.session,
            work.clock,
            work.principal,
            code=sent.code,
            kind=sent.kind,
            name=Words(zh=sent.name_zh, en=sent.name_en),
            unit=sent.unit,
            price=Money.of(sent.price, CURRENCY),
            version=sent.version,
        )
    return page.done(f"{LIST}/{form.value.code}", _("Saved."))


def _form(page: Page, form: Form[PriceForm], *, is_new: bool) -> Response:
    kinds = [(kind, page.say(label)) for kind, label in words.LINE_KINDS.items()]
    return page.show("desk/material_form.html", form=form, is_new=is_new, kinds=kinds)


async def _draw(
    work: Unit, page: Page, item_code: str, receiving: Form[ReceiveForm], counting: Form[CountForm]
) -> Response:
    item = await prices.find_item(work.session, work.principal, code=item_code)

    async def load(ask: Ask) -> Found[MoveLine]:
        found = await stock.moves(work.session, work.principal, ask, item=item_code)
        numbers = await _ticket_numbers(work, found.rows)
        return found.of([MoveLine(moved=each, ticket=numbers.get(each.ticket_id or 0, "")) for each in found.rows])

    return await page.list(
        "desk/material.html",
        MOVED,
        load,
        path=f"{LIST}/{item_code}",
        item=item,
        receiving=receiving,
        counting=counting,
    )


async def _ticket_numbers(work: Unit, moved: Sequence[Moved]) -> dict[int, str]:
    ticket_ids = {each.ticket_id for each in moved if each.ticket_id is not None}
    found = await tickets(work.session, work.clock, work.principal, ticket_ids=ticket_ids)
    return {each.id: each.number for each in found}

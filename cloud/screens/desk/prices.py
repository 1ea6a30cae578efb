"""The service catalogue and the fee standards: what is published, what it cost, and what it will cost."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field
from starlette.responses import Response

from cloud.core.listing import Ask, Found
from cloud.core.money import Money
from cloud.core.principal import Role
from cloud.core.words import Words
from cloud.properties import service as properties
from cloud.reception import catalogue
from cloud.reception.catalogue import NewPrice, Service
from cloud.reception.pricing import Price
from cloud.reception.units import PriceUnit, ServiceKind
from cloud.web import words
from cloud.web.catalogues import Message
from cloud.web.forms import Form, FormModel
from cloud.web.ids import Id
from cloud.web.lists import Column, Kind, ListView, Option
from cloud.web.pages import OnPage, Page
from cloud.web.prices import PRICE_UNITS, SERVICE_KINDS, price_line
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

router = pages_for(Role.DESK, Role.MANAGER)

CURRENCY = "CNY"

_NAME = Annotated[str, Field(max_length=80)]
_NOTE = Annotated[str, Field(max_length=500)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueLine:
    """One thing of the catalogue in the reader's language, and what it costs today; None for not offered today."""

    service: Service
    name: str
    price: Price | None
    note: str


CATALOGUE = ListView[CatalogueLine](
    name="catalogue_list",
    caption=_("Prices"),
    searchable=_("what it is called, or note"),
    key=lambda line: line.service.id,
    columns=(
        Column(name="name", label=_("Name"), value=lambda line: line.name, filtered=True),
        Column(
            name="kind",
            label=_("Kind"),
            value=lambda line: line.service.kind,
            filtered=True,
            options=tuple(Option(value=kind, label=label) for kind, label in SERVICE_KINDS.items()),
        ),
        Column(name="community", label=_("Community"), value=lambda line: _where(line.service), sortable=False),
        Column(
            name="price",
            label=_("Price"),
            value=lambda line: line.price.amount if line.price else None,
            kind=Kind.MONEY,
            filtered=True,
        ),
        Column(
            name="unit",
            label=_("Unit of measure"),
            value=lambda line: line.price.unit if line.price else None,
            filtered=True,
            options=tuple(Option(value=unit, label=label) for unit, label in PRICE_UNITS.items()),
        ),
        Column(name="since", label=_("Valid from"), value=lambda line: _day(line.price.since if line.price else None)),
        Column(name="until", label=_("Valid until"), value=lambda line: _day(line.price.until if line.price else None)),
        Column(name="note", label=_("Note"), value=lambda line: line.note or None, sortable=False, phone=False),
    ),
)


class PriceForm(FormModel):
    """A price, and from when to when."""

    amount: Annotated[Decimal, Field(ge=0, decimal_places=2, max_digits=10)]
    unit: PriceUnit
    since: date
    until: date | None = None
    note_zh: _NOTE = ""
    note_en: _NOTE = ""


class ServiceForm(PriceForm):
    """Something new in the catalogue, with its first price."""

    kind: ServiceKind
    community_id: Id | None = None
    name_zh: _NAME = ""
    name_en: _NAME = ""


class EndForm(FormModel):
    """The first day on which a price is no longer valid."""

    until: date


@router.get("/prices")
async def prices(work: Work, page: OnPage) -> Response:
    """Draw the catalogue with what is valid today."""

    async def load(ask: Ask) -> Found[CatalogueLine]:
        found = await catalogue.ask_for_services(work.session, work.clock, work.principal, ask)
        return found.of([_line(page, service, price) for service, price in found.rows])

    return await page.list("desk/prices.html", CATALOGUE, load, may_change=work.principal.has(Role.MANAGER))


@router.get("/prices/new")
async def new(work: Work, page: OnPage) -> Response:
    """Draw the form of something new."""
    work.principal.require(Role.MANAGER)
    today = await catalogue.today_of(work.session, work.clock, work.principal)
    blank = Form.blank(ServiceForm, kind=ServiceKind.FEE, unit=PriceUnit.M2_MONTH, since=today.isoformat())
    return await _draw_new(work, page, blank)


@router.post("/prices")
async def create(work: Work, page: OnPage) -> Response:
    """Put something new into the catalogue."""
    work.principal.require(Role.MANAGER)
    form = await page.form(ServiceForm)
    service_id = 0
    async with page.mending(form, lambda: _draw_new(work, page, form)):
        sent = form.value
        service_id = await catalogue.add_service(
            work.session,
            work.clock,
            work.principal,
            kind=sent.kind,
            name=Words(zh=sent.name_zh, en=sent.name_en),
            community_id=sent.community_id,
            price=_price(sent),
        )
    return page.go(f"/prices/{service_id}")


@router.get("/prices/{service_id}")
async def one(work: Work, page: OnPage, service_id: int) -> Response:
    """Draw one thing of the catalogue with all its prices."""
    return await _draw(work, page, service_id, None)


@router.post("/prices/{service_id}")
async def add_price(work: Work, page: OnPage, service_id: int) -> Response:
    """Say what it costs from a day on."""
    work.principal.require(Role.MANAGER)
    form = await page.form(PriceForm)
    async with page.mending(form, lambda: _draw(work, page, service_id, form)):
        await catalogue.add_price(
            work.session, work.clock, work.principal, service_id=service_id, price=_price(form.value)
        )
    return page.go(f"/prices/{service_id}")


@router.post("/prices/{service_id}/{price_id}/end")
async def end_price(work: Work, page: OnPage, service_id: int, price_id: int) -> Response:
    """Say when a price ends."""
    work.principal.require(Role.MANAGER)
    form = await page.form(EndForm)
    async with page.mending(form, lambda: _draw(work, page, service_id, None)):
        await catalogue.end_price(
            work.session,
            work.clock,
            work.principal,
            service_id=service_id,
            price_id=price_id,
            until=form.value.until,
        )
    return page.go(f"/prices/{service_id}")


def _price(sent: PriceForm) -> NewPrice:
    return NewPrice(
        amount=Money.of(sent.amount, CURRENCY),
        unit=sent.unit,
        since=sent.since,
        until=sent.until,
        note=Words(zh=sent.note_zh, en=sent.note_en),
    )


async def _draw_new(work: Unit, page: Page, form: Form[ServiceForm]) -> Response:
    communities = await properties.list_communities(work.session, work.principal)
    return page.show(
        "desk/price_new.html",
        form=form,
        communities=[(each.id, each.name) for each in communities],
        sees_all=work.principal.communities is None,
        kinds=_options(page, SERVICE_KINDS),
        units=_options(page, PRICE_UNITS),
        currency=CURRENCY,
    )


async def _draw(work: Unit, page: Page, service_id: int, form: Form[PriceForm] | None) -> Response:
    service = await catalogue.find_service(work.session, work.principal, service_id)
    today = await catalogue.today_of(work.session, work.clock, work.principal)
    unit = service.prices[0].unit if service.prices else PriceUnit.MONTH
    lines = [(price_line(page, service, price), price.holds(today)) for price in service.prices]
    return page.show(
        "desk/price.html",
        service=service,
        name=_named(page, service),
        lines=lines,
        today=today,
        form=form or Form.blank(PriceForm, unit=unit, since=today.isoformat()),
        kinds=SERVICE_KINDS,
        units=_options(page, PRICE_UNITS),
        currency=CURRENCY,
        may_change=work.principal.has(Role.MANAGER),
    )


def _line(page: Page, service: Service, price: Price | None) -> CatalogueLine:
    note = words.written(price.note, page.reader.locale) if price else ""
    return CatalogueLine(service=service, name=_named(page, service), price=price, note=note)


def _where(service: Service) -> str | Message:
    return service.community or Message(_("all communities"))


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _named(page: Page, service: Service) -> str:
    return words.written(service.name, page.reader.locale)


def _options(page: Page, labels: dict[Any, str]) -> list[tuple[str, str]]:
    return [(str(value), page.say(label)) for value, label in labels.items()]

"""Prices as lines that a person reads, in their language."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from cloud.core.money import Money
from cloud.reception import catalogue
from cloud.reception.catalogue import Service
from cloud.reception.pricing import Price
from cloud.reception.units import PriceUnit, ServiceKind
from cloud.web import formats, words
from cloud.web.pages import Page
from cloud.web.session import Unit
from firmware_configs.look.words import _

SERVICE_KINDS = {ServiceKind.FEE: _("Fee standard"), ServiceKind.SERVICE: _("Service on request")}

PRICE_UNITS = {
    PriceUnit.M2_MONTH: _("per m² and month"),
    PriceUnit.MONTH: _("per month"),
    PriceUnit.SPACE_MONTH: _("per space and month"),
    PriceUnit.VISIT: _("per visit"),
    PriceUnit.HOUR: _("per hour"),
    PriceUnit.PIECE: _("per piece"),
    PriceUnit.M2: _("per m²"),
    PriceUnit.M3: _("per m³"),
    PriceUnit.KWH: _("per kWh"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceLine:
    """One published price; `told` says all of it in one line, as the desk quotes it."""

    id: int
    service_id: int
    name: str
    kind: str
    community: str
    amount: Money
    unit: str
    since: date
    until: date | None
    note: str
    told: str


def price_line(page: Page, service: Service, price: Price) -> PriceLine:
    """Return a price as it is read."""
    name, unit = words.written(service.name, page.reader.locale), page.say(PRICE_UNITS[price.unit])
    return PriceLine(
        id=price.id,
        service_id=service.id,
        name=name,
        kind=page.say(SERVICE_KINDS[service.kind]),
        community=service.community,
        amount=price.amount,
        unit=unit,
        since=price.since,
        until=price.until,
        note=words.written(price.note, page.reader.locale),
        told=f"{name}: {formats.money(price.amount)} {unit}",
    )


async def published(work: Unit, page: Page, *, community_ids: Collection[int] | None = None) -> list[PriceLine]:
    """Return what is offered today, as it is read."""
    found = await catalogue.published(work.session, work.clock, work.principal, community_ids=community_ids)
    return [price_line(page, service, price) for service, price in found]

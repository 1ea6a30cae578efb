"""The service catalogue and the fee standards: what is offered where at which price, published and quoted from."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import organisations
from cloud.core import audit
from cloud.core.clock import Clock
from cloud.core.database import hold
from cloud.core.errors import Conflict, Forbidden, NotFound, Refused
from cloud.core.listing import Ask, Found, fetch
from cloud.core.money import Money
from cloud.core.principal import Principal, Role
from cloud.core.words import Words
from cloud.properties import service as properties
from cloud.reception.catalogue_tables import NAME_LENGTH, NOTE_LENGTH, PriceRow, ServiceRow, offered, service_listing
from cloud.reception.pricing import Price, check_end, check_new, price_on
from cloud.reception.units import PriceUnit, ServiceKind
from firmware_configs.look.words import _

_NO_NOTE = Words(zh="", en="")
_DEAREST_MINOR = 10_000_000_00  # ten million yuan: a slip of the finger


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A fee standard or a service, with all its prices, the newest first.

    Attributes:
        community: its name; empty for all communities.
    """

    id: int
    kind: ServiceKind
    name: Words
    community_id: int | None
    community: str
    prices: Sequence[Price]

    def price(self, on: date) -> Price | None:
        """Return what it costs on a day; None when it is not offered then."""
        return price_on(self.prices, on)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPrice:
    """A price as a manager writes it."""

    amount: Money
    unit: PriceUnit
    since: date
    until: date | None = None
    note: Words = _NO_NOTE


async def list_services(
    session: AsyncSession, principal: Principal, *, community_ids: Collection[int] | None = None
) -> list[Service]:
    """Return what is offered, fee standards first, by name: of all the principal's communities, or of these."""
    # any organisation: offered leaves only the principal's
    rows = (
        await session.scalars(offered(principal).order_by(ServiceRow.kind, ServiceRow.name_zh, ServiceRow.id))
    ).all()
    if community_ids is not None:
        rows = [row for row in rows if row.community_id is None or row.community_id in community_ids]
    return await _read(session, principal, rows)


async def ask_for_services(
    session: AsyncSession, clock: Clock, principal: Principal, ask: Ask
) -> Found[tuple[Service, Price | None]]:
    """Return the stretch of the catalogue that `ask` wants, each with its price of today; None when it has none."""
    today = await today_of(session, clock, principal)
    found = await fetch(session, service_listing(principal, on=today), ask)
    services = await _read(session, principal, [row.ServiceRow for row in found.rows])
    return found.of([(service, service.price(today)) for service in services])


async def published(
    session: AsyncSession, clock: Clock, principal: Principal, *, community_ids: Collection[int] | None = None
) -> list[tuple[Service, Price]]:
    """Return what is offered today with its price."""
    today = await today_of(session, clock, principal)
    found = await list_services(session, principal, community_ids=community_ids)
    return [(service, price) for service in found if (price := service.price(today)) is not None]


async def find_service(session: AsyncSession, principal: Principal, service_id: int) -> Service:
    """Return one thing of the catalogue.

    Raises:
        NotFound: there is none that the principal may see.
    """
    return (await _read(session, principal, [await _find(session, principal, service_id)]))[0]


async def price_words(session: AsyncSession, principal: Principal, price_id: int) -> tuple[Service, Price]:
    """Return a price that was or is valid, and of what.

    Raises:
        NotFound: there is none that the principal may see.
    """
    row = await session.scalar(
        select(PriceRow).where(PriceRow.organisation_id == principal.organisation_id, PriceRow.id == price_id)
    )
    if row is None:
        raise NotFound(_("There is no such price."))
    service = await find_service(session, principal, row.service_id)
    return service, next(price for price in service.prices if price.id == price_id)


async def add_service(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    *,
    kind: ServiceKind,
    name: Words,
    community_id: int | None,
    price: NewPrice,
) -> int:
    """Return the id of a new thing in the catalogue, with its first price.

    Raises:
        Forbidden: the principal is no manager, or not of all communities.
        NotFound: there is no such community.
        Refused: name or price can't be.
        Conflict: something of this name is offered there already.
    """
    await _check_scope(session, principal, community_id)
    name = _check_name(name)
    await hold(session, f"catalogue {principal.organisation_id}")
    await _check_name_is_free(session, principal, name, community_id)
    row = ServiceRow(
        organisation_id=principal.organisation_id,
        community_id=community_id,
        kind=kind,
        name_zh=name.zh,
        name_en=name.en,
        created_at=clock.now(),
    )
    session.add(row)
    await session.flush()
    await add_price(session, clock, principal, service_id=row.id, price=price)
    return row.id


async def add_price(
    session: AsyncSession, clock: Clock, principal: Principal, *, service_id: int, price: NewPrice
) -> int:
    """Return the id of a new price; one without an end that was valid before ends on the day this one begins.

    Raises:
        Forbidden: the principal is no manager, or not of all communities.
        NotFound: there is no such thing in the catalogue.
        Refused: the price can't be, or would change what was valid.
        Conflict: another price of the same is valid then.
    """
    await hold(session, f"catalogue {principal.organisation_id}")
    service = await find_service(session, principal, service_id)
    await _check_scope(session, principal, service.community_id)
    _check_price(price)
    today = await today_of(session, clock, principal)
    named = service.name.zh or service.name.en
    ended = check_new(service.prices, name=named, since=price.since, until=price.until, today=today)
    if ended is not None:
        await _end(session, clock, principal, ended, until=price.since)
    row = PriceRow(
        organisation_id=principal.organisation_id,
        service_id=service_id,
        minor=price.amount.minor,
        currency=price.amount.currency,
        unit=price.unit,
        note_zh=price.note.zh.strip(),
        note_en=price.note.en.strip(),
        since=price.since,
        until=price.until,
        created_at=clock.now(),
        created_by=principal.person_id,
    )
    session.add(row)
    await session.flush()
    _record(session, clock, principal, "reception.price_added", service_id, after=_state(row))
    return row.id


async def end_price(
    session: AsyncSession, clock: Clock, principal: Principal, *, service_id: int, price_id: int, until: date
) -> None:
    """Say when a price ends: from the day `until` on it is no longer valid.

    Raises:
        Forbidden: the principal is no manager, or not of all communities.
        NotFound: there is no such price.
        Refused: the day is past.
        Conflict: the price has ended already, or would meet the next one.
    """
    await hold(session, f"catalogue {principal.organisation_id}")
    service = await find_service(session, principal, service_id)
    await _check_scope(session, principal, service.community_id)
    price = next((price for price in service.prices if price.id == price_id), None)
    if price is None:
        raise NotFound(_("There is no such price."))
    check_end(price, until=until, today=await today_of(session, clock, principal))
    after = [other for other in service.prices if other.since > price.since and other.since < until]
    if any(other.until is None or other.until > other.since for other in after):
        sentence = _("The next price begins on %(since)s: end this one by then.")
        raise Conflict(sentence, "until", since=min(other.since for other in after).isoformat())
    await _end(session, clock, principal, price, until=until)


async def today_of(session: AsyncSession, clock: Clock, principal: Principal) -> date:
    """Return the date that it is where the organisation is."""
    zone = ZoneInfo((await organisations.find_organisation(session, principal)).time_zone)
    return clock.now().astimezone(zone).date()


async def _end(session: AsyncSession, clock: Clock, principal: Principal, price: Price, *, until: date) -> None:
    row = await session.get_one(PriceRow, price.id)
    before = {"until": row.until.isoformat() if row.until else None}
    row.until = until
    after = {"price": row.id, "until": until.isoformat()}
    _record(session, clock, principal, "reception.price_ended", row.service_id, before=before, after=after)


async def _find(session: AsyncSession, principal: Principal, service_id: int) -> ServiceRow:
    row = await session.scalar(offered(principal).where(ServiceRow.id == service_id))
    if row is None:
        raise NotFound(_("There is no such entry in the catalogue."))
    return row


async def _read(session: AsyncSession, principal: Principal, rows: Sequence[ServiceRow]) -> list[Service]:
    communities = {each.id: each.name for each in await properties.list_communities(session, principal)}
    prices: defaultdict[int, list[Price]] = defaultdict(list)
    found = select(PriceRow).where(
        PriceRow.organisation_id == principal.organisation_id, PriceRow.service_id.in_([row.id for row in rows])
    )
    for row in await session.scalars(found.order_by(PriceRow.since.desc(), PriceRow.id.desc())):
        prices[row.service_id].append(_price(row))
    return [
        Service(
            id=row.id,
            kind=row.kind,
            name=Words(zh=row.name_zh, en=row.name_en),
            community_id=row.community_id,
            community=communities.get(row.community_id or 0, ""),
            prices=prices[row.id],
        )
        for row in rows
    ]


async def _check_scope(session: AsyncSession, principal: Principal, community_id: int | None) -> None:
    principal.require(Role.MANAGER)
    if community_id is not None:
        await properties.find_community(session, principal, community_id)
    elif principal.communities is not None:
        raise Forbidden(_("Only who sees all communities may say what holds for all."))


async def _check_name_is_free(
    session: AsyncSession, principal: Principal, name: Words, community_id: int | None
) -> None:
    for other in await list_services(session, principal):
        overlaps = community_id is None or other.community_id in {None, community_id}
        if overlaps and ((name.zh and name.zh == other.name.zh) or (name.en and name.en == other.name.en)):
            sentence = _("%(name)s is in the catalogue already: give it a new price instead.")
            raise Conflict(sentence, "name_zh", name=name.zh or name.en)


def _check_name(name: Words) -> Words:
    name = Words(zh=name.zh.strip(), en=name.en.strip())
    if not (name.zh or name.en) or max(len(name.zh), len(name.en)) > NAME_LENGTH:
        raise Refused(_("Give it a name of at most %(length)d characters."), "name_zh", length=NAME_LENGTH)
    return name


def _check_price(price: NewPrice) -> None:
    if not 0 <= price.amount.minor <= _DEAREST_MINOR:
        raise Refused(_("A price is between nothing and ten million."), "amount")
    if max(len(price.note.zh), len(price.note.en)) > NOTE_LENGTH:
        raise Refused(_("Too long: at most %(length)d characters."), "note_zh", length=NOTE_LENGTH)


def _price(row: PriceRow) -> Price:
    return Price(
        id=row.id,
        amount=Money(row.minor, row.currency),
        unit=row.unit,
        since=row.since,
        until=row.until,
        note=Words(zh=row.note_zh, en=row.note_en),
    )


def _state(row: PriceRow) -> dict[str, object]:
    return {
        "price": row.id,
        "amount": str(Money(row.minor, row.currency).amount),
        "currency": row.currency,
        "unit": row.unit,
        "since": row.since.isoformat(),
        "until": row.until.isoformat() if row.until else None,
    }


def _record(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    action: str,
    service_id: int,
    *,
    before: audit.State | None = None,
    after: audit.State | None = None,
) -> None:
    subject = f"service:{service_id}"
    audit.record(session, clock, principal, action=action, subject=subject, before=before, after=after)

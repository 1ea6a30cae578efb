from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.core.errors import Conflict, Forbidden, GatehouseError, Refused
from cloud.core.money import Money
from cloud.core.principal import Role
from cloud.core.words import Words
from cloud.reception import catalogue
from cloud.reception.catalogue import NewPrice
from cloud.reception.pricing import Price, check_end, check_new, price_on
from cloud.reception.units import PriceUnit, ServiceKind
from tests.cloud.reception.counter import Counter

TODAY = date(2026, 3, 2)
FEE = Words(zh="物业费", en="Property fee")


def _price(amount: str = "2.80", since: date = TODAY, until: date | None = None) -> NewPrice:
    return NewPrice(amount=Money.of(amount, "CNY"), unit=PriceUnit.M2_MONTH, since=since, until=until)


async def _add(counter: Counter, *, community_id: int | None = None, name: Words = FEE) -> int:
    async with counter.database.transaction() as session:
        return await catalogue.add_service(
            session, counter.clock, counter.manager, kind=ServiceKind.FEE, name=name, community_id=community_id,
            price=_price(),
        )  # fmt: skip


async def _amounts(counter: Counter, service_id: int, *days: date) -> list[str | None]:
    async with counter.database.reading() as session:
        service = await catalogue.find_service(session, counter.desk, service_id)
    prices = [service.price(day) for day in days]
    return [str(price.amount.amount) if price else None for price in prices]


async def test_a_new_price_ends_the_one_before_and_leaves_what_was_valid(counter: Counter) -> None:
    service_id = await _add(counter)
    july = date(2026, 7, 1)
    async with counter.database.transaction() as session:
        await catalogue.add_price(
            session, counter.clock, counter.manager, service_id=service_id, price=_price("3.10", july)
        )
    days = (TODAY - timedelta(days=1), TODAY, july - timedelta(days=1), july)
    assert await _amounts(counter, service_id, *days) == [None, "2.80", "2.80", "3.10"]


async def test_a_price_that_would_overlap_is_refused_by_name(counter: Counter) -> None:
    service_id = await _add(counter)
    async with counter.database.transaction() as session:
        await catalogue.add_price(
            session, counter.clock, counter.manager, service_id=service_id, price=_price("3.10", date(2026, 7, 1))
        )
        with pytest.raises(Conflict) as refused:
            await catalogue.add_price(
                session, counter.clock, counter.manager, service_id=service_id,
                price=_price("3", date(2026, 5, 1), date(2026, 8, 1)),
            )  # fmt: skip
    assert str(refused.value) == "物业费 has a price from 2026-03-02 to 2026-07-01 already: choose other days."


async def test_a_price_may_end_and_the_service_is_then_no_longer_offered(counter: Counter) -> None:
    service_id = await _add(counter)
    async with counter.database.transaction() as session:
        [price] = (await catalogue.find_service(session, counter.desk, service_id)).prices
        await catalogue.end_price(
            session, counter.clock, counter.manager, service_id=service_id, price_id=price.id, until=date(2026, 4, 1)
        )
        assert await catalogue.published(session, counter.clock, counter.desk) != []
    counter.clock.advance(days=30)
    async with counter.database.reading() as session:
        assert await catalogue.published(session, counter.clock, counter.desk) == []


async def test_a_communitys_own_price_is_nobody_elses(counter: Counter) -> None:
    await _add(counter, community_id=counter.other_community_id)
    await _add(counter, name=Words(zh="开锁", en="Door opening"))
    async with counter.database.reading() as session:
        here = await catalogue.list_services(session, counter.limited)
        there = await catalogue.list_services(session, counter.desk, community_ids=[counter.other_community_id])
    assert [service.name.en for service in here] == ["Door opening"]
    assert sorted(service.name.en for service in there) == ["Door opening", "Property fee"]


async def test_one_name_stands_once_in_a_communitys_catalogue(counter: Counter) -> None:
    await _add(counter, community_id=counter.community_id)
    await _add(counter, community_id=counter.other_community_id)
    with pytest.raises(Conflict):
        await _add(counter)


async def test_a_manager_of_one_community_says_nothing_for_all(counter: Counter) -> None:
    limited = replace(counter.manager, communities=frozenset({counter.community_id}))
    async with counter.database.transaction() as session:
        with pytest.raises(Forbidden):
            await catalogue.add_service(
                session, counter.clock, limited, kind=ServiceKind.FEE, name=FEE, community_id=None, price=_price()
            )


@pytest.mark.parametrize("role", [Role.DESK, Role.OWNER, Role.WORKER])
async def test_only_managers_change_prices(counter: Counter, role: Role) -> None:
    service_id = await _add(counter)
    async with counter.database.transaction() as session:
        with pytest.raises(Forbidden):
            await catalogue.add_price(
                session, counter.clock, counter.estate.principals[role], service_id=service_id,
                price=_price("1", date(2026, 9, 1)),
            )  # fmt: skip


def test_what_begins_in_the_past_is_refused() -> None:
    with pytest.raises(Refused):
        check_new([], name="x", since=TODAY - timedelta(days=1), until=None, today=TODAY)


_DAYS = st.integers(0, 40).map(lambda days: TODAY + timedelta(days=days))
_ACTS = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(["add", "end"]), _DAYS, st.none() | _DAYS), min_size=1, max_size=12
)


@given(acts=_ACTS)
def test_whatever_managers_do_no_day_has_two_prices_and_no_past_day_ever_changes(
    acts: list[tuple[int, str, date, date | None]],
) -> None:
    prices: list[Price] = []
    today = TODAY
    past: dict[date, int | None] = {}
    for wait, act, since, until in acts:
        for _day in range(wait):
            past[today] = _valid(prices, today)
            today += timedelta(days=1)
        try:
            prices = _after(prices, act, since, until, today)
        except GatehouseError:
            continue
        for number in range(120):
            day = TODAY + timedelta(days=number)
            assert sum(price.holds(day) for price in prices) <= 1
        assert {day: _valid(prices, day) for day in past} == past


def _valid(prices: list[Price], day: date) -> int | None:
    price = price_on(prices, day)
    return price.id if price else None


def _after(prices: list[Price], act: str, since: date, until: date | None, today: date) -> list[Price]:
    if act == "add":
        ended = check_new(prices, name="x", since=since, until=until, today=today)
        kept = [replace(price, until=since) if price is ended else price for price in prices]
        new = Price(
            id=len(prices) + 1, amount=Money(1, "CNY"), unit=PriceUnit.VISIT, since=since, until=until,
            note=Words(zh="", en=""),
        )  # fmt: skip
        return [*kept, new]
    if not prices:
        return prices
    day = check_end(prices[-1], until=since, today=today)
    others = [price for price in prices[:-1] if prices[-1].since < price.since < day]
    return prices if others else [*prices[:-1], replace(prices[-1], until=day)]

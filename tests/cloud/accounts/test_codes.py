import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from cloud.accounts import codes, service, telephones
from cloud.accounts.codes import Asked, Proven, SignInCodeRow
from cloud.accounts.domain import Denied, SignedIn
from cloud.core.database import Database
from cloud.core.errors import NotSignedIn, Refused, TooMany
from cloud.core.principal import Role
from tests.clocks import FixedClock
from tests.cloud.estate import Estate

PHONE = "13800000001"
STRANGER = "13800000099"


@pytest.fixture
async def owner(database: Database, clock: FixedClock, estate: Estate) -> int:
    async with database.transaction() as session:
        return await telephones.enrol_owner(session, clock, estate.administrator, name="张三", phone=PHONE)


async def _ask(
    database: Database, clock: FixedClock, phone: str = PHONE, *, address: str = "198.51.100.7"
) -> Asked | Denied:
    async with database.transaction() as session:
        return await codes.ask(session, clock, phone=phone, address=address)


async def _drawn(database: Database, clock: FixedClock, phone: str = PHONE) -> Asked:
    asked = await _ask(database, clock, phone)
    assert isinstance(asked, Asked)
    return asked


async def _prove(database: Database, clock: FixedClock, asked: Asked, code: str) -> str | Denied:
    async with database.transaction() as session:
        return await codes.prove(session, clock, token=asked.token, code=code)


async def _enter(database: Database, clock: FixedClock, asked: Asked, person_id: int) -> SignedIn | Denied:
    async with database.transaction() as session:
        return await codes.enter(session, clock, token=asked.token, person_id=person_id, address="", agent="")


def _other(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


async def test_the_code_leads_in_as_an_owner_and_is_used_up(
    database: Database, clock: FixedClock, estate: Estate, owner: int
) -> None:
    asked = await _drawn(database, clock)
    assert (len(asked.code), asked.organisation_id) == (6, estate.organisation_id)
    assert await _prove(database, clock, asked, asked.code) == "+8613800000001"
    entered = await _enter(database, clock, asked, owner)
    assert isinstance(entered, SignedIn)
    assert (entered.principal.person_id, entered.principal.roles) == (owner, {Role.OWNER})
    assert isinstance(await _enter(database, clock, asked, owner), Denied)
    assert isinstance(await _prove(database, clock, asked, asked.code), Denied)


async def test_a_strangers_number_is_answered_alike_and_sent_nothing(
    database: Database, clock: FixedClock, owner: int
) -> None:
    asked = await _drawn(database, clock, STRANGER)
    assert asked.organisation_id is None
    assert isinstance(await _ask(database, clock, STRANGER), Denied)  # too soon, as for a number that is known


async def test_the_fifth_wrong_code_is_the_last(database: Database, clock: FixedClock, owner: int) -> None:
    asked = await _drawn(database, clock)
    outcomes = [await _prove(database, clock, asked, _other(asked.code)) for _ in range(5)]
    assert all(isinstance(outcome, Denied) for outcome in outcomes)
    assert isinstance(await _prove(database, clock, asked, asked.code), Denied)


async def test_wrong_codes_typed_at_once_are_counted_one_by_one(
    database: Database, clock: FixedClock, owner: int
) -> None:
    asked = await _drawn(database, clock)
    await asyncio.gather(*(_prove(database, clock, asked, _other(asked.code)) for _ in range(8)))
    async with database.reading() as session:
        assert await session.scalar(select(SignInCodeRow.tries)) == 5


async def test_a_code_is_good_for_ten_minutes(database: Database, clock: FixedClock, owner: int) -> None:
    asked = await _drawn(database, clock)
    clock.advance(minutes=10)
    assert isinstance(await _prove(database, clock, asked, asked.code), Denied)


async def test_a_code_is_worth_nothing_in_another_browser(database: Database, clock: FixedClock, owner: int) -> None:
    asked = await _drawn(database, clock)
    async with database.transaction() as session:
        assert isinstance(await codes.prove(session, clock, token="another", code=asked.code), Denied)


async def test_only_whose_number_was_proven_may_be_entered_as(
    database: Database, clock: FixedClock, estate: Estate, owner: int
) -> None:
    asked = await _drawn(database, clock)
    assert isinstance(await _enter(database, clock, asked, owner), Denied)  # nothing typed yet
    await _prove(database, clock, asked, asked.code)
    assert isinstance(await _enter(database, clock, asked, estate.administrator.person_id or 0), Denied)


async def test_a_number_waits_a_minute_and_has_ten_unused_codes_a_day(
    database: Database, clock: FixedClock, owner: int
) -> None:
    for _ in range(10):
        await _drawn(database, clock)
        early = await _ask(database, clock)
        assert isinstance(early, Denied)
        assert isinstance(early.reason, TooMany)
        clock.advance(minutes=1)
    late = await _ask(database, clock, address="203.0.113.9")
    assert isinstance(late, Denied)
    clock.advance(hours=24)
    assert isinstance(await _ask(database, clock), Asked)


async def test_a_code_that_was_used_counts_for_nothing(database: Database, clock: FixedClock, owner: int) -> None:
    asked = await _drawn(database, clock)
    await _prove(database, clock, asked, asked.code)
    await _enter(database, clock, asked, owner)
    assert isinstance(await _ask(database, clock), Asked)


async def test_an_address_has_sixty_unused_codes_an_hour(database: Database, clock: FixedClock) -> None:
    for number in range(60):
        await _drawn(database, clock, f"138000001{number:02}")
    assert isinstance(await _ask(database, clock, STRANGER), Denied)
    assert isinstance(await _ask(database, clock, STRANGER, address="203.0.113.9"), Asked)
    clock.advance(hours=1)
    assert isinstance(await _ask(database, clock, "13800000098"), Asked)


async def test_an_organisation_pays_for_two_hundred_unused_codes_an_hour_and_says_nothing_of_it(
    database: Database, clock: FixedClock, estate: Estate, owner: int
) -> None:
    async with database.transaction() as session:
        session.add_all(
            SignInCodeRow(
                organisation_id=estate.organisation_id, token_hash=f"{number}", code_hash="",
                phone=f"+86139{number:08}", address=f"{number}", asked_at=clock.now(),
            )
            for number in range(200)
        )  # fmt: skip
    assert (await _drawn(database, clock)).organisation_id is None


async def test_a_number_that_several_organisations_know_chooses_after_the_code(
    database: Database, clock: FixedClock, estate: Estate, neighbour: Estate, owner: int
) -> None:
    async with database.transaction() as session:
        there = await telephones.enrol_owner(session, clock, neighbour.administrator, name="张三", phone=PHONE)
    asked = await _drawn(database, clock)
    await _prove(database, clock, asked, asked.code)
    async with database.reading() as session:
        proven = await codes.proven(session, clock, token=asked.token)
    assert isinstance(proven, Proven)
    assert [(one.person_id, one.organisation) for one in proven.people] == [(owner, "云杉物业"), (there, "银杏物业")]
    entered = await _enter(database, clock, asked, there)
    assert isinstance(entered, SignedIn)
    assert entered.principal.organisation_id == neighbour.organisation_id


@pytest.mark.parametrize("phone", ["021-55550000", "12345"])
async def test_a_number_that_no_message_reaches_is_refused_at_its_field(
    database: Database, clock: FixedClock, phone: str
) -> None:
    with pytest.raises(Refused) as refused:
        await _ask(database, clock, phone)
    assert refused.value.field == "phone"


async def test_an_owners_session_outlasts_a_shift_and_ends_after_ninety_days_away(
    database: Database, clock: FixedClock, owner: int
) -> None:
    asked = await _drawn(database, clock)
    await _prove(database, clock, asked, asked.code)
    entered = await _enter(database, clock, asked, owner)
    assert isinstance(entered, SignedIn)
    clock.advance(days=89)
    async with database.transaction() as session:
        await service.forget_old(session, clock)
        assert (await service.resume(session, clock, token=entered.token)).principal.person_id == owner
    clock.advance(days=2)
    async with database.transaction() as session:
        with pytest.raises(NotSignedIn):
            await service.resume(session, clock, token=entered.token)


async def test_codes_of_yesterday_are_forgotten(database: Database, clock: FixedClock, owner: int) -> None:
    await _drawn(database, clock)
    clock.advance(seconds=timedelta(days=1).total_seconds() + 1)
    async with database.transaction() as session:
        await codes.forget_codes(session, clock)
        assert await session.scalar(select(func.count()).select_from(SignInCodeRow)) == 0

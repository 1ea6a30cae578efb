import asyncio

import pytest
from sqlalchemy import select

from cloud.core.audit import AuditEntry
from cloud.core.database import Database
from cloud.core.errors import Conflict, Forbidden, GatehouseError, NotFound, Refused
from cloud.core.principal import Role
from cloud.properties import occupancies, service, unit_codes
from cloud.properties.domain import OccupancyKind
from tests.clocks import FixedClock
from tests.cloud.estate import Estate

PHONE = "+8613800000001"


@pytest.fixture
async def unit_id(database: Database, clock: FixedClock, estate: Estate) -> int:
    who = estate.administrator
    async with database.transaction() as session:
        community = await service.create_community(session, clock, who, name="云杉苑")
        building = await service.create_building(session, clock, who, community_id=community, name="3 栋")
        return await service.create_unit(session, clock, who, building_id=building, name="501")


async def _issue(database: Database, clock: FixedClock, estate: Estate, unit_id: int) -> str:
    async with database.transaction() as session:
        desk = estate.principals[Role.DESK]
        issued = await unit_codes.issue(session, clock, desk, unit_id=unit_id, name="张三", kind=OccupancyKind.TENANT)
        return issued.code


async def _redeem(database: Database, clock: FixedClock, code: str, phone: str = PHONE) -> int | GatehouseError:
    try:
        async with database.transaction() as session:
            return await unit_codes.redeem(session, clock, code=code, phone=phone)
    except Refused as refused:
        return refused


async def test_whoever_holds_the_letter_is_in_the_unit_from_today_on(
    database: Database, clock: FixedClock, estate: Estate, unit_id: int
) -> None:
    code = await _issue(database, clock, estate, unit_id)
    async with database.reading() as session:
        invitation = await unit_codes.look_up(session, clock, code=code.lower().replace("-", " "))
    assert (invitation.label, invitation.name) == ("云杉苑 · 3 栋 · 501", "张三")
    person_id = await _redeem(database, clock, code)
    async with database.reading() as session:
        found = await occupancies.occupants(session, estate.administrator, [unit_id], on=clock.now().date())
    (occupant,) = found[unit_id]
    assert (occupant.person_id, occupant.name, occupant.phone, occupant.kind) == (
        person_id, "张三", PHONE, OccupancyKind.TENANT,
    )  # fmt: skip


async def test_a_code_is_good_once_however_many_come_at_once(
    database: Database, clock: FixedClock, estate: Estate, unit_id: int
) -> None:
    code = await _issue(database, clock, estate, unit_id)
    outcomes = await asyncio.gather(*(_redeem(database, clock, code, f"+861380000000{n}") for n in range(3)))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Refused", "Refused", "int"]


async def test_who_is_in_the_unit_already_stays_as_they_are(
    database: Database, clock: FixedClock, estate: Estate, unit_id: int
) -> None:
    async with database.transaction() as session:
        await occupancies.move_in(
            session, clock, estate.administrator, unit_id=unit_id, name="张三", phone=PHONE, kind=OccupancyKind.OWNER,
            since=clock.now().date(),
        )  # fmt: skip
    await _redeem(database, clock, await _issue(database, clock, estate, unit_id))
    async with database.reading() as session:
        (occupant,) = (await occupancies.occupants(session, estate.administrator, [unit_id]))[unit_id]
    assert occupant.kind is OccupancyKind.OWNER


async def test_a_letter_runs_out_after_thirty_days(
    database: Database, clock: FixedClock, estate: Estate, unit_id: int
) -> None:
    code = await _issue(database, clock, estate, unit_id)
    clock.advance(days=30)
    assert isinstance(await _redeem(database, clock, code), Refused)


async def test_a_code_that_was_never_issued_is_not_found(database: Database, clock: FixedClock) -> None:
    async with database.transaction() as session:
        with pytest.raises(NotFound):
            await unit_codes.look_up(session, clock, code="0000-0000-0000")


@pytest.mark.parametrize("role", [role for role in Role if role not in {Role.ADMINISTRATOR, Role.DESK}])
async def test_only_desk_and_administrators_print_letters(
    database: Database, clock: FixedClock, estate: Estate, unit_id: int, role: Role
) -> None:
    async with database.transaction() as session:
        with pytest.raises(Forbidden):
            await unit_codes.issue(
                session, clock, estate.principals[role], unit_id=unit_id, name="x", kind=OccupancyKind.OWNER
            )


async def _letters(database: Database, clock: FixedClock, estate: Estate, unit_id: int) -> list[unit_codes.Letter]:
    async with database.reading() as session:
        return list(await unit_codes.open_letters(session, clock, estate.principals[Role.DESK], unit_id=unit_id))


async def _revoke(database: Database, clock: FixedClock, estate: Estate, unit_id: int, letter_id: int) -> None:
    async with database.transaction() as session:
        desk = estate.principals[Role.DESK]
        await unit_codes.revoke(session, clock, desk, unit_id=unit_id, letter_id=letter_id)


async def test_letters_are_out_until_they_are_used_taken_back_or_run_out(
    database: Database, clock: FixedClock, estate: Estate, unit_id: int
) -> None:
    used = await _issue(database, clock, estate, unit_id)
    await _issue(database, clock, estate, unit_id)
    clock.advance(days=1)
    await _issue(database, clock, estate, unit_id)
    await _redeem(database, clock, used)
    newest, older = await _letters(database, clock, estate, unit_id)
    assert (newest.name, newest.issued_at, newest.expires_at) == ("张三", clock.now(), clock.now() + unit_codes.GOOD)
    clock.advance(days=29)
    assert await _letters(database, clock, estate, unit_id) == [newest]
    await _revoke(database, clock, estate, unit_id, newest.id)
    assert await _letters(database, clock, estate, unit_id) == []
    assert older.id != newest.id


async def test_a_letter_that_was_taken_back_lets_nobody_in_and_says_so(
    database: Database, clock: FixedClock, estate: Estate, unit_id: int
) -> None:
    code = await _issue(database, clock, estate, unit_id)
    (letter,) = await _letters(database, clock, estate, unit_id)
    for _again in range(2):
        await _revoke(database, clock, estate, unit_id, letter.id)
    async with database.reading() as session:
        with pytest.raises(Refused, match="This letter was taken back"):
            await unit_codes.look_up(session, clock, code=code)
        actions = list(await session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))
    assert isinstance(await _redeem(database, clock, code), Refused)
    assert actions.count("properties.unit_code_revoked") == 1


async def test_a_letter_by_which_somebody_is_in_is_not_taken_back(
    database: Database, clock: FixedClock, estate: Estate, unit_id: int
) -> None:
    code = await _issue(database, clock, estate, unit_id)
    (letter,) = await _letters(database, clock, estate, unit_id)
    await _redeem(database, clock, code)
    with pytest.raises(Conflict):
        await _revoke(database, clock, estate, unit_id, letter.id)


async def test_a_letter_is_taken_back_from_its_own_unit_by_the_desk_alone(
    database: Database, clock: FixedClock, estate: Estate, unit_id: int
) -> None:
    await _issue(database, clock, estate, unit_id)
    (letter,) = await _letters(database, clock, estate, unit_id)
    async with database.transaction() as session:
        with pytest.raises(Forbidden):
            await unit_codes.revoke(
                session, clock, estate.principals[Role.WORKER], unit_id=unit_id, letter_id=letter.id
            )
    with pytest.raises(NotFound):
        await _revoke(database, clock, estate, unit_id, letter.id + 1)
    with pytest.raises(NotFound):
        await _revoke(database, clock, estate, unit_id + 1, letter.id)

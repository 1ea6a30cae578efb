import asyncio

import pytest
from sqlalchemy import select

from cloud.accounts import people, service, telephones
from cloud.accounts.tables import PersonRow
from cloud.core.audit import AuditEntry
from cloud.core.database import Database
from cloud.core.errors import Conflict, Forbidden, NotFound, Refused
from cloud.core.principal import Principal, Role
from tests.clocks import FixedClock
from tests.cloud.estate import PASSWORD, Estate

PHONE = "+8613800000001"


async def _enrol(
    database: Database, clock: FixedClock, principal: Principal, *, name: str = "张三", phone: str | None = PHONE
) -> int:
    async with database.transaction() as session:
        return await telephones.enrol_owner(session, clock, principal, name=name, phone=phone)


async def _entries(database: Database) -> list[tuple[str, dict[str, object] | None, dict[str, object] | None]]:
    async with database.reading() as session:
        found = await session.scalars(select(AuditEntry).order_by(AuditEntry.id))
        return [(entry.action, entry.before, entry.after) for entry in found]


async def test_an_owner_found_twice_by_phone_is_one_person(
    database: Database, clock: FixedClock, estate: Estate
) -> None:
    desk = estate.principals[Role.DESK]
    first = await _enrol(database, clock, desk)
    second = await _enrol(database, clock, desk, name="张三丰", phone="138-0000-0001")
    async with database.reading() as session:
        assert await people.names(session, desk, [first, second]) == {first: "张三"}


async def test_two_desks_that_enrol_one_number_at_once_enrol_one_person(
    database: Database, clock: FixedClock, estate: Estate
) -> None:
    desk = estate.principals[Role.DESK]
    assert len(set(await asyncio.gather(*(_enrol(database, clock, desk) for _ in range(3))))) == 1


async def test_one_number_is_another_person_in_another_organisation(
    database: Database, clock: FixedClock, estate: Estate, neighbour: Estate
) -> None:
    here = await _enrol(database, clock, estate.principals[Role.DESK])
    assert await _enrol(database, clock, neighbour.principals[Role.DESK]) != here


async def test_who_has_no_number_is_somebody_new_each_time(
    database: Database, clock: FixedClock, estate: Estate
) -> None:
    desk = estate.principals[Role.DESK]
    assert await _enrol(database, clock, desk, phone=None) != await _enrol(database, clock, desk, phone=None)


async def test_a_colleague_who_lives_here_gets_the_role_beside_theirs(
    database: Database, clock: FixedClock, estate: Estate
) -> None:
    async with database.transaction() as session:
        invited = await people.add_person(
            session,
            clock,
            estate.administrator,
            login="lin.ba",
            name="林八",
            roles=frozenset({Role.WORKER}),
            phone=PHONE,
        )
    assert await _enrol(database, clock, estate.administrator) == invited.person_id
    async with database.transaction() as session:
        await people.change_person(
            session, clock, estate.administrator, invited.person_id, name="林八", roles=frozenset({Role.DESK}),
            communities=None, phone=PHONE,
        )  # fmt: skip
        found = await people.find_person(session, estate.administrator, invited.person_id)
    assert (found.roles, found.phone) == ({Role.DESK, Role.OWNER}, PHONE)


async def test_owners_are_no_staff(database: Database, clock: FixedClock, estate: Estate) -> None:
    owner = await _enrol(database, clock, estate.administrator)
    async with database.transaction() as session:
        listed = await people.list_people(session, estate.administrator)
        owners = await people.list_people(session, estate.administrator, role=Role.OWNER)
        assert owner not in {person.id for person in listed}
        assert owner in {person.id for person in owners}
        with pytest.raises(NotFound):
            await people.reset_password(session, clock, estate.administrator, owner)
        with pytest.raises(Refused):
            await people.add_person(
                session, clock, estate.administrator, login="own.er", name="x", roles=frozenset({Role.OWNER})
            )


async def test_a_colleagues_number_is_nobody_elses(database: Database, clock: FixedClock, estate: Estate) -> None:
    await _enrol(database, clock, estate.administrator)
    with pytest.raises(Conflict) as refused:
        async with database.transaction() as session:
            await people.add_person(
                session, clock, estate.administrator, login="lin.ba", name="林八", roles=frozenset({Role.DESK}),
                phone="13800000001",
            )  # fmt: skip
    assert (refused.value.field, refused.value.parameters["name"]) == ("phone", "张三")


async def test_another_number_ends_what_the_old_one_was_signed_in_with(
    database: Database, clock: FixedClock, estate: Estate
) -> None:
    owner = await _enrol(database, clock, estate.administrator)
    resident = estate.principals[Role.OWNER]
    async with database.transaction() as session:
        await service.sign_in(
            session, clock, login=estate.login(Role.OWNER), password=PASSWORD, address="::1", agent=""
        )
        await telephones.change_owner(
            session, clock, estate.administrator, resident.person_id or 0, name="冯九", phone="13800000009"
        )
        assert await service.list_sessions(session, clock, resident) == []
        with pytest.raises(Conflict):
            await telephones.change_owner(session, clock, estate.administrator, owner, name="张三", phone="13800000009")
    assert ("accounts.owner_changed", {"phone": None}, {"phone": "138****0009"}) in await _entries(database)


async def test_a_colleagues_other_number_ends_what_the_old_one_was_signed_in_with(
    database: Database, clock: FixedClock, estate: Estate
) -> None:
    worker = estate.principals[Role.WORKER]
    async with database.transaction() as session:
        row = await session.get_one(PersonRow, worker.person_id)
        row.phone, row.roles = PHONE, row.roles | {Role.OWNER}
        await service.begin(session, clock, row, address="::1", agent="at work")
        await service.begin(session, clock, row, address="::1", agent="at home", is_by_code=True)
    async with database.transaction() as session:
        await people.change_person(
            session, clock, estate.administrator, worker.person_id or 0, name=worker.name, roles=worker.roles,
            communities=None, phone="+8613870000001",
        )  # fmt: skip
        left = await service.list_sessions(session, clock, worker)
    assert [each.agent for each in left] == ["at work"]
    assert (await _entries(database))[-1] == ("accounts.person_changed", {}, {})


async def test_a_number_in_full_is_written_down_as_looked_at(
    database: Database, clock: FixedClock, estate: Estate, neighbour: Estate
) -> None:
    owner = await _enrol(database, clock, estate.administrator)
    async with database.transaction() as session:
        assert await telephones.reveal(session, clock, estate.principals[Role.WORKER], owner) == PHONE
        with pytest.raises(Forbidden):
            await telephones.reveal(session, clock, estate.principals[Role.OWNER], owner)
        with pytest.raises(NotFound):
            await telephones.reveal(session, clock, neighbour.administrator, owner)
    entries = await _entries(database)
    assert entries[-1] == ("accounts.phone_revealed", None, None)
    assert not any("13800000001" in str(entry) for entry in entries)


@pytest.mark.parametrize("role", [role for role in Role if role not in {Role.ADMINISTRATOR, Role.DESK}])
async def test_only_desk_and_administrators_enrol_and_change_owners(
    database: Database, clock: FixedClock, estate: Estate, role: Role
) -> None:
    resident = estate.principals[Role.OWNER].person_id or 0
    with pytest.raises(Forbidden):
        await _enrol(database, clock, estate.principals[role])
    with pytest.raises(Forbidden):
        async with database.transaction() as session:
            await telephones.change_owner(session, clock, estate.principals[role], resident, name="x", phone=None)

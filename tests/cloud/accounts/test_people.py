import asyncio

import pytest
from sqlalchemy import select

from cloud.accounts import people, service
from cloud.accounts.domain import Person, SignedIn
from cloud.core.audit import AuditEntry
from cloud.core.database import Database
from cloud.core.errors import Conflict, Forbidden, GatehouseError, NotFound, NotSignedIn, Refused
from cloud.core.principal import STAFF, Principal, Role
from tests.clocks import FixedClock
from tests.cloud.estate import PASSWORD, Estate

OTHERS = [role for role in Role if role is not Role.ADMINISTRATOR]


def _id(estate: Estate, role: Role) -> int:
    person_id = estate.principals[role].person_id
    assert person_id is not None
    return person_id


async def _add(
    database: Database, clock: FixedClock, principal: Principal, *, login: str = "zheng.qi", name: str = "郑七"
) -> people.Invited:
    async with database.transaction() as session:
        return await people.add_person(
            session, clock, principal, login=login, name=name, roles=frozenset({Role.WORKER, Role.DESK})
        )


async def _change(
    database: Database, clock: FixedClock, principal: Principal, person_id: int, *roles: Role, name: str = "新名"
) -> None:
    async with database.transaction() as session:
        await people.change_person(
            session, clock, principal, person_id, name=name, roles=frozenset(roles), communities=None, phone=None
        )


async def _deactivate(database: Database, clock: FixedClock, principal: Principal, person_id: int) -> None:
    async with database.transaction() as session:
        await people.deactivate_person(session, clock, principal, person_id)


async def _find(database: Database, principal: Principal, person_id: int) -> Person:
    async with database.reading() as session:
        return await people.find_person(session, principal, person_id)


async def test_who_is_added_signs_in_with_the_one_time_password(
    database: Database, clock: FixedClock, estate: Estate
) -> None:
    invited = await _add(database, clock, estate.administrator)
    person = await _find(database, estate.administrator, invited.person_id)
    assert (person.login, person.name, person.roles) == ("zheng.qi", "郑七", {Role.WORKER, Role.DESK})
    async with database.transaction() as session:
        outcome = await service.sign_in(
            session, clock, login="zheng.qi", password=invited.one_time_password, address="::1", agent=""
        )
    assert isinstance(outcome, SignedIn)
    assert outcome.must_change_password


async def test_people_are_found_by_role_and_by_id(database: Database, clock: FixedClock, estate: Estate) -> None:
    invited = await _add(database, clock, estate.administrator)
    desk, worker = _id(estate, Role.DESK), _id(estate, Role.WORKER)
    async with database.reading() as session:
        workers = await people.list_people(session, estate.administrator, role=Role.WORKER)
        named = await people.names(session, estate.administrator, [desk, 999_999])
    assert {person.id for person in workers} == {worker, invited.person_id}
    assert named == {desk: "孙三"}


async def test_nobody_sees_a_neighbours_people(
    database: Database, clock: FixedClock, estate: Estate, neighbour: Estate
) -> None:
    desk = _id(estate, Role.DESK)
    async with database.reading() as session:
        listed = await people.list_people(session, neighbour.administrator)
        assert {person.id for person in listed} == {neighbour.principals[role].person_id for role in STAFF}
        assert await people.names(session, neighbour.administrator, [desk]) == {}
    for attempt in (
        _find(database, neighbour.administrator, desk),
        _change(database, clock, neighbour.administrator, desk, Role.DESK),
        _deactivate(database, clock, neighbour.administrator, desk),
    ):
        with pytest.raises(NotFound):
            await attempt


@pytest.mark.parametrize("role", OTHERS)
async def test_only_an_administrator_may_change_people(
    database: Database, clock: FixedClock, estate: Estate, role: Role
) -> None:
    principal, desk = estate.principals[role], _id(estate, Role.DESK)

    async def reset() -> None:
        async with database.transaction() as session:
            await people.reset_password(session, clock, principal, desk)

    async def reactivate() -> None:
        async with database.transaction() as session:
            await people.reactivate_person(session, clock, principal, desk)

    for attempt in (
        _add(database, clock, principal),
        _change(database, clock, principal, desk, Role.ADMINISTRATOR),
        _deactivate(database, clock, principal, desk),
        reset(),
        reactivate(),
    ):
        with pytest.raises(Forbidden):
            await attempt


@pytest.mark.parametrize(
    ("login", "name", "field"),
    [
        pytest.param("ab", "郑七", "login", id="short login"),
        pytest.param("two words", "郑七", "login", id="login with a space"),
        pytest.param("zheng.qi", "  ", "name", id="no name"),
        pytest.param("zheng.qi", "郑" * 81, "name", id="long name"),
    ],
)
async def test_what_cannot_be_a_login_or_a_name_is_refused_by_its_field(
    database: Database, clock: FixedClock, estate: Estate, login: str, name: str, field: str
) -> None:
    with pytest.raises(Refused) as refused:
        await _add(database, clock, estate.administrator, login=login, name=name)
    assert refused.value.field == field


async def test_a_login_is_taken_once_over_all_organisations(
    database: Database, clock: FixedClock, estate: Estate, neighbour: Estate
) -> None:
    await _add(database, clock, estate.administrator)
    with pytest.raises(Conflict, match=r"The login ZHENG\.qi is taken"):
        await _add(database, clock, neighbour.administrator, login="ZHENG.qi")


async def test_somebody_without_a_role_is_refused(database: Database, clock: FixedClock, estate: Estate) -> None:
    with pytest.raises(Refused, match="at least one role"):
        await _change(database, clock, estate.administrator, _id(estate, Role.DESK))


async def test_an_open_session_has_the_new_roles_at_once(database: Database, clock: FixedClock, estate: Estate) -> None:
    async with database.transaction() as session:
        signed_in = await service.sign_in(
            session, clock, login=estate.login(Role.DESK), password=PASSWORD, address="::1", agent=""
        )
    assert isinstance(signed_in, SignedIn)
    await _change(database, clock, estate.administrator, _id(estate, Role.DESK), Role.MANAGER)
    async with database.reading() as session:
        visit = await service.resume(session, clock, token=signed_in.token)
    assert visit.principal.roles == {Role.MANAGER}


async def test_who_is_deactivated_is_out_at_once_and_back_with_a_new_password(
    database: Database, clock: FixedClock, estate: Estate
) -> None:
    async with database.transaction() as session:
        signed_in = await service.sign_in(
            session, clock, login=estate.login(Role.DESK), password=PASSWORD, address="::1", agent=""
        )
    assert isinstance(signed_in, SignedIn)
    await _deactivate(database, clock, estate.administrator, _id(estate, Role.DESK))
    async with database.reading() as session:
        with pytest.raises(NotSignedIn):
            await service.resume(session, clock, token=signed_in.token)
    async with database.transaction() as session:
        invited = await people.reactivate_person(session, clock, estate.administrator, _id(estate, Role.DESK))
    async with database.transaction() as session:
        again = await service.sign_in(
            session,
            clock,
            login=estate.login(Role.DESK),
            password=invited.one_time_password,
            address="::1",
            agent="",
        )
    assert isinstance(again, SignedIn)


async def test_the_last_administrator_cannot_be_removed(database: Database, clock: FixedClock, estate: Estate) -> None:
    administrator = _id(estate, Role.ADMINISTRATOR)
    with pytest.raises(Refused, match="needs an administrator"):
        await _deactivate(database, clock, estate.administrator, administrator)
    with pytest.raises(Refused, match="needs an administrator"):
        await _change(database, clock, estate.administrator, administrator, Role.DESK)
    await _change(database, clock, estate.administrator, _id(estate, Role.DESK), Role.ADMINISTRATOR)
    await _deactivate(database, clock, estate.administrator, administrator)


async def test_two_administrators_who_remove_each_other_at_once_do_not_both_succeed(
    database: Database, clock: FixedClock, estate: Estate
) -> None:
    one, two = _id(estate, Role.ADMINISTRATOR), _id(estate, Role.DESK)
    await _change(database, clock, estate.administrator, two, Role.ADMINISTRATOR)
    outcomes = await asyncio.gather(
        _deactivate(database, clock, estate.administrator, one),
        _deactivate(database, clock, estate.administrator, two),
        return_exceptions=True,
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NoneType", "Refused"]
    assert all(isinstance(outcome, GatehouseError | None) for outcome in outcomes)


async def test_every_change_is_audited_with_what_was_and_what_is(
    database: Database, clock: FixedClock, estate: Estate
) -> None:
    desk = _id(estate, Role.DESK)
    await _change(database, clock, estate.administrator, desk, Role.MANAGER, name="孙三")
    await _change(database, clock, estate.administrator, desk, Role.MANAGER, name="孙三")
    await _deactivate(database, clock, estate.administrator, desk)
    async with database.transaction() as session:
        await people.reset_password(session, clock, estate.administrator, desk)
    async with database.reading() as session:
        entries = (await session.scalars(select(AuditEntry).order_by(AuditEntry.id))).all()
    assert {(entry.person_id, entry.actor, entry.subject) for entry in entries} == {
        (_id(estate, Role.ADMINISTRATOR), "赵一", f"person:{desk}")
    }
    assert [(entry.action, entry.before, entry.after) for entry in entries] == [
        ("accounts.person_changed", {"roles": ["desk"]}, {"roles": ["manager"]}),
        ("accounts.person_deactivated", {"is_active": True}, {"is_active": False}),
        ("accounts.password_reset", None, None),
    ]

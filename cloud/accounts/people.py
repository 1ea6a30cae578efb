"""Who works for an organisation: adding, changing and letting them go, which is an administrator's work."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import passwords, tables, telephones
from cloud.accounts.domain import ONE_TIME, Person, PersonLeft, check_login, check_name, check_roles, login_key
from cloud.accounts.passwords import OneTime
from cloud.accounts.phones import masked
from cloud.accounts.tables import PersonRow
from cloud.core import audit, exports
from cloud.core.clock import Clock
from cloud.core.errors import Conflict, NotFound, Refused
from cloud.core.listing import Ask, Found, fetch
from cloud.core.outbox import emit
from cloud.core.principal import STAFF, Principal, Role
from firmware_configs.look.words import _

ROLES = "roles"
"""The column of people's lists that holds several values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invited:
    """A person whose password somebody must now tell them; it is shown this once and kept nowhere."""

    person_id: int
    one_time_password: str


async def list_people(
    session: AsyncSession, principal: Principal, *, role: Role | None = None, ids: Collection[int] | None = None
) -> Sequence[Person]:
    """Return the organisation's staff by name: with `role` the active people who have it, with `ids` these people.

    Owners are among them only when they are asked for: by their role, or by their ids.
    """
    rows = await tables.people(session, principal.organisation_id, role=role, ids=ids)
    return [row.as_person for row in rows]


async def ask_for_people(session: AsyncSession, principal: Principal, ask: Ask) -> Found[Person]:
    """Return the stretch of the organisation's staff that `ask` wants; a filter on ROLES is one on having them.

    Raises:
        Forbidden: the principal is no administrator.
    """
    principal.require(Role.ADMINISTRATOR)
    roles = [Role(value) for part in ask.filters if part.column == ROLES for value in part.values]
    others = tuple(part for part in ask.filters if part.column != ROLES)
    listing = tables.people_listing(principal.organisation_id, roles=roles)
    found = await fetch(session, listing, replace(ask, filters=others))
    return found.of([row.PersonRow.as_person for row in found.rows])


async def names(session: AsyncSession, principal: Principal, person_ids: Collection[int]) -> dict[int, str]:
    """Return the names of these people by id; ids of nobody in the organisation are left out."""
    return {person.id: person.name for person in await list_people(session, principal, ids=person_ids)}


async def find_person(session: AsyncSession, principal: Principal, person_id: int) -> Person:
    """Return one of the organisation's staff.

    Raises:
        NotFound: there is none.
    """
    return (await _find(session, principal, person_id)).as_person


async def add_person(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    *,
    login: str,
    name: str,
    roles: frozenset[Role],
    communities: frozenset[int] | None = None,
    phone: str | None = None,
    password: OneTime | None = None,
) -> Invited:
    """Add somebody, who signs in with a one-time password and then chooses their own.

    Whoever adds many draws their passwords before the transaction, which hashing would hold up, and gives them in.

    Raises:
        Forbidden: the principal is no administrator.
        Refused: login, name, roles or phone can't be.
        Conflict: the login is taken, here or in another organisation; or the phone is somebody else's.
    """
    principal.require(Role.ADMINISTRATOR)
    login = check_login(login)
    if await tables.person_by_login(session, login_key(login)) is not None:
        raise Conflict(_("The login %(login)s is taken. Choose another."), field="login", login=login)
    drawn = password or await passwords.draw()
    person = PersonRow(
        organisation_id=principal.organisation_id,
        login=login,
        login_key=login_key(login),
        phone=await telephones.free(session, principal, phone, person_id=None),
        name=check_name(name),
        roles=check_roles(roles),
        communities=_listed(communities),
        password_hash=drawn.hash,
        one_time_until=clock.now() + ONE_TIME,
        created_at=clock.now(),
    )
    session.add(person)
    await session.flush()
    _record(session, clock, principal, "accounts.person_added", person, after=_state(person))
    return Invited(person_id=person.id, one_time_password=drawn.text)


async def change_person(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    person_id: int,
    *,
    name: str,
    roles: frozenset[Role],
    communities: frozenset[int] | None,
    phone: str | None,
) -> None:
    """Change what somebody is called, may do and may see, and their number; their open sessions follow at once.

    Who may see less from now on loses the lists that they had written as files. With another number all that they are
    signed in with by the old one ends.
    Who owns a unit or lives in one keeps that role, which is no administrator's to take.

    Raises:
        Forbidden: the principal is no administrator.
        NotFound: there is no such person.
        Refused: name, roles or phone can't be, or nobody would be left to administer the organisation.
        Conflict: the phone is somebody else's.
    """
    principal.require(Role.ADMINISTRATOR)
    person = await _find(session, principal, person_id)
    if Role.ADMINISTRATOR not in roles:
        await _keep_an_administrator(session, person)
    before, saw = _state(person), person.as_person
    person.name, person.communities = check_name(name), _listed(communities)
    person.roles = check_roles(roles) | (person.roles - STAFF)
    if not _sees_all_of(person.as_person, saw):
        await exports.withdraw(session, clock, principal, person_id=person.id)
    number = await telephones.free(session, principal, phone, person_id=person.id)
    has_another = number != person.phone
    person.phone = number
    if has_another:
        await tables.end_code_sessions(session, principal.organisation_id, person.id)
    was, is_now = audit.changed(before, _state(person))
    if is_now or has_another:  # another number may be masked alike
        _record(session, clock, principal, "accounts.person_changed", person, before=was, after=is_now)


async def deactivate_person(session: AsyncSession, clock: Clock, principal: Principal, person_id: int) -> None:
    """Let somebody sign in no more, and tell of it; what they did keeps their name.

    Raises:
        Forbidden: the principal is no administrator.
        NotFound: there is no such person.
        Refused: nobody would be left to administer the organisation.
    """
    principal.require(Role.ADMINISTRATOR)
    person = await _find(session, principal, person_id)
    if not person.is_active:
        return
    await _keep_an_administrator(session, person)
    person.is_active = False
    await tables.end_sessions(session, principal.organisation_id, person.id)
    before, after = {"is_active": True}, {"is_active": False}
    _record(session, clock, principal, "accounts.person_deactivated", person, before=before, after=after)
    await emit(session, clock, PersonLeft(organisation_id=principal.organisation_id, person_id=person.id))


async def reactivate_person(session: AsyncSession, clock: Clock, principal: Principal, person_id: int) -> Invited:
    """Let somebody sign in again, with a one-time password.

    Raises:
        Forbidden: the principal is no administrator.
        NotFound: there is no such person.
    """
    invited = await reset_password(session, clock, principal, person_id)
    person = await _find(session, principal, person_id)
    if not person.is_active:
        person.is_active = True
        before, after = {"is_active": False}, {"is_active": True}
        _record(session, clock, principal, "accounts.person_reactivated", person, before=before, after=after)
    return invited


async def reset_password(session: AsyncSession, clock: Clock, principal: Principal, person_id: int) -> Invited:
    """Give somebody a one-time password in place of theirs, and end their sessions.

    Raises:
        Forbidden: the principal is no administrator.
        NotFound: there is no such person.
    """
    principal.require(Role.ADMINISTRATOR)
    person = await _find(session, principal, person_id)
    drawn = await passwords.draw()
    person.password_hash = drawn.hash
    person.one_time_until = clock.now() + ONE_TIME
    await tables.end_sessions(session, principal.organisation_id, person.id)
    _record(session, clock, principal, "accounts.password_reset", person)
    return Invited(person_id=person.id, one_time_password=drawn.text)


async def _find(session: AsyncSession, principal: Principal, person_id: int) -> PersonRow:
    person = await tables.person_by_id(session, principal.organisation_id, person_id)
    if person is None or not person.roles & STAFF:
        raise NotFound(_("There is no such person."))
    return person


async def _keep_an_administrator(session: AsyncSession, person: PersonRow) -> None:
    if Role.ADMINISTRATOR not in person.roles or not person.is_active:
        return
    if not await tables.other_administrators(session, person.organisation_id, than=person.id):
        raise Refused(_("An organisation needs an administrator: give somebody else the role first."), field="roles")


def _state(person: PersonRow) -> dict[str, object]:
    return {
        "login": person.login,
        "name": person.name,
        "roles": sorted(person.roles),
        "phone": masked(person.phone) if person.phone else None,
        "communities": person.communities,
    }


def _listed(communities: frozenset[int] | None) -> list[int] | None:
    return sorted(communities) if communities is not None else None


def _record(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    action: str,
    person: PersonRow,
    *,
    before: audit.State | None = None,
    after: audit.State | None = None,
) -> None:
    audit.record(session, clock, principal, action=action, subject=f"person:{person.id}", before=before, after=after)


def _sees_all_of(person: Person, before: Person) -> bool:
    """Return whether somebody has every role and sees every community that they did."""
    has_roles = person.roles >= before.roles
    if person.communities is None or before.communities is None:
        return has_roles and person.communities is None
    return has_roles and person.communities >= before.communities

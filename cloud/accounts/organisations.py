"""Organisations: founding one, and what it is called."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import passwords, tables
from cloud.accounts.domain import (
    Organisation,
    check_login,
    check_name,
    check_password,
    check_time_zone,
    login_key,
)
from cloud.accounts.tables import OrganisationRow, PersonRow
from cloud.core import audit
from cloud.core.clock import Clock
from cloud.core.errors import Conflict, NotFound
from cloud.core.principal import Principal, Role
from firmware_configs.look.words import _

DEFAULT_TIME_ZONE = "Asia/Shanghai"


@dataclass(frozen=True, slots=True, kw_only=True)
class Founded:
    """A new organisation and its first administrator."""

    organisation_id: int
    person_id: int


async def found_organisation(
    session: AsyncSession,
    clock: Clock,
    *,
    name: str,
    login: str,
    password: str,
    administrator: str | None = None,
    time_zone: str = DEFAULT_TIME_ZONE,
) -> Founded:
    """Found an organisation with its first administrator; done at the command line, where nobody is signed in.

    Raises:
        Refused: a name, the login, the password or the time zone can't be.
        Conflict: the login is taken.
    """
    login = check_login(login)
    check_password(password, login=login)
    if await tables.person_by_login(session, login_key(login)) is not None:
        raise Conflict(_("The login %(login)s is taken. Choose another."), field="login", login=login)
    now = clock.now()
    organisation = OrganisationRow(name=check_name(name), time_zone=check_time_zone(time_zone), created_at=now)
    session.add(organisation)
    await session.flush()
    person = PersonRow(
        organisation_id=organisation.id,
        login=login,
        login_key=login_key(login),
        name=check_name(administrator or login),
        roles=frozenset({Role.ADMINISTRATOR}),
        password_hash=await passwords.hash_password(password),
        created_at=now,
    )
    session.add(person)
    await session.flush()
    founder = Principal.system(organisation.id)
    after = {"name": organisation.name, "administrator": login}
    subject = f"organisation:{organisation.id}"
    audit.record(session, clock, founder, action="accounts.organisation_founded", subject=subject, after=after)
    return Founded(organisation_id=organisation.id, person_id=person.id)


async def find_organisation(session: AsyncSession, principal: Principal) -> Organisation:
    """Return the principal's organisation."""
    return (await tables.organisation_by_id(session, principal.organisation_id)).as_organisation


async def desk_organisation(session: AsyncSession, organisation_id: int | None) -> int:
    """Return the organisation to whose desk something comes from outside: the named one, else the only one.

    Raises:
        NotFound: there is none of this number, or several and none is named.
    """
    ids = await tables.organisation_ids(session)
    if organisation_id is None and len(ids) != 1:
        raise NotFound(_("There are several organisations: name the one whose desk it is for in the settings."))
    wanted = ids[0] if organisation_id is None else organisation_id
    if wanted not in ids:
        raise NotFound(_("There is no organisation %(number)d: name another one in the settings."), number=wanted)
    return wanted


async def change_organisation(
    session: AsyncSession, clock: Clock, principal: Principal, *, name: str, time_zone: str
) -> None:
    """Change what the organisation is called and which local time it keeps.

    Raises:
        Forbidden: the principal is no administrator.
        Refused: the name or the time zone can't be.
    """
    principal.require(Role.ADMINISTRATOR)
    row = await tables.organisation_by_id(session, principal.organisation_id)
    before = {"name": row.name, "time_zone": row.time_zone}
    row.name, row.time_zone = check_name(name), check_time_zone(time_zone)
    was, is_now = audit.changed(before, {"name": row.name, "time_zone": row.time_zone})
    if is_now:
        subject = f"organisation:{row.id}"
        audit.record(
            session, clock, principal, action="accounts.organisation_changed", subject=subject, before=was, after=is_now
        )

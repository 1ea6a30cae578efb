"""Many people at once: enrolling the owners of a whole community, and taking back those whom nothing speaks of yet."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts.domain import login_key
from cloud.accounts.phones import masked
from cloud.accounts.tables import PersonRow
from cloud.core import audit
from cloud.core.clock import Clock
from cloud.core.errors import Conflict
from cloud.core.principal import Principal, Role
from firmware_configs.look.words import _


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """Somebody who is an owner now.

    Attributes:
        is_new: nobody had the number before.
        has_new_role: they were known, and are an owner only now.
    """

    person_id: int
    is_new: bool
    has_new_role: bool


async def enrol_owners(
    session: AsyncSession, clock: Clock, principal: Principal, owners: Sequence[tuple[str, str | None]]
) -> list[Enrolled]:
    """Return who the owners are, each a name and a number in E.164; see telephones.enrol_owner for one alone.

    Who stands there twice by the same number is enrolled once.

    Raises:
        Forbidden: the principal is neither at the desk nor an administrator.
        Conflict: one of the numbers was given to somebody meanwhile.
    """
    principal.require(Role.DESK)
    known = await people_by_phone(session, principal, {phone for _name, phone in owners if phone})
    rows: dict[str | int, PersonRow] = {}
    before = {phone: row.roles for phone, row in known.items()}
    for position, (name, phone) in enumerate(owners):
        row = known.get(phone or "") or rows.get(phone or position)
        if row is None:
            row = PersonRow(
                organisation_id=principal.organisation_id, name=name, phone=phone, roles=frozenset({Role.OWNER}),
                created_at=clock.now(),
            )  # fmt: skip
            session.add(row)
        row.roles |= {Role.OWNER}
        rows[phone or position] = row
    try:
        await session.flush()
    except IntegrityError as error:
        raise Conflict(_("One of the numbers was given to somebody meanwhile: look at the table again.")) from error
    enrolled = []
    for position, (_name, phone) in enumerate(owners):
        row = rows[phone or position]
        roles = before.get(phone or "")
        enrolled.append(
            Enrolled(
                person_id=row.id,
                is_new=roles is None,
                has_new_role=roles is not None and Role.OWNER not in roles,
            )
        )
    _record(session, clock, principal, {row.id: row for row in rows.values()}, enrolled)
    return enrolled


async def take_back(
    session: AsyncSession, clock: Clock, principal: Principal, *, added: Collection[int], given_role: Collection[int]
) -> None:
    """Remove people who were added, and the owner's role from those who were given it, as if they had never been.

    Raises:
        Forbidden: the principal is no administrator.
        Conflict: somebody has signed in, or is spoken of elsewhere.
    """
    principal.require(Role.ADMINISTRATOR)
    ours = PersonRow.organisation_id == principal.organisation_id
    for row in await session.scalars(select(PersonRow).where(ours, PersonRow.id.in_(given_role))):
        row.roles -= {Role.OWNER}
    names = {row.id: row.name for row in await session.scalars(select(PersonRow).where(ours, PersonRow.id.in_(added)))}
    try:
        await session.flush()
        await session.execute(delete(PersonRow).where(ours, PersonRow.id.in_(added)))
    except IntegrityError as error:
        sentence = _("Somebody of these has signed in or is spoken of elsewhere by now. Nothing was undone.")
        raise Conflict(sentence) from error
    for person_id, name in names.items():
        audit.record(
            session,
            clock,
            principal,
            action="accounts.person_taken_back",
            subject=f"person:{person_id}",
            before={"name": name},
        )


async def people_by_phone(
    session: AsyncSession, principal: Principal, phones: Collection[str]
) -> Mapping[str, PersonRow]:
    """Return who of the organisation has which of these numbers."""
    rows = await session.scalars(
        select(PersonRow).where(PersonRow.organisation_id == principal.organisation_id, PersonRow.phone.in_(phones))
    )
    return {row.phone: row for row in rows if row.phone is not None}


async def contacts(session: AsyncSession, principal: Principal, person_ids: Collection[int]) -> dict[int, str]:
    """Return by what these people are told apart: the number, or the name of those who have none."""
    rows = await session.scalars(
        select(PersonRow).where(PersonRow.organisation_id == principal.organisation_id, PersonRow.id.in_(person_ids))
    )
    return {row.id: row.phone or row.name for row in rows}


async def names_by_login(session: AsyncSession, principal: Principal, logins: Collection[str]) -> dict[str, str | None]:
    """Return by login key whose of these logins are taken: the name here, None in another organisation."""
    keys = {login_key(login) for login in logins}
    # any organisation: a login is unique over all of them
    rows = await session.scalars(select(PersonRow).where(PersonRow.login_key.in_(keys)))
    ours = principal.organisation_id
    return {row.login_key or "": row.name if row.organisation_id == ours else None for row in rows}


def _record(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    rows: Mapping[int, PersonRow],
    enrolled: Sequence[Enrolled],
) -> None:
    for person_id in {each.person_id for each in enrolled if each.is_new or each.has_new_role}:
        row = rows[person_id]
        after = {"name": row.name, "phone": masked(row.phone) if row.phone else None}
        audit.record(
            session, clock, principal, action="accounts.owner_enrolled", subject=f"person:{person_id}", after=after
        )

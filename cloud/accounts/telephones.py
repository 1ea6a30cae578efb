"""People by their telephone number: one number is one person of an organisation, staff or owner."""

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import tables
from cloud.accounts.domain import check_name
from cloud.accounts.phones import check_phone, masked
from cloud.accounts.tables import PersonRow
from cloud.core import audit
from cloud.core.clock import Clock
from cloud.core.database import hold
from cloud.core.errors import Conflict, NotFound
from cloud.core.principal import STAFF, Principal, Role
from firmware_configs.look.words import _


async def enrol_owner(
    session: AsyncSession, clock: Clock, principal: Principal, *, name: str, phone: str | None
) -> int:
    """Return the id of who has the number, now with the owner's role; somebody new when nobody has it.

    Who is known keeps their name. Without a number it is always somebody new, who can't sign in.

    Raises:
        Forbidden: the principal is neither at the desk nor an administrator.
        Refused: name or phone can't be.
    """
    principal.require(Role.DESK)
    name, number = check_name(name), check_phone(phone) if phone else None
    if number is not None:
        await _hold(session, principal, number)
        known = await tables.person_by_phone(session, principal.organisation_id, number)
        if known is not None:
            _give_role(session, clock, principal, known)
            return known.id
    person = PersonRow(
        organisation_id=principal.organisation_id,
        name=name,
        phone=number,
        roles=frozenset({Role.OWNER}),
        created_at=clock.now(),
    )
    session.add(person)
    await session.flush()
    _record(session, clock, principal, "accounts.owner_enrolled", person, after=_state(person))
    return person.id


async def change_owner(
    session: AsyncSession, clock: Clock, principal: Principal, person_id: int, *, name: str, phone: str | None
) -> None:
    """Change what an owner is called and by which number they are reached and sign in.

    With another number all that they are signed in with by the old one ends. Staff are changed by administrators.

    Raises:
        Forbidden: the principal is neither at the desk nor an administrator.
        NotFound: there is no such owner, or it is somebody who works here.
        Refused: name or phone can't be.
        Conflict: the phone is somebody else's.
    """
    principal.require(Role.DESK)
    person = await _find_owner(session, principal, person_id)
    before, number = _state(person), await free(session, principal, phone, person_id=person.id)
    has_another = number != person.phone
    person.name, person.phone = check_name(name), number
    if has_another:
        await tables.end_sessions(session, principal.organisation_id, person.id)
    was, is_now = audit.changed(before, _state(person))
    if is_now or has_another:  # another number may be masked alike
        _record(session, clock, principal, "accounts.owner_changed", person, before=was, after=is_now)


async def reveal(session: AsyncSession, clock: Clock, principal: Principal, person_id: int) -> str | None:
    """Return somebody's number in full, which is written down; None when none is known.

    Raises:
        Forbidden: the principal does not work here.
        NotFound: there is no such person.
    """
    principal.require(*STAFF)
    person = await tables.person_by_id(session, principal.organisation_id, person_id)
    if person is None:
        raise NotFound(_("There is no such person."))
    if person.phone is not None:
        _record(session, clock, principal, "accounts.phone_revealed", person)
    return person.phone


async def own_phone(session: AsyncSession, principal: Principal) -> str | None:
    """Return the principal's own number in E.164; None when none is known."""
    person = await tables.person_by_id(session, principal.organisation_id, principal.person_id or 0)
    return person.phone if person is not None else None


async def free(session: AsyncSession, principal: Principal, phone: str | None, *, person_id: int | None) -> str | None:
    """Return the number in E.164, which nobody but `person_id` has and nobody takes meanwhile; None for none.

    Raises:
        Refused: it is no telephone number.
        Conflict: it is somebody else's.
    """
    if not phone:
        return None
    number = check_phone(phone)
    await _hold(session, principal, number)
    known = await tables.person_by_phone(session, principal.organisation_id, number)
    if known is not None and known.id != person_id:
        sentence = _("This number is already that of %(name)s.")
        raise Conflict(sentence, field="phone", name=known.name)
    return number


def _give_role(session: AsyncSession, clock: Clock, principal: Principal, person: PersonRow) -> None:
    if Role.OWNER in person.roles:
        return
    before = {"roles": sorted(person.roles)}
    person.roles |= {Role.OWNER}
    after = {"roles": sorted(person.roles)}
    _record(session, clock, principal, "accounts.owner_enrolled", person, before=before, after=after)


async def _find_owner(session: AsyncSession, principal: Principal, person_id: int) -> PersonRow:
    person = await tables.person_by_id(session, principal.organisation_id, person_id)
    if person is None or Role.OWNER not in person.roles or person.roles & STAFF:
        raise NotFound(_("There is no such person."))
    return person


async def _hold(session: AsyncSession, principal: Principal, phone: str) -> None:
    await hold(session, f"phone {principal.organisation_id} {phone}")


def _state(person: PersonRow) -> dict[str, object]:
    return {"name": person.name, "phone": masked(person.phone) if person.phone else None}


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

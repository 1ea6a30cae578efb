"""Signing in and out, the sessions in between, and one's own password."""

import hashlib
import secrets
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import passwords, tables, throttle
from cloud.accounts.domain import (
    SEEN_EVERY,
    Denied,
    OpenSession,
    SignedIn,
    Visit,
    check_password,
    login_key,
)
from cloud.accounts.tables import PersonRow, SessionRow
from cloud.accounts.throttle import Counter
from cloud.core import audit
from cloud.core.clock import Clock
from cloud.core.errors import NotFound, NotSignedIn, Refused
from cloud.core.principal import Principal, Role
from firmware_configs.look.words import _

_TOKEN_BYTES = 32


async def sign_in(
    session: AsyncSession, clock: Clock, *, login: str, password: str, address: str, agent: str
) -> SignedIn | Denied:
    """Begin a session for whoever has the login and the password.

    A wrong or too early try is returned, not raised: its failure counts only if the transaction is committed. It
    takes as long for a login that nobody has as for one that somebody has.
    """
    now = clock.now()
    counters = (Counter.of_login(login), Counter.of_address(address))
    too_early = await throttle.must_wait(session, counters, now)
    if too_early is not None:
        return Denied(reason=too_early)
    person = await tables.person_by_login(session, login_key(login))
    known_hash = person.password_hash if person is not None and person.is_active else None
    if not await passwords.matches(known_hash, password) or person is None or known_hash is None:
        await throttle.note_failure(session, counters, now)
        _audit_failure(session, clock, person, address=address)
        return Denied(reason=Refused(_("The login or the password is wrong."), field="password"))
    if person.one_time_until is not None and person.one_time_until < now:
        sentence = _("This one-time password has run out. Ask an administrator for a new one.")
        return Denied(reason=Refused(sentence, field="password"))
    await throttle.forgive(session, counters[0])
    if passwords.is_outdated(known_hash):
        person.password_hash = await passwords.hash_password(password)
    return await begin(session, clock, person, address=address, agent=agent)


async def resume(session: AsyncSession, clock: Clock, *, token: str) -> Visit:
    """Return the visit that a token stands for; changes nothing.

    Raises:
        NotSignedIn: the token is none, or its session has ended.
    """
    now = clock.now()
    found = await tables.open_session(session, _hash(token))
    if found is None:
        raise NotSignedIn(_("Your session has ended. Sign in again."))
    row, person = found
    if row.expires_at <= now or not person.is_active:
        raise NotSignedIn(_("Your session has ended. Sign in again."))
    return Visit(
        principal=_principal(person, is_by_code=row.is_by_code),
        session_id=row.id,
        expires_at=row.expires_at,
        must_change_password=person.one_time_until is not None and not row.is_by_code,
        is_due=now - row.seen_at >= SEEN_EVERY,
    )


async def note_visit(session: AsyncSession, clock: Clock, visit: Visit) -> None:
    """Note that a session was used, which puts off its end; asked for when the visit `is_due`."""
    row = await tables.session_by_id(session, visit.principal.organisation_id, visit.session_id)
    if row is not None:
        row.seen_at = clock.now()


async def sign_out(session: AsyncSession, clock: Clock, *, token: str) -> None:
    """End the session behind a token; one that has ended already is left so."""
    found = await tables.open_session(session, _hash(token))
    if found is None:
        return
    row, person = found
    await session.delete(row)
    principal = _principal(person, is_by_code=row.is_by_code)
    audit.record(session, clock, principal, action="accounts.signed_out", subject=f"person:{person.id}")


async def list_sessions(
    session: AsyncSession, clock: Clock, principal: Principal, *, own_session_id: int | None = None
) -> Sequence[OpenSession]:
    """Return where the principal is signed in, the session used last first."""
    if principal.person_id is None:
        return []
    return await _open_sessions(session, clock, principal, person_id=principal.person_id, own_session_id=own_session_id)


async def list_sessions_of(
    session: AsyncSession, clock: Clock, principal: Principal, person_id: int, *, own_session_id: int | None = None
) -> Sequence[OpenSession]:
    """Return where somebody of the organisation is signed in, the session used last first.

    Raises:
        Forbidden: the principal is no administrator.
    """
    principal.require(Role.ADMINISTRATOR)
    return await _open_sessions(session, clock, principal, person_id=person_id, own_session_id=own_session_id)


async def end_session(session: AsyncSession, clock: Clock, principal: Principal, *, session_id: int) -> None:
    """End one of the principal's own sessions; an administrator ends anybody's in the organisation.

    Raises:
        NotFound: there is none, or it is not the principal's to end.
    """
    row = await tables.session_by_id(session, principal.organisation_id, session_id)
    if row is None or (row.person_id != principal.person_id and Role.ADMINISTRATOR not in principal.roles):
        raise NotFound(_("There is no such session."))
    await session.delete(row)
    audit.record(session, clock, principal, action="accounts.session_ended", subject=f"person:{row.person_id}")


async def change_password(
    session: AsyncSession, clock: Clock, principal: Principal, *, session_id: int, current: str, new: str
) -> Denied | None:
    """Change one's own password and end all other sessions; None when it is done.

    A wrong current password is returned, not raised, because it counts like a failed sign-in.

    Raises:
        Refused: the new password is too easy, or the old one, or the principal signs in by telephone alone.
    """
    person = await _own(session, principal)
    if person.login is None:
        raise Refused(_("You sign in with your telephone: there is no password to change."))
    counters = (Counter.of_login(person.login),)
    too_early = await throttle.must_wait(session, counters, clock.now())
    if too_early is not None:
        return Denied(reason=too_early)
    check_password(new, login=person.login)
    if new == current:
        raise Refused(_("The new password must differ from the present one."), field="password")
    if not await passwords.matches(person.password_hash, current):
        await throttle.note_failure(session, counters, clock.now())
        return Denied(reason=Refused(_("This is not your present password."), field="current"))
    person.password_hash = await passwords.hash_password(new)
    person.one_time_until = None
    await tables.end_sessions(session, principal.organisation_id, person.id, but=session_id)
    audit.record(session, clock, principal, action="accounts.password_changed", subject=f"person:{person.id}")
    return None


async def forget_old(session: AsyncSession, clock: Clock) -> None:
    """Delete sessions that have ended and failures that no longer count; a job."""
    await tables.forget_old(session, clock.now())


async def begin(
    session: AsyncSession, clock: Clock, person: PersonRow, *, address: str, agent: str, is_by_code: bool = False
) -> SignedIn:
    """Begin a session for a person who has proved to be who they are."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    now = clock.now()
    row = SessionRow(
        organisation_id=person.organisation_id,
        person_id=person.id,
        token_hash=_hash(token),
        created_at=now,
        seen_at=now,
        address=address[:45],
        agent=agent[:200],
        is_by_code=is_by_code,
    )
    session.add(row)
    person.signed_in_at = now
    principal = _principal(person, is_by_code=is_by_code)
    state = {"address": address}
    audit.record(session, clock, principal, action="accounts.signed_in", subject=f"person:{person.id}", after=state)
    return SignedIn(
        token=token,
        principal=principal,
        expires_at=row.expires_at,
        must_change_password=person.one_time_until is not None and not is_by_code,
    )


async def _open_sessions(
    session: AsyncSession, clock: Clock, principal: Principal, *, person_id: int, own_session_id: int | None
) -> Sequence[OpenSession]:
    rows = await tables.open_sessions(session, principal.organisation_id, person_id)
    return [
        OpenSession(
            id=row.id,
            person_id=row.person_id,
            created_at=row.created_at,
            seen_at=row.seen_at,
            expires_at=row.expires_at,
            address=row.address,
            agent=row.agent,
            is_own=row.id == own_session_id,
        )
        for row in rows
        if row.expires_at > clock.now()
    ]


async def _own(session: AsyncSession, principal: Principal) -> PersonRow:
    person = await tables.person_by_id(session, principal.organisation_id, principal.person_id or 0)
    if person is None:
        raise NotFound(_("There is no such person."))
    return person


def _principal(person: PersonRow, *, is_by_code: bool) -> Principal:
    """Return who a person is for every query: by a telephone's code an owner, with a one-time password without a role.

    A code proves a telephone, which is less than a password: it opens no staff page to a colleague who lives here.
    """
    chosen = person.roles if person.one_time_until is None else frozenset()
    return Principal(
        organisation_id=person.organisation_id,
        person_id=person.id,
        name=person.name,
        roles=person.roles & {Role.OWNER} if is_by_code else chosen,
        communities=frozenset(person.communities) if person.communities is not None else None,
    )


def _audit_failure(session: AsyncSession, clock: Clock, person: PersonRow | None, *, address: str) -> None:
    if person is None:  # a login that nobody has belongs to no organisation's audit
        return
    nobody = Principal(organisation_id=person.organisation_id, name="?")
    state = {"address": address}
    audit.record(session, clock, nobody, action="accounts.sign_in_failed", subject=f"person:{person.id}", after=state)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

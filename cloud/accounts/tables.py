"""The rows of organisations and people, and the only SQL on them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import (
    ColumnElement,
    Dialect,
    ForeignKey,
    String,
    Table,
    UniqueConstraint,
    and_,
    delete,
    func,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from cloud.accounts.domain import (
    ABSOLUTE,
    FAILURES_REMEMBERED,
    IDLE,
    OWNER_ABSOLUTE,
    OWNER_IDLE,
    Organisation,
    Person,
    expires_at,
)
from cloud.accounts.phones import LENGTH as PHONE_LENGTH
from cloud.core.database import Base, Json, hold
from cloud.core.listing import Listing
from cloud.core.principal import Role
from cloud.core.search import search_index


class Roles(TypeDecorator[frozenset[Role]]):
    """Roles as `,desk,worker,`: a row of their own each would cost every request another query."""

    impl = String(120)
    cache_ok = True

    def process_bind_param(self, value: frozenset[Role] | None, _dialect: Dialect) -> str | None:
        return f",{','.join(sorted(value))}," if value is not None else None

    def process_result_value(self, value: str | None, _dialect: Dialect) -> frozenset[Role] | None:
        return frozenset(Role(name) for name in value.strip(",").split(",")) if value is not None else None


class OrganisationRow(Base):
    """A property management company."""

    __tablename__ = "organisations"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    time_zone: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime]

    @property
    def as_organisation(self) -> Organisation:
        """Return the row as a plain value."""
        return Organisation(id=self.id, name=self.name, time_zone=self.time_zone)


class PersonRow(Base):
    """Somebody who works for an organisation, or who owns or lives in one of its units.

    Attributes:
        login_key: see domain.login_key; unique over all organisations, since nobody types theirs to sign in.
        phone: in E.164; one number is one person of an organisation.
    """

    __tablename__ = "people"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    login: Mapped[str | None] = mapped_column(String(64))
    login_key: Mapped[str | None] = mapped_column(String(200), unique=True)
    phone: Mapped[str | None] = mapped_column(String(PHONE_LENGTH), index=True)
    name: Mapped[str] = mapped_column(String(80))
    roles: Mapped[frozenset[Role]] = mapped_column(Roles)
    communities: Mapped[list[int] | None] = mapped_column(Json)
    is_active: Mapped[bool] = mapped_column(default=True)
    password_hash: Mapped[str | None] = mapped_column(String(200))
    one_time_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    signed_in_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("organisation_id", "phone"),)

    @property
    def as_person(self) -> Person:
        """Return the row as a plain value."""
        return Person(
            id=self.id,
            login=self.login,
            phone=self.phone,
            name=self.name,
            roles=self.roles,
            communities=frozenset(self.communities) if self.communities is not None else None,
            is_active=self.is_active,
            one_time_until=self.one_time_until,
            created_at=self.created_at,
            signed_in_at=self.signed_in_at,
        )


PEOPLE_SEARCH = search_index(cast("Table", PersonRow.__table__), "name", "login", "phone")


class SessionRow(Base):
    """A browser in which somebody is signed in.

    Attributes:
        is_by_code: it began with a telephone's code and not with a password: it carries the owner's role alone.
    """

    __tablename__ = "sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime] = mapped_column(index=True)
    address: Mapped[str] = mapped_column(String(45))
    agent: Mapped[str] = mapped_column(String(200))
    is_by_code: Mapped[bool] = mapped_column(default=False)

    @property
    def expires_at(self) -> datetime:
        """Return when it ends if nobody comes with it again."""
        return expires_at(created_at=self.created_at, seen_at=self.seen_at, is_by_code=self.is_by_code)


class SignInFailureRow(Base):
    """How often signing in failed of late, for one login or one address; of nobody's organisation, as nobody is known.

    Attributes:
        key: a hash, since what is typed into the wrong field is now and then a password.
    """

    __tablename__ = "sign_in_failures"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int]
    failed_at: Mapped[datetime] = mapped_column(index=True)


async def person_by_login(session: AsyncSession, login_key: str) -> PersonRow | None:
    """Return who has the login, in whichever organisation."""
    # any organisation: who signs in is not known yet
    return await session.scalar(select(PersonRow).where(PersonRow.login_key == login_key))


async def person_by_phone(session: AsyncSession, organisation_id: int, phone: str) -> PersonRow | None:
    """Return which of the organisation's people has the number."""
    found = select(PersonRow).where(PersonRow.organisation_id == organisation_id, PersonRow.phone == phone)
    return await session.scalar(found)


async def owners_by_phone(session: AsyncSession, phone: str) -> Sequence[tuple[PersonRow, OrganisationRow]]:
    """Return whose number it is among all organisations' owners who may sign in, whoever is known longest first."""
    # any organisation: who signs in is not known yet
    found = await session.execute(
        select(PersonRow, OrganisationRow)
        .join(OrganisationRow, OrganisationRow.id == PersonRow.organisation_id)
        .where(PersonRow.phone == phone, PersonRow.is_active, _has(Role.OWNER))
        .order_by(PersonRow.id)
    )
    return [(person, organisation) for person, organisation in found]


async def person_by_id(session: AsyncSession, organisation_id: int, person_id: int) -> PersonRow | None:
    """Return one of the organisation's people."""
    found = select(PersonRow).where(PersonRow.id == person_id, PersonRow.organisation_id == organisation_id)
    return await session.scalar(found)


async def people(
    session: AsyncSession, organisation_id: int, *, role: Role | None = None, ids: Collection[int] | None = None
) -> Sequence[PersonRow]:
    """Return staff by name: with `role` the active ones who have it, owners too if it is theirs; with `ids` these."""
    found = select(PersonRow).where(PersonRow.organisation_id == organisation_id)
    if role is None and ids is None:
        found = found.where(_IS_STAFF)
    if role is not None:
        found = found.where(PersonRow.is_active, _has(role))
    if ids is not None:
        found = found.where(PersonRow.id.in_(ids))
    return (await session.scalars(found.order_by(PersonRow.name, PersonRow.id))).all()


def people_listing(organisation_id: int, *, roles: Collection[Role]) -> Listing:
    """Return the list of the organisation's staff, all or those with one of `roles`."""
    found = select(PersonRow).where(PersonRow.organisation_id == organisation_id, _IS_STAFF)
    if roles:
        found = found.where(or_(*(_has(role) for role in roles)))
    people = cast("Table", PersonRow.__table__).c
    return Listing(
        select=found,
        columns={
            "name": people.name,
            "login": people.login,
            "is_active": people.is_active,
            "signed_in_at": people.signed_in_at,
        },
        key=people.id,
        order=(people.name,),
        search=PEOPLE_SEARCH,
    )


async def organisation_by_id(session: AsyncSession, organisation_id: int) -> OrganisationRow:
    """Return the principal's organisation, which always is."""
    return await session.get_one(OrganisationRow, organisation_id)


async def organisation_ids(session: AsyncSession) -> Sequence[int]:
    """Return the ids of all organisations."""
    # any organisation: all of them are asked for
    return (await session.scalars(select(OrganisationRow.id).order_by(OrganisationRow.id))).all()


async def open_session(session: AsyncSession, token_hash: str) -> tuple[SessionRow, PersonRow] | None:
    """Return the session behind a token, and whose it is, whether it still is good or not."""
    # any organisation: the token says whose
    found = select(SessionRow, PersonRow).join(PersonRow, PersonRow.id == SessionRow.person_id)
    row = (await session.execute(found.where(SessionRow.token_hash == token_hash))).first()
    return (row[0], row[1]) if row is not None else None


async def open_sessions(session: AsyncSession, organisation_id: int, person_id: int) -> Sequence[SessionRow]:
    """Return a person's sessions, the one used last first."""
    found = select(SessionRow).where(SessionRow.organisation_id == organisation_id, SessionRow.person_id == person_id)
    return (await session.scalars(found.order_by(SessionRow.seen_at.desc(), SessionRow.id))).all()


async def session_by_id(session: AsyncSession, organisation_id: int, session_id: int) -> SessionRow | None:
    """Return one of the organisation's sessions."""
    found = select(SessionRow).where(SessionRow.id == session_id, SessionRow.organisation_id == organisation_id)
    return await session.scalar(found)


async def end_sessions(session: AsyncSession, organisation_id: int, person_id: int, *, but: int | None = None) -> None:
    """End a person's sessions, all or all but one."""
    ended = delete(SessionRow).where(SessionRow.organisation_id == organisation_id, SessionRow.person_id == person_id)
    await session.execute(ended.where(SessionRow.id != but) if but is not None else ended)


async def end_code_sessions(session: AsyncSession, organisation_id: int, person_id: int) -> None:
    """End what a person is signed in with by their telephone number."""
    theirs = SessionRow.organisation_id == organisation_id, SessionRow.person_id == person_id
    await session.execute(delete(SessionRow).where(*theirs, SessionRow.is_by_code))


async def forget_old(session: AsyncSession, now: datetime) -> None:
    """Delete sessions that have ended and failures that no longer count."""
    # any organisation: age alone decides
    is_old = or_(SessionRow.seen_at < now - IDLE, SessionRow.created_at < now - ABSOLUTE)
    is_owners_old = or_(SessionRow.seen_at < now - OWNER_IDLE, SessionRow.created_at < now - OWNER_ABSOLUTE)
    has_ended = or_(and_(~SessionRow.is_by_code, is_old), is_owners_old)
    await session.execute(delete(SessionRow).where(has_ended))
    await session.execute(delete(SignInFailureRow).where(SignInFailureRow.failed_at < now - FAILURES_REMEMBERED))


async def other_administrators(session: AsyncSession, organisation_id: int, *, than: int) -> int:
    """Return how many other active administrators there are; whoever asks holds the answer until the end.

    Two administrators who remove each other at once would otherwise both find one left.
    """
    await hold(session, f"administrators of {organisation_id}")
    found = select(func.count()).select_from(PersonRow).where(PersonRow.organisation_id == organisation_id)
    others = found.where(PersonRow.is_active, _has(Role.ADMINISTRATOR), PersonRow.id != than)
    return await session.scalar(others) or 0


_IS_STAFF = type_coerce(PersonRow.roles, String) != f",{Role.OWNER},"


def _has(role: Role) -> ColumnElement[bool]:
    return type_coerce(PersonRow.roles, String).contains(f",{role},")

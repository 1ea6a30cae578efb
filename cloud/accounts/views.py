"""How people look at lists: views that they saved or share, the one that a list opens with, the columns they chose.

A view is a name and the query string of a list's address; what may stand in it the list itself knows, above.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, and_, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from cloud.accounts.tables import PersonRow
from cloud.core import audit
from cloud.core.clock import Clock
from cloud.core.database import Base, Json
from cloud.core.errors import Conflict, Forbidden, NotFound, Refused
from cloud.core.principal import Principal, Role
from firmware_configs.look.words import _

NAME_LENGTH = 60
QUERY_LENGTH = 4_000
_SHARERS = (Role.MANAGER, Role.DESK)


class ViewRow(Base):
    """A saved view; see SavedView."""

    __tablename__ = "list_views"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    list_name: Mapped[str] = mapped_column(String(40))
    path: Mapped[str] = mapped_column(String(200))
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    query: Mapped[str] = mapped_column(Text)
    is_shared: Mapped[bool]
    created_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("person_id", "path", "name"),
        Index("ix_list_views_list", "organisation_id", "path"),
    )


class HabitRow(Base):
    """How one person looks at one list when its address says nothing.

    Attributes:
        columns: names of the columns they chose, in their order; None while they chose none.
        view_id: the view that the list opens with.
    """

    __tablename__ = "list_habits"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True, autoincrement=False)
    path: Mapped[str] = mapped_column(String(200), primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    columns: Mapped[list[str] | None] = mapped_column(Json)
    view_id: Mapped[int | None] = mapped_column(ForeignKey("list_views.id", ondelete="SET NULL"), index=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedView:
    """A list as somebody wants to see it again.

    Attributes:
        list_name, path: the list and its address.
        query: what the address asks, without a page.
        owner: the name of whoever saved it.
        is_mine: whether the principal did.
    """

    id: int
    list_name: str
    path: str
    name: str
    query: str
    is_shared: bool
    owner: str
    is_mine: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What is known of how the principal looks at a list.

    Attributes:
        views: their own by name, then those that others share.
        columns: the names they chose; empty for those that the list comes with.
        default_id: the view that the list opens with.
    """

    views: Sequence[SavedView] = ()
    columns: tuple[str, ...] = ()
    default_id: int | None = None


def may_share(principal: Principal) -> bool:
    """Return whether the principal may show a view to the whole organisation."""
    return principal.has(*_SHARERS)


async def habits(session: AsyncSession, principal: Principal, *, path: str) -> Habits:
    """Return how the principal looks at a list."""
    in_sight = or_(ViewRow.person_id == principal.person_id, ViewRow.is_shared)
    found = await session.execute(
        select(ViewRow, PersonRow.name)
        .join(PersonRow, PersonRow.id == ViewRow.person_id)
        .where(ViewRow.organisation_id == principal.organisation_id, ViewRow.path == path, in_sight)
        .order_by(ViewRow.person_id != principal.person_id, ViewRow.name, ViewRow.id)
    )
    habit = await _habit(session, principal, path)
    views = [_view(row, owner, principal) for row, owner in found]
    if habit is None:
        return Habits(views=views)
    default_id = next((view.id for view in views if view.id == habit.view_id), None)
    return Habits(views=views, columns=tuple(habit.columns or ()), default_id=default_id)


async def find_view(session: AsyncSession, principal: Principal, view_id: int) -> SavedView:
    """Return one of the principal's views, or one that is shared with them.

    Raises:
        NotFound: there is none such.
    """
    row = await _find(session, principal, view_id)
    owner = await session.scalar(
        select(PersonRow.name).where(
            PersonRow.id == row.person_id, PersonRow.organisation_id == principal.organisation_id
        )
    )
    return _view(row, owner or "", principal)


async def save_view(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    *,
    list_name: str,
    path: str,
    name: str,
    query: str,
    is_shared: bool = False,
) -> int:
    """Return the id of a new view of a list.

    Raises:
        Refused: the name can't be, or the query is too long.
        Conflict: the principal has a view of that name there.
        Forbidden: the principal may not share.
    """
    if principal.person_id is None:
        raise Forbidden(_("Only a person can save a view."))
    _check_sharing(principal, is_shared=is_shared)
    row = ViewRow(
        organisation_id=principal.organisation_id,
        person_id=principal.person_id,
        list_name=list_name,
        path=path,
        name=await _free_name(session, principal, path, name),
        query=_check_query(query),
        is_shared=is_shared,
        created_at=clock.now(),
    )
    session.add(row)
    await session.flush()
    _record(session, clock, principal, "accounts.view_saved", row, after=_state(row))
    return row.id


async def change_view(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    view_id: int,
    *,
    name: str | None = None,
    query: str | None = None,
    is_shared: bool | None = None,
) -> None:
    """Change one's own view: what is given, and nothing else.

    Raises:
        NotFound: there is none such.
        Forbidden: it is somebody else's, or the principal may not share.
        Refused: the name can't be, or the query is too long.
        Conflict: the principal has another view of that name there.
    """
    row = await _find(session, principal, view_id)
    _check_owner(principal, row)
    before = _state(row)
    if name is not None and name.strip() != row.name:
        row.name = await _free_name(session, principal, row.path, name)
    if query is not None:
        row.query = _check_query(query)
    if is_shared is not None and is_shared != row.is_shared:
        _check_sharing(principal, is_shared=is_shared)
        row.is_shared = is_shared
    was, is_now = audit.changed(before, _state(row))
    if is_now:
        _record(session, clock, principal, "accounts.view_changed", row, before=was, after=is_now)


async def delete_view(session: AsyncSession, clock: Clock, principal: Principal, view_id: int) -> None:
    """Delete one's own view; whoever opens the list with it sees the list as it comes again.

    Raises:
        NotFound: there is none such.
        Forbidden: it is somebody else's.
    """
    row = await _find(session, principal, view_id)
    _check_owner(principal, row)
    _record(session, clock, principal, "accounts.view_deleted", row, before=_state(row))
    await session.execute(
        delete(ViewRow).where(ViewRow.id == row.id, ViewRow.organisation_id == principal.organisation_id)
    )


async def open_with(session: AsyncSession, principal: Principal, *, path: str, view_id: int | None) -> None:
    """Let a list open with a view, or with None as it comes, for the principal alone.

    Raises:
        NotFound: the principal has no such view of this list.
    """
    if view_id is not None and (await _find(session, principal, view_id)).path != path:
        raise NotFound(_("There is no such view."))
    (await _own_habit(session, principal, path)).view_id = view_id


async def remember_columns(session: AsyncSession, principal: Principal, *, path: str, columns: Sequence[str]) -> None:
    """Keep the columns that the principal chose, in their order; none for those that the list comes with."""
    (await _own_habit(session, principal, path)).columns = list(columns) or None


async def _habit(session: AsyncSession, principal: Principal, path: str) -> HabitRow | None:
    return await session.scalar(
        select(HabitRow).where(
            HabitRow.organisation_id == principal.organisation_id,
            HabitRow.person_id == principal.person_id,
            HabitRow.path == path,
        )
    )


async def _own_habit(session: AsyncSession, principal: Principal, path: str) -> HabitRow:
    habit = await _habit(session, principal, path)
    if habit is None:
        habit = HabitRow(organisation_id=principal.organisation_id, person_id=principal.person_id, path=path)
        session.add(habit)
    return habit


async def _find(session: AsyncSession, principal: Principal, view_id: int) -> ViewRow:
    in_sight = or_(ViewRow.person_id == principal.person_id, ViewRow.is_shared)
    row = await session.scalar(
        select(ViewRow).where(ViewRow.id == view_id, ViewRow.organisation_id == principal.organisation_id, in_sight)
    )
    if row is None:
        raise NotFound(_("There is no such view."))
    return row


async def _free_name(session: AsyncSession, principal: Principal, path: str, name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= NAME_LENGTH:
        raise Refused(_("A view's name has 1 to %(length)d characters."), field="name", length=NAME_LENGTH)
    taken = select(ViewRow.id).where(
        ViewRow.organisation_id == principal.organisation_id,
        and_(ViewRow.person_id == principal.person_id, ViewRow.path == path, ViewRow.name == name),
    )
    if await session.scalar(taken) is not None:
        raise Conflict(_("You have a view “%(name)s” already. Choose another name."), field="name", name=name)
    return name


def _check_query(query: str) -> str:
    if len(query) > QUERY_LENGTH:
        raise Refused(_("This view asks too much: take some filters off."), field="query")
    return query


def _check_sharing(principal: Principal, *, is_shared: bool) -> None:
    if is_shared:
        principal.require(*_SHARERS)


def _check_owner(principal: Principal, row: ViewRow) -> None:
    if row.person_id != principal.person_id:
        raise Forbidden(_("Only whoever saved a view may change it."))


def _view(row: ViewRow, owner: str, principal: Principal) -> SavedView:
    return SavedView(
        id=row.id,
        list_name=row.list_name,
        path=row.path,
        name=row.name,
        query=row.query,
        is_shared=row.is_shared,
        owner=owner,
        is_mine=row.person_id == principal.person_id,
    )


def _state(row: ViewRow) -> dict[str, object]:
    return {"name": row.name, "list": row.list_name, "query": row.query, "is_shared": row.is_shared}


def _record(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    action: str,
    row: ViewRow,
    *,
    before: audit.State | None = None,
    after: audit.State | None = None,
) -> None:
    audit.record(session, clock, principal, action=action, subject=f"view:{row.id}", before=before, after=after)

"""The queue at a counter: numbers in order of arrival, called one by one, each visitor once."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core import audit
from cloud.core.clock import Clock
from cloud.core.database import hold
from cloud.core.errors import Conflict, NotFound, Refused
from cloud.core.principal import Principal, Role
from cloud.properties import service as properties
from cloud.reception.domain import NAME_LENGTH, VisitorState
from cloud.reception.tables import VisitorRow, locked, seen
from firmware_configs.look.words import _

_MOST_WAITING = 200
_TEXT_LENGTH = 200
_OVER = frozenset({VisitorState.SERVED, VisitorState.LEFT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Somebody at a counter.

    Attributes:
        waited: from taking the number to being called, or until now.
        called_name: who called them.
    """

    id: int
    community_id: int
    number: int
    name: str
    text: str
    state: VisitorState
    taken_at: datetime
    waited: timedelta
    called_name: str


async def take_number(
    session: AsyncSession, clock: Clock, principal: Principal, *, community_id: int, name: str = "", text: str = ""
) -> int:
    """Return the number of somebody who now waits at the community's counter; numbers begin with 1 every day.

    Raises:
        Forbidden: the principal is not at the desk.
        NotFound: there is no such community.
        Refused: all too many wait already.
    """
    principal.require(Role.DESK)
    day = await _today(session, clock, principal, community_id)
    await hold(session, f"queue {community_id}")
    if len(await _rows(session, principal, community_id, day, {VisitorState.WAITING})) >= _MOST_WAITING:
        raise Refused(_("%(count)d wait already: call some of them first."), count=_MOST_WAITING)
    last = await session.scalar(
        select(func.max(VisitorRow.number)).where(
            VisitorRow.organisation_id == principal.organisation_id,
            VisitorRow.community_id == community_id,
            VisitorRow.day == day,
        )
    )
    row = VisitorRow(
        organisation_id=principal.organisation_id,
        community_id=community_id,
        day=day,
        number=(last or 0) + 1,
        name=name.strip()[:NAME_LENGTH],
        text=text.strip()[:_TEXT_LENGTH],
        state=VisitorState.WAITING,
        taken_at=clock.now(),
    )
    session.add(row)
    await session.flush()
    return row.number


async def call_next(session: AsyncSession, clock: Clock, principal: Principal, *, community_id: int) -> Visitor:
    """Call whoever has waited longest: of two counters that call at once, each gets another visitor.

    Raises:
        Forbidden: the principal is not at the desk.
        NotFound: there is no such community.
        Conflict: nobody waits.
    """
    principal.require(Role.DESK)
    day = await _today(session, clock, principal, community_id)
    await hold(session, f"queue {community_id}")
    waiting = await _rows(session, principal, community_id, day, {VisitorState.WAITING})
    if not waiting:
        raise Conflict(_("Nobody waits."))
    row = waiting[0]
    row.state, row.called_at = VisitorState.CALLED, clock.now()
    row.called_by, row.called_name = principal.person_id, principal.name
    await session.flush()
    return _visitor(row, clock.now())


async def end_visit(
    session: AsyncSession, clock: Clock, principal: Principal, *, visitor_id: int, state: VisitorState
) -> None:
    """Note that a visitor was served, or that they left; said again it changes nothing.

    Raises:
        Forbidden: the principal is not at the desk.
        NotFound: there is no such visitor.
        Conflict: they were served or had left already, and it was the other of the two.
    """
    principal.require(Role.DESK)
    row = await locked(session, principal, VisitorRow, visitor_id)
    if row is None:
        raise NotFound(_("There is no such visitor."))
    if row.state is state:
        return
    if row.state in _OVER or state not in _OVER:
        raise Conflict(_("This visit is over."))
    before = {"state": row.state}
    row.state, row.ended_at = state, clock.now()
    audit.record(
        session, clock, principal, action="reception.visit_ended", subject=f"visitor:{row.id}", before=before,
        after={"state": state},
    )  # fmt: skip


async def serve(session: AsyncSession, clock: Clock, principal: Principal, *, visitor_id: int) -> None:
    """Note that a visitor was served whose matter is written down; a visit that is over stays as it ended.

    Raises:
        Forbidden: the principal is not at the desk.
        NotFound: there is no such visitor.
    """
    visitor = await find_visitor(session, clock, principal, visitor_id)
    if visitor.state not in _OVER:
        await end_visit(session, clock, principal, visitor_id=visitor_id, state=VisitorState.SERVED)


async def in_line(session: AsyncSession, clock: Clock, principal: Principal, *, community_id: int) -> list[Visitor]:
    """Return who waits and who is at a counter today, in the order of their numbers.

    Raises:
        Forbidden: the principal is not at the desk.
        NotFound: there is no such community.
    """
    principal.require(Role.DESK)
    day = await _today(session, clock, principal, community_id)
    rows = await _rows(session, principal, community_id, day, {VisitorState.WAITING, VisitorState.CALLED})
    return [_visitor(row, clock.now()) for row in rows]


async def find_visitor(session: AsyncSession, clock: Clock, principal: Principal, visitor_id: int) -> Visitor:
    """Return one visitor.

    Raises:
        Forbidden: the principal is not at the desk.
        NotFound: there is none that the principal may see.
    """
    principal.require(Role.DESK)
    row = await session.scalar(seen(principal, VisitorRow).where(VisitorRow.id == visitor_id))
    if row is None:
        raise NotFound(_("There is no such visitor."))
    return _visitor(row, clock.now())


async def _rows(
    session: AsyncSession, principal: Principal, community_id: int, day: date, states: set[VisitorState]
) -> list[VisitorRow]:
    # any organisation: seen leaves only the principal's
    found = seen(principal, VisitorRow).where(
        VisitorRow.community_id == community_id, VisitorRow.day == day, VisitorRow.state.in_(sorted(states))
    )
    rows = await session.scalars(found.order_by(VisitorRow.number).execution_options(populate_existing=True))
    return list(rows)


async def _today(session: AsyncSession, clock: Clock, principal: Principal, community_id: int) -> date:
    community = await properties.find_community(session, principal, community_id)
    return clock.now().astimezone(ZoneInfo(community.time_zone)).date()


def _visitor(row: VisitorRow, now: datetime) -> Visitor:
    return Visitor(
        id=row.id,
        community_id=row.community_id,
        number=row.number,
        name=row.name,
        text=row.text,
        state=row.state,
        taken_at=row.taken_at,
        waited=(row.called_at or row.ended_at or now) - row.taken_at,
        called_name=row.called_name,
    )

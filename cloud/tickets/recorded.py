"""The last weeks' tickets, offers, shifts and skills as they are kept, for a replay under other rules."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import median_low

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.alarms.domain import Priority
from cloud.calendars import shifts
from cloud.core.clock import Clock
from cloud.core.principal import Principal, Role
from cloud.core.words import Words
from cloud.tickets.dispatch import Job
from cloud.tickets.dispatch_tables import DispatchRow, OfferRow, OfferState
from cloud.tickets.domain import Deed
from cloud.tickets.duty import BUSY, workers
from cloud.tickets.simulating import Answer, Past, Recorded, Worker
from cloud.tickets.tables import TicketEntryRow, TicketRow, TicketTypeRow, in_sight

PERIOD = timedelta(days=30)
MOST = 1_000
"""Tickets that are replayed, the latest of the period: twice as many take twice as long, and somebody waits."""

_CARRIED = timedelta(days=90)  # a job that is older and still open keeps nobody busy any more
_USUAL = timedelta(minutes=5)  # of somebody who was never asked, where nobody ever was
_HAD = frozenset({Deed.ASSIGNED, Deed.TAKEN})
_BEGUN = frozenset({Deed.STARTED, Deed.STARTED_EMERGENCY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is replayed, and of how many.

    Attributes:
        total: tickets that came in the period; more than `past` holds when the latest were chosen.
        types: names by code.
    """

    past: Past
    total: int
    types: Mapping[str, Words]


async def read_past(session: AsyncSession, clock: Clock, principal: Principal) -> Kept:
    """Return the last PERIOD's tickets of the principal's communities, at most MOST of them.

    Raises:
        Forbidden: the principal does not dispatch.
    """
    principal.require(Role.DESK, Role.OPERATOR, Role.MANAGER)
    ends = clock.now()
    rows = await _tickets(session, principal, since=ends - PERIOD)
    begins = rows[0][0].opened_at if len(rows) == MOST else ends - PERIOD
    ids = [ticket.id for ticket, _type, _building in rows]
    offers, deeds = await _offers(session, principal, ids), await _deeds(session, principal, ids)
    first, last = (begins - timedelta(days=2)).date(), (ends + timedelta(days=1)).date()
    busy, freed = await _carried(session, principal, begins=begins)
    usual = _usual([offer for asked in offers.values() for offer in asked])
    team = [
        Worker(
            candidate=replace(
                each.candidate, load=busy[each.person.id], building_id=None, idle_since=None, is_away=False
            ),
            usual=usual.get(each.person.id, usual[None]),
        )
        for each in await workers(session, clock, principal)
    ]
    known = {each.candidate.person_id for each in team}
    past = Past(
        begins=begins,
        ends=ends,
        tickets=[
            _recorded(ticket, type_row, building_id, offers[ticket.id], deeds[ticket.id])
            for ticket, type_row, building_id in rows
        ],
        workers=team,
        roster=await shifts.read_roster(session, principal, first=first, last=last),
        freed=[(at, person_id) for at, person_id in freed if person_id in known],
    )
    total = await session.scalar(
        select(func.count())
        .where(TicketRow.organisation_id == principal.organisation_id, in_sight(principal))
        .where(TicketRow.opened_at >= ends - PERIOD)
    )
    types = {row.code: Words(zh=row.name_zh, en=row.name_en) for _ticket, row, _building in rows}
    return Kept(past=past, total=total or 0, types=types)


async def _tickets(
    session: AsyncSession, principal: Principal, *, since: datetime
) -> list[tuple[TicketRow, TicketTypeRow, int | None]]:
    """Return the latest tickets in the order in which they came."""
    found = await session.execute(
        select(TicketRow, TicketTypeRow, DispatchRow.building_id)
        .join(TicketTypeRow, TicketTypeRow.id == TicketRow.type_id)
        .outerjoin(DispatchRow, DispatchRow.ticket_id == TicketRow.id)
        .where(TicketRow.organisation_id == principal.organisation_id, in_sight(principal))
        .where(TicketRow.opened_at >= since)
        .order_by(TicketRow.opened_at.desc(), TicketRow.id.desc())
        .limit(MOST)
    )
    return [(ticket, type_row, building_id) for ticket, type_row, building_id in reversed(found.all())]


async def _offers(
    session: AsyncSession, principal: Principal, ticket_ids: Collection[int]
) -> Mapping[int, Sequence[OfferRow]]:
    rows = await session.scalars(
        select(OfferRow)
        .where(OfferRow.organisation_id == principal.organisation_id, OfferRow.ticket_id.in_(ticket_ids))
        .order_by(OfferRow.id)
    )
    found: defaultdict[int, list[OfferRow]] = defaultdict(list)
    for row in rows:
        found[row.ticket_id].append(row)
    return found


async def _deeds(
    session: AsyncSession, principal: Principal, ticket_ids: Collection[int]
) -> Mapping[int, Sequence[TicketEntryRow]]:
    rows = await session.scalars(
        select(TicketEntryRow)
        .where(TicketEntryRow.organisation_id == principal.organisation_id, TicketEntryRow.ticket_id.in_(ticket_ids))
        .where(TicketEntryRow.deed.in_(sorted(_HAD | _BEGUN)))
        .order_by(TicketEntryRow.id)
    )
    found: defaultdict[int, list[TicketEntryRow]] = defaultdict(list)
    for row in rows:
        found[row.ticket_id].append(row)
    return found


async def _carried(
    session: AsyncSession, principal: Principal, *, begins: datetime
) -> tuple[Counter[int], list[tuple[datetime, int]]]:
    """Return how many jobs people had when the period began, and when those ended."""
    rows = await session.execute(
        select(TicketRow.assignee_id, TicketRow.closed_at)
        .where(TicketRow.organisation_id == principal.organisation_id, TicketRow.assignee_id.is_not(None))
        .where(TicketRow.opened_at >= begins - _CARRIED, TicketRow.opened_at < begins)
        .where(or_(TicketRow.closed_at > begins, TicketRow.state.in_(sorted(BUSY))))
    )
    carried = [(person_id or 0, closed_at) for person_id, closed_at in rows]
    return Counter(person_id for person_id, _at in carried), [(at, each) for each, at in carried if at is not None]


def _usual(offers: Sequence[OfferRow]) -> dict[int | None, timedelta]:
    """Return by person how long they usually think before they accept; under None how long everybody does."""
    thought: defaultdict[int | None, list[timedelta]] = defaultdict(list)
    for offer in offers:
        if offer.state is OfferState.ACCEPTED and offer.closed_at is not None:
            for key in (offer.person_id, None):
                thought[key].append(offer.closed_at - offer.offered_at)
    return {None: _USUAL, **{person_id: median_low(times) for person_id, times in thought.items()}}


def _recorded(
    ticket: TicketRow,
    type_row: TicketTypeRow,
    building_id: int | None,
    offers: Sequence[OfferRow],
    deeds: Sequence[TicketEntryRow],
) -> Recorded:
    found = next((each for each in offers if each.state in {OfferState.ACCEPTED, OfferState.GIVEN}), None)
    first = next((each.at for each in deeds if each.deed in _HAD), None)
    had_at = found.closed_at if found is not None else first
    begun_at = next((each.at for each in deeds if each.deed in _BEGUN), None)
    ended_at = ticket.closed_at
    return Recorded(
        job=Job(
            ticket_id=ticket.id,
            opened_at=ticket.opened_at,
            community_id=ticket.community_id,
            building_id=building_id,
            skills=tuple(type_row.skills),
            is_emergency=type_row.is_emergency,
        ),
        type_code=type_row.code,
        kind=ticket.kind,
        priority=Priority(ticket.priority),
        answers={each.person_id: answer for each in offers if (answer := _answer(each)) is not None},
        given_at=first if found is None else None,
        given_to=ticket.assignee_id if found is None else None,
        ended_at=ended_at,
        starts_after=begun_at - had_at if begun_at and had_at and begun_at >= had_at else None,
        takes=ended_at - had_at if ended_at and had_at and ended_at >= had_at else None,
    )


def _answer(offer: OfferRow) -> Answer | None:
    """Return what was said to an offer; None where there was no time to say anything."""
    if offer.state is OfferState.LAPSED:
        return Answer(accepts=False, after=None)
    if offer.state in {OfferState.ACCEPTED, OfferState.DECLINED} and offer.closed_at is not None:
        return Answer(accepts=offer.state is OfferState.ACCEPTED, after=offer.closed_at - offer.offered_at)
    return None

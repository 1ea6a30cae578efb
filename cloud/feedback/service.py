"""Asking for an opinion when a ticket is done, taking it by one tap, and acting on a poor one."""

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import people
from cloud.core.clock import Clock
from cloud.core.database import hold
from cloud.core.errors import Conflict, Forbidden, NotFound, Refused
from cloud.core.outbox import emit
from cloud.core.principal import Principal, Role
from cloud.core.words import Words
from cloud.feedback import tables
from cloud.feedback.domain import ASKED_AFTER, ASKED_KINDS, TEXT_LENGTH, FeedbackRules, OnPoor, OpinionDue, Rating
from cloud.feedback.rules import find_rules
from cloud.feedback.tables import OpinionRow, RequestRow
from cloud.notifications.domain import Kind
from cloud.notifications.service import notify
from cloud.tickets import service as tickets
from cloud.tickets.dispatch_rules import rules_in_force
from cloud.tickets.domain import State, TicketMoved
from cloud.tickets.holding import held_by
from cloud.tickets.reading import Ticket, ticket
from cloud.tickets.reading import tickets as tickets_by_id
from firmware_configs.look.words import _

LATELY = timedelta(days=30)
"""For how long a manager's first page shows a poor opinion."""

_REOPENED = "业主对结果不满意 · not content with the result"
"""Stands in the timeline, which whoever did the work reads: it gives no score away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request for an opinion, and the opinion where it was given.

    Attributes:
        can_be_given: it is not too late to give it, or to change it.
    """

    ticket_id: int
    number: str
    subject: Words
    rating: Rating | None
    text: str
    can_be_given: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What somebody thinks of a ticket's work."""

    rating: Rating
    text: str
    at: datetime


async def ask_later(session: AsyncSession, clock: Clock, event: TicketMoved) -> None:
    """Have whoever wanted a ticket asked a while after it is done: an end that is taken back at once asks nobody."""
    if event.state is State.RESOLVED:
        due = OpinionDue(organisation_id=event.organisation_id, ticket_id=event.ticket_id)
        await emit(session, clock, due, after=ASKED_AFTER)


async def ask_when_done(session: AsyncSession, clock: Clock, event: OpinionDue) -> None:
    """Ask whoever wanted a ticket what they think, when it is done: once for it, and not every week.

    Whose ticket was merged into it wanted the same, and is asked about their own.
    """
    system = Principal.system(event.organisation_id)
    done = await ticket(session, clock, system, ticket_id=event.ticket_id)
    if done.state is not State.RESOLVED or done.kind not in ASKED_KINDS:
        return
    merged = await held_by(session, system, ticket_id=done.id)
    asked = [*await tickets_by_id(session, clock, system, ticket_ids=merged), done]
    wanted = {each.requester_id: each for each in asked if each.requester_id is not None}
    for person_id in sorted(wanted):  # all who hold several people do so in this order
        await _ask_once(session, clock, system, wanted[person_id], person_id=person_id)


async def asked_by_link(session: AsyncSession, clock: Clock, *, token: str) -> Asked:
    """Return what a link asks; it changes nothing, since mail programs open links by themselves.

    Raises:
        NotFound: there is no such link.
    """
    return await _asked(session, clock, await _of_token(session, token))


async def asked_about(session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int) -> Asked | None:
    """Return what the principal was asked about a ticket; None when they were not."""
    row = await tables.request_of_ticket(session, principal, ticket_id)
    if row is None or row.person_id != principal.person_id:
        return None
    return await _asked(session, clock, row)


async def rate_by_link(
    session: AsyncSession, clock: Clock, *, token: str, rating: Rating, text: str | None = None
) -> None:
    """Take the opinion of whoever has the link; the same again changes nothing.

    Args:
        session: of the transaction.
        clock: the cloud's.
        token: of the link.
        rating: the choice.
        text: what they add; None leaves what they said before.

    Raises:
        NotFound: there is no such link.
        Conflict: it is too late to give it, or to change it.
        Refused: the text is too long.
    """
    await _rate(session, clock, await _of_token(session, token), rating, text)


async def rate(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    *,
    ticket_id: int,
    rating: Rating,
    text: str | None = None,
) -> None:
    """Take the opinion of whoever was asked about a ticket; as rate_by_link.

    Raises:
        NotFound: nobody was asked.
        Forbidden: somebody else was.
        Conflict: it is too late.
    """
    row = await tables.request_of_ticket(session, principal, ticket_id)
    if row is None:
        raise NotFound(_("Nobody was asked for an opinion about this ticket."))
    if row.person_id != principal.person_id:
        raise Forbidden(_("Whoever asked for the work says what they think of it."))
    await _rate(session, clock, row, rating, text)


async def opinions(session: AsyncSession, principal: Principal, *, ticket_ids: Collection[int]) -> dict[int, Opinion]:
    """Return what was said about tickets that the principal has seen; a worker is told of no poor one."""
    rules = (await find_rules(session, principal)).rules
    found = await tables.opinions_about(session, principal, ticket_ids)
    sees_all = principal.has(Role.DESK, Role.MANAGER, Role.OPERATOR)
    return {
        ticket_id: Opinion(rating=Rating(row.rating), text=row.text, at=row.at)
        for ticket_id, (request, row) in found.items()
        if sees_all
        or request.person_id == principal.person_id
        or (principal.is_staff and not rules.is_poor(Rating(row.rating)))
    }


async def poor_lately(session: AsyncSession, clock: Clock, principal: Principal) -> dict[int, Opinion]:
    """Return the poor opinions of the last LATELY, the newest first, by their ticket; of any community.

    Raises:
        Forbidden: the principal is no manager.
    """
    principal.require(Role.MANAGER)
    rules = (await find_rules(session, principal)).rules
    found = await tables.newest_opinions(session, principal, up_to=int(rules.poor_at), since=clock.now() - LATELY)
    return {request.ticket_id: Opinion(rating=Rating(row.rating), text=row.text, at=row.at) for request, row in found}


async def _ask_once(session: AsyncSession, clock: Clock, system: Principal, done: Ticket, *, person_id: int) -> None:
    """Ask about a ticket, unless it was asked about, or the person was asked about another lately."""
    await hold(session, f"opinions of person {person_id}")
    rules = (await find_rules(session, system)).rules
    if await tables.request_of_ticket(session, system, done.id) is not None:
        return
    if not await tables.was_asked_since(session, system, person_id, clock.now() - rules.cap):
        await _ask(session, clock, system, done, rules, person_id=person_id)


async def _ask(
    session: AsyncSession, clock: Clock, system: Principal, done: Ticket, rules: FeedbackRules, *, person_id: int
) -> None:
    token = secrets.token_urlsafe(24)
    row = RequestRow(
        organisation_id=system.organisation_id,
        ticket_id=done.id,
        person_id=person_id,
        worker_id=done.assignee_id,
        token_hash=_hash(token),
        asked_at=clock.now(),
        closes_at=clock.now() + rules.open_for,
    )
    session.add(row)
    await session.flush()
    subject = _subject(done)
    await notify(
        session,
        clock,
        system,
        person_ids=[person_id],
        kind=Kind.OPINION_ASKED,
        subject=Words(zh="请您评价本次服务", en="What do you think of our work?"),
        text=Words(zh=f"{done.number} {subject.zh}：点一下即可", en=f"{done.number} {subject.en}: one tap is enough"),
        link=f"/opinion/{token}",
        key=f"opinion:{row.id}",
    )


async def _rate(session: AsyncSession, clock: Clock, request: RequestRow, rating: Rating, text: str | None) -> None:
    await hold(session, f"opinion {request.id}")
    system = Principal.system(request.organisation_id)
    rules = (await find_rules(session, system)).rules
    said = text.strip() if text is not None else None
    if said is not None and len(said) > TEXT_LENGTH:
        raise Refused(_("Too long: at most %(length)d characters."), "text", length=TEXT_LENGTH)
    row = await tables.opinion_of(session, request.organisation_id, request.id)
    if row is not None and row.rating == rating and said in {None, row.text}:
        return
    if not _is_open(request, row, rules, clock.now()):
        raise Conflict(_("It is too late to change this. Thank you for what you said."))
    if row is None:
        row = OpinionRow(
            request_id=request.id, organisation_id=request.organisation_id, text="", at=clock.now(), acted_at=None
        )
        session.add(row)
    row.rating, row.changed_at = int(rating), clock.now()
    row.text = row.text if said is None else said
    if rules.is_poor(rating) and row.acted_at is None:
        row.acted_at = clock.now()
        await _act(session, clock, system, request, rules)
    await session.flush()


async def _act(
    session: AsyncSession, clock: Clock, system: Principal, request: RequestRow, rules: FeedbackRules
) -> None:
    """Take up again what somebody is not content with, or call whoever leads the work."""
    found = await ticket(session, clock, system, ticket_id=request.ticket_id)
    if rules.on_poor is OnPoor.REOPEN and found.state is State.RESOLVED:
        await tickets.reopen(session, clock, system, ticket_id=found.id, version=found.version, reason=_REOPENED)
        return
    subject = _subject(found)
    await notify(
        session,
        clock,
        system,
        person_ids=await _leads(session, system),
        kind=Kind.TICKET_ESCALATED,
        subject=Words(zh=f"{found.number} 评价不佳，请联系业主", en=f"{found.number}: a poor opinion; please call"),
        text=Words(zh=subject.zh, en=subject.en),
        link=f"/tickets/{found.id}",
        key=f"opinion-poor:{request.id}",
    )


async def _leads(session: AsyncSession, system: Principal) -> list[int]:
    """Return who leads the repairs, else the managers."""
    leads = (await rules_in_force(session, system)).rules.lead_ids
    return list(leads) or [each.id for each in await people.list_people(session, system, role=Role.MANAGER)]


async def _of_token(session: AsyncSession, token: str) -> RequestRow:
    row = await tables.request_of_token(session, _hash(token))
    if row is None:
        raise NotFound(_("This link leads nowhere: it may have been cut short."))
    return row


async def _asked(session: AsyncSession, clock: Clock, request: RequestRow) -> Asked:
    system = Principal.system(request.organisation_id)
    found = await ticket(session, clock, system, ticket_id=request.ticket_id)
    row = await tables.opinion_of(session, request.organisation_id, request.id)
    rules = (await find_rules(session, system)).rules
    return Asked(
        ticket_id=found.id,
        number=found.number,
        subject=_subject(found),
        rating=Rating(row.rating) if row is not None else None,
        text=row.text if row is not None else "",
        can_be_given=_is_open(request, row, rules, clock.now()),
    )


def _is_open(request: RequestRow, row: OpinionRow | None, rules: FeedbackRules, now: datetime) -> bool:
    return now < request.closes_at if row is None else now < row.at + rules.changeable_for


def _subject(found: Ticket) -> Words:
    return found.subject or found.type.name


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

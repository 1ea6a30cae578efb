"""What somebody had or was asked to take goes back to dispatch when they leave: for good, or for some days."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import people
from cloud.accounts.domain import Person, PersonLeft
from cloud.calendars import leaves
from cloud.calendars.leaves import LeaveBegun
from cloud.core.clock import Clock, to_us
from cloud.core.principal import Principal
from cloud.core.words import Words
from cloud.notifications import service as notifications
from cloud.notifications.domain import Kind
from cloud.tickets.dispatch_rules import rules_in_force
from cloud.tickets.dispatch_tables import IS_OPEN, OfferRow, OfferState
from cloud.tickets.domain import TRANSITIONS, UNDONE, Act
from cloud.tickets.moving import carry
from cloud.tickets.reach import supervisors
from cloud.tickets.searching import alone, look_on
from cloud.tickets.tables import TicketRow

_NAMED = 20
"""So many numbers a message names; the list of tickets has them all."""


async def hand_back_for_good(session: AsyncSession, clock: Clock, event: PersonLeft) -> None:
    """Give back what somebody had who was let go, unless they were taken back meanwhile."""
    principal = Principal.system(event.organisation_id)
    for person in await people.list_people(session, principal, ids=[event.person_id]):
        if not person.is_active:
            await _hand_back(session, clock, principal, person, why=Words(zh="已离职", en="works here no more"))


async def hand_back_for_leave(session: AsyncSession, clock: Clock, event: LeaveBegun) -> None:
    """Give back what somebody had whose leave has begun, unless it was taken back meanwhile."""
    principal = Principal.system(event.organisation_id)
    if not await leaves.is_on_leave(session, clock, principal, leave_id=event.leave_id):
        return
    for person in await people.list_people(session, principal, ids=[event.person_id]):
        await _hand_back(session, clock, principal, person, why=Words(zh="已开始休假", en="is on leave"))


async def _hand_back(session: AsyncSession, clock: Clock, principal: Principal, person: Person, *, why: Words) -> None:
    """Free a person's tickets and offers, and tell the supervisors; dispatch hears of each ticket and looks on.

    What the table of states does not let go stays theirs, since it is nobody's turn here: a plan with whoever pays,
    a wait, a sensor. The supervisors are told of those to give them to somebody by hand.
    """
    await alone(session, principal)
    offered = await _withdraw_offers(session, clock, principal, person)
    rows = await _undone_of(session, principal, person)
    free = [row for row in rows if (row.state, Act.RELEASE) in TRANSITIONS]
    for row in free:
        row.assignee_id, row.assignee_name = None, ""
        await carry(session, clock, principal, row, Act.RELEASE, text=person.name, is_public=False)
    asked = await session.scalars(
        select(TicketRow)
        .where(TicketRow.organisation_id == principal.organisation_id, TicketRow.id.in_(offered))
        .order_by(TicketRow.id)
    )
    kept = [row for row in rows if row.assignee_id is not None]
    await _tell(session, clock, principal, person, why=why, back=[*free, *asked], kept=kept)


async def _withdraw_offers(
    session: AsyncSession, clock: Clock, principal: Principal, person: Person
) -> Collection[int]:
    withdrawn = await session.scalars(
        update(OfferRow)
        .where(OfferRow.organisation_id == principal.organisation_id, OfferRow.person_id == person.id, IS_OPEN)
        .values(state=OfferState.WITHDRAWN, closed_at=clock.now())
        .execution_options(synchronize_session=False)
        .returning(OfferRow.ticket_id)
    )
    ticket_ids = withdrawn.all()
    await look_on(session, clock, principal, ticket_ids=ticket_ids)
    return ticket_ids


async def _undone_of(session: AsyncSession, principal: Principal, person: Person) -> Sequence[TicketRow]:
    rows = await session.scalars(
        select(TicketRow)
        .where(TicketRow.organisation_id == principal.organisation_id, TicketRow.assignee_id == person.id)
        .where(TicketRow.state.in_(sorted(UNDONE)))
        .order_by(TicketRow.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return rows.all()


async def _tell(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    person: Person,
    *,
    why: Words,
    back: Sequence[TicketRow],
    kept: Sequence[TicketRow],
) -> None:
    """Tell each supervisor of the tickets that they see."""
    rules = (await rules_in_force(session, principal)).rules
    seen: defaultdict[int, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for position, rows in enumerate((back, kept)):
        for row in rows:
            for supervisor in await supervisors(session, principal, rules, row=row):
                seen[supervisor.id][position].append(row.number)
    for supervisor_id, (freed, held) in sorted(seen.items()):
        await notifications.notify(
            session,
            clock,
            principal,
            person_ids=[supervisor_id],
            kind=Kind.TICKET_ESCALATED,
            subject=Words(zh=f"{person.name}{why.zh}：工单需另派", en=f"{person.name} {why.en}: tickets to be given"),
            text=_text(freed, held),
            link="/tickets",
            key=f"handed-back:{person.id}:{to_us(clock.now())}",
        )


def _text(freed: Sequence[str], held: Sequence[str]) -> Words:
    lines = [
        (freed, "已退回派单", "Back in dispatch"),
        (held, "等待中，请人工改派", "Waiting; please give them to somebody by hand"),
    ]
    told = [
        (", ".join(numbers[:_NAMED]) + (" …" if len(numbers) > _NAMED else ""), zh, en) for numbers, zh, en in lines
    ]
    return Words(
        zh="\n".join(f"{zh}：{numbers}" for numbers, zh, _en in told if numbers),
        en="\n".join(f"{en}: {numbers}" for numbers, _zh, en in told if numbers),
    )

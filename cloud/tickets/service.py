"""What people do with tickets: giving, taking, working, waiting, ending, and taking up again."""

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import people
from cloud.accounts.domain import Person
from cloud.alarms.domain import Priority
from cloud.core import audit
from cloud.core.clock import Clock
from cloud.core.errors import Conflict, NotFound, Refused
from cloud.core.outbox import emit
from cloud.core.principal import Principal, Role
from cloud.tickets import timers
from cloud.tickets.alarm_links import must_verify
from cloud.tickets.dispatch import Obstacle
from cloud.tickets.domain import (
    TRANSITIONS,
    UNDONE,
    Act,
    Consent,
    Deed,
    Standing,
    State,
    Target,
    TicketMoved,
    TicketReclassified,
    TicketType,
    consent_under,
    moved,
)
from cloud.tickets.moving import carry, close, locked, require_owner, required, seen, working
from cloud.tickets.skills import forbidden
from cloud.tickets.tables import TicketRow, TicketTypeRow, in_sight
from cloud.tickets.timeline import tell
from cloud.tickets.types import find_type, to_type
from firmware_configs.look.words import _

_THEY_MAY_NOT = {
    Obstacle.NO_SKILL: _("They have no certificate for this work: choose somebody else."),
    Obstacle.CERTIFICATE_EXPIRED: _("Their certificate for this work has ended: choose somebody else."),
}
_YOU_MAY_NOT = {
    Obstacle.NO_SKILL: _("You have no certificate for this work: somebody else must do it."),
    Obstacle.CERTIFICATE_EXPIRED: _("Your certificate for this work has ended: somebody else must do it."),
}


async def assign(
    session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int, version: int, person_id: int
) -> None:
    """Give a ticket to somebody who does repairs.

    Raises:
        Conflict: it changed since `version` was read, or is past being given.
        Refused: the person does no repairs here, or not any more, or has no certificate that it needs, or an ended one.
    """
    principal.require(Role.DESK, Role.OPERATOR, Role.MANAGER)
    row = await seen(session, principal, ticket_id=ticket_id, version=version)
    worker = await _worker(session, principal, person_id)
    if worker is None:
        raise Refused(_("Choose somebody who does repairs."), "person_id")
    if worker.communities is not None and row.community_id not in worker.communities:
        raise Refused(_("%(name)s sees no tickets of this community."), "person_id", name=worker.name)
    if (obstacle := await _forbidden(session, clock, principal, row, person_id=worker.id)) is not None:
        raise Refused(_THEY_MAY_NOT[obstacle], "person_id")
    row.assignee_id, row.assignee_name = worker.id, worker.name
    await carry(session, clock, principal, row, Act.ASSIGN, text=row.assignee_name)


async def take(session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int) -> None:
    """Take a ticket that nobody has: of two who try at once, one gets it.

    Raises:
        NotFound: it is not the principal's to see, as one that another worker has taken is not.
        Conflict: somebody was quicker.
        Refused: a certificate that it needs is missing or has ended.
    """
    principal.require(Role.WORKER)
    ours = (TicketRow.id == ticket_id) & (TicketRow.organisation_id == principal.organisation_id) & in_sight(principal)
    taken = await session.execute(
        update(TicketRow)
        .where(ours, TicketRow.state == State.OPEN, TicketRow.assignee_id.is_(None))
        .values(
            assignee_id=principal.person_id,
            assignee_name=principal.name,
            state=moved(Standing(state=State.OPEN), Act.TAKE),
            version=TicketRow.version + 1,
        )
        .execution_options(synchronize_session=False)
        .returning(TicketRow.id)
    )
    if taken.first() is None:
        if await session.scalar(select(TicketRow.id).where(ours)) is None:
            raise NotFound(_("There is no such ticket."))
        raise Conflict(_("Somebody was quicker: this ticket is no longer free."))
    row = await locked(session, principal, ticket_id=ticket_id)
    obstacle = await _forbidden(session, clock, principal, row, person_id=principal.person_id or 0)
    if obstacle is not None:
        raise Refused(_YOU_MAY_NOT[obstacle])
    await tell(session, clock, principal, row, Deed.TAKEN, text=principal.name)
    said = TicketMoved(organisation_id=row.organisation_id, ticket_id=row.id, act=Act.TAKE, state=row.state)
    await emit(session, clock, said)


async def release(session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int, version: int) -> None:
    """Give a ticket back, so that anybody may take it."""
    row = await working(session, principal, ticket_id=ticket_id, version=version)
    row.assignee_id, row.assignee_name = None, ""
    await carry(session, clock, principal, row, Act.RELEASE)


async def propose(session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int, text: str = "") -> None:
    """Put a plan, or a changed one, to whoever pays: no work goes on before it is agreed to.

    Raises:
        Conflict: nobody has the ticket, or it is past being planned.
    """
    row = await locked(session, principal, ticket_id=ticket_id)
    require_owner(principal, row)
    await carry(session, clock, principal, row, Act.PROPOSE, text=text)


async def agree(session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int, text: str = "") -> None:
    """Note that the plan in force is agreed to; by whom and how, whoever keeps the plans has made sure.

    Raises:
        Conflict: no plan waits for consent.
    """
    row = await locked(session, principal, ticket_id=ticket_id)
    await carry(session, clock, principal, row, Act.AGREE, text=text)


async def refuse(session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int, text: str = "") -> None:
    """Note that the plan in force is refused: another one is needed, or none.

    Raises:
        Conflict: no plan waits for consent.
    """
    row = await locked(session, principal, ticket_id=ticket_id)
    await carry(session, clock, principal, row, Act.REFUSE, text=text)


async def lapse(session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int) -> None:
    """Give a ticket whose plan nobody answered in time back to whoever has it; its clocks run again.

    Raises:
        Conflict: no plan of it waits for consent.
    """
    await carry(session, clock, principal, await locked(session, principal, ticket_id=ticket_id), Act.LAPSE)


async def take_turn(
    session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int, is_ours: bool
) -> None:
    """Let a planned ticket's clocks run while a question about the plan is ours to answer, and stand again after."""
    row = await locked(session, principal, ticket_id=ticket_id)
    if row.state is State.PLANNED:
        await timers.run_or_stand(session, clock, principal, row, runs=is_ours)


async def start(session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int, version: int) -> None:
    """Begin the work.

    Raises:
        Conflict: it needs a plan, and nobody has agreed to one.
    """
    row = await working(session, principal, ticket_id=ticket_id, version=version)
    await _require_certified(session, clock, principal, row)
    await carry(session, clock, principal, row, Act.START)


async def start_emergency(
    session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int, version: int, reason: str
) -> None:
    """Begin the work before anybody has agreed to it, for a reason that stays with the ticket.

    Raises:
        Refused: no reason is given.
    """
    row = await working(session, principal, ticket_id=ticket_id, version=version)
    await _require_certified(session, clock, principal, row)
    row.emergency_reason = required(reason, "emergency_reason", _("Say why the work can't wait for consent."))
    await carry(session, clock, principal, row, Act.START_EMERGENCY, text=row.emergency_reason)


async def arrive(session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int) -> None:
    """Note that somebody is on the spot; the first time meets the deadline for it.

    Raises:
        Conflict: the ticket is done or cancelled.
    """
    row = await locked(session, principal, ticket_id=ticket_id)
    require_owner(principal, row)
    if row.state not in UNDONE:
        raise Conflict(_("This ticket is closed."))
    await timers.meet(session, clock, principal, row, Target.ARRIVAL)
    await tell(session, clock, principal, row, Deed.ARRIVED)


async def wait(
    session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int, version: int, reason: str
) -> None:
    """Let a ticket wait for what is not ours to hasten; its clocks stand meanwhile.

    Raises:
        Refused: nobody says what for.
    """
    row = await working(session, principal, ticket_id=ticket_id, version=version)
    row.waiting_for = required(reason, "waiting_for", _("Say what it waits for."))
    await carry(session, clock, principal, row, Act.WAIT, text=row.waiting_for)


async def go_on(session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int, version: int) -> None:
    """Go on with a ticket that waited, from where it was."""
    row = await working(session, principal, ticket_id=ticket_id, version=version)
    await carry(session, clock, principal, row, Act.CONTINUE)


async def resolve(
    session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int, version: int, result: str
) -> None:
    """Finish the work and say what was done; an alarm's ticket is done when the sensor says so too.

    Raises:
        Refused: nothing is said.
    """
    row = await working(session, principal, ticket_id=ticket_id, version=version)
    said = required(result, "result", _("Say what was done."))
    must = await must_verify(session, principal, ticket_id=row.id)
    await carry(session, clock, principal, row, Act.RESOLVE, text=said, must_verify=must)
    close(row, at=clock.now() if row.state is State.RESOLVED else None, result=said, by=principal.person_id)


async def vouch(
    session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int, version: int, reason: str
) -> None:
    """Resolve a ticket whose work is done on somebody's word, where the sensor that is to say so can't.

    Its alarm stands until its value returns, and stays this ticket's: it opens no other. The same rule raising at the
    same point again within the type's days of rework takes the ticket up again, as after any work.

    Raises:
        Forbidden: the principal is neither at the desk nor in the control room.
        Conflict: it changed since `version` was read, or waits for no sensor.
        Refused: no reason is given.
    """
    principal.require(Role.DESK, Role.OPERATOR)
    row = await seen(session, principal, ticket_id=ticket_id, version=version)
    said = required(reason, "vouch_reason", _("Say how you know that the work is done."))
    await carry(session, clock, principal, row, Act.VOUCH, text=said, is_public=False)
    row.closed_at = clock.now()
    audit.record(
        session, clock, principal, action="tickets.vouched", subject=f"ticket:{row.id}", after={"reason": said}
    )


async def reopen(
    session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int, version: int, reason: str
) -> None:
    """Take a ticket up again: to whoever resolved it, or free for anybody if nobody has it."""
    row = await working(session, principal, ticket_id=ticket_id, version=version)
    text = required(reason, "reason", _("Say why it is taken up again."))
    await take_up(session, clock, principal, row, text=text)


async def take_up(session: AsyncSession, clock: Clock, principal: Principal, row: TicketRow, *, text: str) -> None:
    """Take a locked ticket up again; what it was merged into holds it no longer, nor does who does no repairs now."""
    if row.assignee_id is not None and await _worker(session, principal, row.assignee_id) is None:
        row.assignee_id, row.assignee_name = None, ""
    await carry(session, clock, principal, row, Act.REOPEN, text=text)
    row.closed_at, row.result, row.resolved_by, row.merged_into_id = None, "", None, None
    row.emergency_reason = ""  # what could not wait then may wait now: whoever begins early again says why
    row.reopened += 1


async def cancel(
    session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int, version: int, reason: str
) -> None:
    """End a ticket that was none, or that is no longer wanted.

    Raises:
        Refused: no reason is given.
    """
    principal.require(Role.DESK, Role.OPERATOR)
    row = await seen(session, principal, ticket_id=ticket_id, version=version)
    said = required(reason, "cancel_reason", _("Say why it is cancelled."))
    await carry(session, clock, principal, row, Act.CANCEL, text=said)
    row.assignee_id, row.assignee_name = None, ""
    close(row, at=clock.now(), result=said, by=None)


async def reclassify(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    *,
    ticket_id: int,
    version: int,
    type_code: str,
    priority: Priority,
) -> None:
    """Make a ticket one of another type or priority; its clocks keep what they have used.

    Work that nobody agreed to stops if the new type asks for a plan. Whoever has no certificate for what it is now
    has it no longer.

    Raises:
        Conflict: it changed since `version` was read, or is closed.
        NotFound: there is no such type.
    """
    principal.require(Role.DESK, Role.OPERATOR)
    row = await seen(session, principal, ticket_id=ticket_id, version=version)
    if row.state not in UNDONE:
        raise Conflict(_("This ticket is closed."))
    before = to_type(await session.get_one(TicketTypeRow, row.type_id))
    after = before
    if type_code != before.code:
        type_row = await find_type(session, clock, principal, code=type_code)
        after = to_type(type_row)
        row.type_id, row.kind = type_row.id, after.kind
    row.priority, row.version = int(priority), row.version + 1
    _ask_anew(row, after)
    await timers.retarget(session, clock, principal, row, before=before, after=after)
    await tell(session, clock, principal, row, Deed.RECLASSIFIED, text=after.code, is_public=False)
    taken_from = await _take_away(session, clock, row)
    changed = TicketReclassified(organisation_id=row.organisation_id, ticket_id=row.id, taken_from=taken_from)
    await emit(session, clock, changed)


async def note(
    session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int, text: str, is_public: bool
) -> None:
    """Write into a ticket's timeline.

    Raises:
        Refused: nothing is written.
    """
    row = await locked(session, principal, ticket_id=ticket_id)
    written = required(text, "text", _("Write something first."))
    await tell(session, clock, principal, row, Deed.NOTED, text=written, is_public=is_public or not principal.is_staff)


async def _worker(session: AsyncSession, principal: Principal, person_id: int) -> Person | None:
    """Return who does repairs now; None for everybody else."""
    return next(iter(await people.list_people(session, principal, role=Role.WORKER, ids=[person_id])), None)


async def _forbidden(
    session: AsyncSession, clock: Clock, principal: Principal, row: TicketRow, *, person_id: int
) -> Obstacle | None:
    """Return which lack of a certificate that a ticket needs keeps somebody from it."""
    needed = (await session.get_one(TicketTypeRow, row.type_id)).skills
    return await forbidden(session, clock, principal, person_id=person_id, needed=needed)


async def _require_certified(session: AsyncSession, clock: Clock, principal: Principal, row: TicketRow) -> None:
    """Let no work begin for which whoever has it has no certificate, or one that ended since."""
    if row.assignee_id is None:
        return
    obstacle = await _forbidden(session, clock, principal, row, person_id=row.assignee_id)
    if obstacle is not None:
        raise Refused((_YOU_MAY_NOT if row.assignee_id == principal.person_id else _THEY_MAY_NOT)[obstacle])


async def _take_away(session: AsyncSession, clock: Clock, row: TicketRow) -> int | None:
    """Free a ticket of whoever may not do it; return who that was, or None where it stays as it is."""
    system, holder = Principal.system(row.organisation_id), row.assignee_id
    if holder is None or await _forbidden(session, clock, system, row, person_id=holder) is None:
        return None
    if row.state is State.WAITING:
        row.assignee_id, row.assignee_name, row.waited_in = None, "", State.OPEN
        return holder
    if (row.state, Act.RELEASE) not in TRANSITIONS:
        return None
    row.assignee_id, row.assignee_name = None, ""
    await carry(session, clock, system, row, Act.RELEASE)
    return holder


def _ask_anew(row: TicketRow, ticket_type: TicketType) -> None:
    """Let no work go on that the type wants agreed to first, unless it was begun as an emergency."""
    row.consent = int(consent_under(Consent(row.consent), ticket_type))
    if row.consent == Consent.NEEDED and not row.emergency_reason:
        row.state = State.ASSIGNED if row.state is State.IN_WORK else row.state
        row.waited_in = State.ASSIGNED if row.waited_in is State.IN_WORK else row.waited_in

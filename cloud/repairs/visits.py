"""Visits: times that are offered and chosen from, arrival, work, a signature, or nobody at home."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core import audit
from cloud.core.clock import Clock, told_at
from cloud.core.errors import Conflict, Forbidden, NotFound, Refused
from cloud.core.principal import Principal
from cloud.repairs import announcing, sight, tables
from cloud.repairs.domain import Stage
from cloud.repairs.surveys import keep_photos
from cloud.repairs.tables import NAME_LENGTH, VisitRow
from cloud.tickets import service as tickets
from cloud.tickets.attachments import NewAttachment
from cloud.tickets.moving import check_text, required
from cloud.tickets.reading import Ticket
from firmware_configs.look.words import _

_MOST_WINDOWS = 6
_LONGEST_WINDOW = timedelta(hours=12)
_FURTHEST = timedelta(days=180)
_MOST_MINUTES = 7 * 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A time in which somebody may come."""

    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A visit as people see it.

    Attributes:
        windows: what was offered; empty for a visit that nobody offered.
        chosen: the window that was chosen; None while none is.
        labour_minutes: of all who came.
    """

    id: int
    ticket_id: int
    number: int
    windows: tuple[Window, ...]
    chosen: Window | None
    arrived_at: datetime | None
    left_at: datetime | None
    missed_at: datetime | None
    labour_minutes: int
    text: str
    signer: str
    signature_id: int | None

    @property
    def is_over(self) -> bool:
        """Return whether nobody will come for it any more."""
        return self.left_at is not None or self.missed_at is not None

    @property
    def is_open(self) -> bool:
        """Return whether a time may still be chosen."""
        return bool(self.windows) and self.arrived_at is None and not self.is_over


async def offer(
    session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int, windows: Sequence[Window]
) -> int:
    """Offer times for the next visit, and return the visit's id; they take the place of those offered before.

    Raises:
        Refused: a window can't be.
        Conflict: somebody is there now, or the ticket is closed.
        Forbidden: somebody else has the ticket.
    """
    ticket = await sight.worked_on(session, clock, principal, ticket_id=ticket_id)
    _check_windows(windows, now=told_at(clock))
    last = await _last(session, principal, ticket_id)
    if last is not None and last.arrived_at is not None and last.left_at is None:
        raise Conflict(_("Somebody is there now: finish that visit first."))
    offered = [[each.astimezone(UTC).isoformat() for each in (one.starts_at, one.ends_at)] for one in windows]
    if last is not None and last.left_at is None and last.missed_at is None:
        last.windows, last.starts_at, last.ends_at, last.chosen_by = offered, None, None, None
        last.offered_at = clock.now()
        row = last
    else:
        row = await _add(session, clock, principal, ticket_id, last, windows=offered)
    if len(windows) == 1:
        row.starts_at, row.ends_at = windows[0].starts_at, windows[0].ends_at
    await session.flush()
    who = await sight.concerned(session, clock, principal, ticket)
    key = f"visit-offered:{row.id}:{clock.now().isoformat()}"
    await announcing.visit_offered(session, clock, principal, ticket, who, key=key)
    return row.id


async def choose(
    session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int, visit_id: int, starts_at: datetime
) -> None:
    """Choose a time for a visit, or another one before anybody has come; the same again changes nothing.

    Raises:
        NotFound: there is no such visit.
        Conflict: that time is not offered, or not any more, or the ticket is closed.
        Forbidden: the principal neither asked for the work nor does it.
    """
    ticket = await sight.held(session, clock, principal, ticket_id=ticket_id)
    if principal.is_staff and not sight.is_working(principal, ticket):
        raise Forbidden(_("Only whoever has this ticket, the front desk and the control room may do this."))
    if not ticket.is_undone:
        raise Conflict(_("This ticket is closed."))
    row = await _find(session, principal, ticket_id, visit_id)
    window = next((each for each in _windows(row) if each.starts_at == starts_at), None)
    if window is None or not _visit(row).is_open or window.ends_at <= clock.now():
        raise Conflict(_("This time is not offered any more. Choose another."), "starts_at")
    if row.starts_at == window.starts_at and row.chosen_by is not None:
        return
    row.starts_at, row.ends_at, row.chosen_by = window.starts_at, window.ends_at, principal.person_id
    await session.flush()
    audit.record(
        session,
        clock,
        principal,
        action="repairs.visit_chosen",
        subject=f"ticket:{ticket_id}",
        after={"visit": row.number, "starts_at": starts_at.isoformat()},
    )
    if not principal.is_staff:
        local = starts_at.astimezone(await sight.zone(session, principal))
        key = f"visit-chosen:{row.id}:{clock.now().isoformat()}"
        await announcing.visit_chosen(session, clock, principal, ticket, starts_at=local, key=key)


async def arrive(session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int) -> int:
    """Note that somebody is there, and return the visit's id; said again, it changes nothing.

    Raises:
        Conflict: the ticket is closed.
        Forbidden: somebody else has the ticket.
    """
    await sight.worked_on(session, clock, principal, ticket_id=ticket_id)
    row = await _last(session, principal, ticket_id)
    if row is None or row.left_at is not None or row.missed_at is not None:
        row = await _add(session, clock, principal, ticket_id, row, windows=[])
    if row.arrived_at is None:
        row.arrived_at = clock.now()
        await tickets.arrive(session, clock, principal, ticket_id=ticket_id)
    await session.flush()
    return row.id


async def leave(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    *,
    ticket_id: int,
    labour_minutes: int,
    text: str = "",
    signer: str = "",
    signature: NewAttachment | None = None,
    before: Sequence[NewAttachment] = (),
    after: Sequence[NewAttachment] = (),
) -> None:
    """End the visit that goes on: how long it took, what it looked like, and who signed.

    Raises:
        Refused: the time can't be.
        Conflict: nobody is there.
        Forbidden: somebody else has the ticket.
    """
    await sight.worked_on(session, clock, principal, ticket_id=ticket_id)
    row = await _last(session, principal, ticket_id)
    if row is None or row.arrived_at is None or row.left_at is not None:
        raise Conflict(_("Nobody has arrived yet: note the arrival first."))
    if not 0 <= labour_minutes <= _MOST_MINUTES:
        raise Refused(_("Labour is 0 to %(most)d minutes, of all who came."), "labour_minutes", most=_MOST_MINUTES)
    check_text(text, "text")
    if signature is not None and not signer.strip():
        raise Refused(_("Write the name of whoever signed."), "signer")
    row.left_at, row.labour_minutes, row.text = clock.now(), labour_minutes, text.strip()
    row.signer = signer.strip()[:NAME_LENGTH]
    row.signature_id = signature.file_id if signature is not None else None
    await session.flush()
    drawn = [signature] if signature is not None else []
    for photos, stage in ((before, Stage.BEFORE), (after, Stage.AFTER), (drawn, Stage.SIGNATURE)):
        await keep_photos(session, clock, principal, ticket_id=ticket_id, photos=photos, stage=stage)


async def miss(session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int, reason: str) -> None:
    """Note that a visit came to nothing, and tell those for whom it was; another one may be offered.

    Raises:
        Refused: no reason is given.
        Conflict: no visit is due.
        Forbidden: somebody else has the ticket.
    """
    ticket = await sight.worked_on(session, clock, principal, ticket_id=ticket_id)
    said = required(reason, "reason", _("Say why the visit came to nothing."))
    row = await _last(session, principal, ticket_id)
    if row is None or _visit(row).is_over:
        raise Conflict(_("No visit is due."))
    row.missed_at, row.text = clock.now(), said
    await session.flush()
    await tickets.note(session, clock, principal, ticket_id=ticket_id, text=said, is_public=True)
    who = await sight.concerned(session, clock, principal, ticket)
    key = f"visit-missed:{row.id}"
    await announcing.visit_missed(session, clock, principal, ticket, who, reason=said, key=key)


async def visits(session: AsyncSession, principal: Principal, *, ticket_ids: Sequence[int]) -> dict[int, list[Visit]]:
    """Return the visits of tickets that the principal has seen, the first one first."""
    found: dict[int, list[Visit]] = {ticket_id: [] for ticket_id in ticket_ids}
    for row in await tables.visits_of(session, principal, ticket_ids):
        found[row.ticket_id].append(_visit(row))
    return found


async def is_there(session: AsyncSession, principal: Principal, ticket: Ticket) -> bool:
    """Return whether somebody is at a ticket's place now."""
    row = await _last(session, principal, ticket.id)
    return row is not None and row.arrived_at is not None and row.left_at is None and row.missed_at is None


async def _last(session: AsyncSession, principal: Principal, ticket_id: int) -> VisitRow | None:
    rows = await tables.visits_of(session, principal, [ticket_id])
    return rows[-1] if rows else None


async def _find(session: AsyncSession, principal: Principal, ticket_id: int, visit_id: int) -> VisitRow:
    for row in await tables.visits_of(session, principal, [ticket_id]):
        if row.id == visit_id:
            return row
    raise NotFound(_("There is no such visit."))


async def _add(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    ticket_id: int,
    last: VisitRow | None,
    *,
    windows: list[list[str]],
) -> VisitRow:
    row = VisitRow(
        organisation_id=principal.organisation_id,
        ticket_id=ticket_id,
        number=last.number + 1 if last is not None else 1,
        windows=windows,
        offered_at=clock.now(),
    )
    session.add(row)
    await session.flush()
    return row


def _check_windows(windows: Sequence[Window], *, now: datetime) -> None:
    if not 1 <= len(windows) <= _MOST_WINDOWS:
        raise Refused(_("Offer 1 to %(most)d times."), "windows", most=_MOST_WINDOWS)
    for each in windows:
        if (
            not now < each.ends_at <= now + _FURTHEST
            or not timedelta() < each.ends_at - each.starts_at <= _LONGEST_WINDOW
        ):
            raise Refused(_("A time to come begins before it ends and lasts at most 12 hours."), "windows")
    if len({each.starts_at for each in windows}) < len(windows):
        raise Refused(_("Two of the times begin together."), "windows")


def _windows(row: VisitRow) -> tuple[Window, ...]:
    return tuple(
        Window(starts_at=datetime.fromisoformat(starts), ends_at=datetime.fromisoformat(ends))
        for starts, ends in row.windows
    )


def _visit(row: VisitRow) -> Visit:
    has_chosen = row.starts_at is not None and row.ends_at is not None
    return Visit(
        id=row.id,
        ticket_id=row.ticket_id,
        number=row.number,
        windows=_windows(row),
        chosen=Window(starts_at=row.starts_at, ends_at=row.ends_at) if has_chosen else None,  # type: ignore[arg-type]  # both are there together
        arrived_at=row.arrived_at,
        left_at=row.left_at,
        missed_at=row.missed_at,
        labour_minutes=row.labour_minutes,
        text=row.text,
        signer=row.signer,
        signature_id=row.signature_id,
    )

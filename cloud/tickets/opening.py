"""Opening tickets: what it is, where, who asked, and how that came in."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.alarms.domain import Priority
from cloud.core.clock import Clock
from cloud.core.errors import Forbidden, Refused
from cloud.core.outbox import emit
from cloud.core.principal import Principal, Role
from cloud.core.words import Words
from cloud.tickets import timers
from cloud.tickets.domain import Consent, Deed, Origin, Payer, State, TicketOpened, consent_under
from cloud.tickets.moving import check_text, required
from cloud.tickets.tables import NAME_LENGTH, NO_DEADLINE, PHONE_LENGTH, SUBJECT_LENGTH, TicketRow, next_number
from cloud.tickets.timeline import tell
from cloud.tickets.types import find_type, to_type
from firmware_configs.look.words import _


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where the work is.

    Attributes:
        place: the names of the place and of what it lies in, from the widest to the narrowest.
    """

    community_id: int | None = None
    place_id: int | None = None
    place: str = ""


async def open_ticket(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    *,
    type_code: str,
    subject: Words,
    location: Location,
    priority: Priority | None = None,
    description: str = "",
    unit_id: int | None = None,
    requester_id: int | None = None,
    requester_name: str = "",
    requester_phone: str = "",
    origin: Origin = Origin.STAFF,
    payer: Payer | None = None,
    waiting_for: str = "",
) -> int:
    """Open a ticket and return its id; its deadlines run from now on its type's calendar.

    An owner opens tickets in their own name, for a unit that they occupy or for what all share.

    Args:
        session: of the transaction.
        clock: the cloud's.
        principal: who opens it.
        type_code: which kind of work it is.
        subject: what is to be done; an alarm's ticket may leave it to the alarm's cause.
        location: where.
        priority: None for the type's own.
        description: what else is known.
        unit_id: the unit that it is about.
        requester_id: whoever asked, as a person; name and phone are what they said.
        requester_name: who to ask for.
        requester_phone: under which number.
        origin: how it came in.
        payer: None for the type's own.
        waiting_for: what must happen first; the clock then stands from the beginning.

    Raises:
        NotFound: there is no such type.
        Refused: the subject is missing or too long.
        Forbidden: an owner asks for somebody else, or for a unit that is not theirs.
    """
    _check_opener(principal, requester_id=requester_id, unit_id=unit_id)
    if origin is not Origin.ALARM:
        _check_subject(subject)
    check_text(description, "description")
    type_row = await find_type(session, clock, principal, code=type_code)
    ticket_type, now = to_type(type_row), clock.now()
    row = TicketRow(
        organisation_id=principal.organisation_id,
        community_id=location.community_id,
        place_id=location.place_id,
        unit_id=unit_id,
        number=await next_number(session, organisation_id=principal.organisation_id, year=now.year),
        type_id=type_row.id,
        kind=ticket_type.kind,
        state=State.WAITING if waiting_for else State.OPEN,
        waited_in=State.OPEN if waiting_for else None,
        waiting_for=required(waiting_for, "waiting_for", _("Say what it waits for.")) if waiting_for else "",
        priority=int(priority or ticket_type.default_priority),
        subject_zh=subject.zh,
        subject_en=subject.en,
        description=description.strip(),
        place=location.place,
        requester_id=requester_id,
        requester_name=requester_name.strip()[:NAME_LENGTH],
        requester_phone=requester_phone.strip()[:PHONE_LENGTH],
        origin=origin,
        payer=payer or ticket_type.payer,
        consent=int(consent_under(Consent.NOT_NEEDED, ticket_type)),
        opened_at=now,
        opened_by=principal.person_id,
        due_at=NO_DEADLINE,
    )
    session.add(row)
    await session.flush()
    await timers.begin(session, clock, principal, row, ticket_type)
    await tell(session, clock, principal, row, Deed.OPENED, is_public=True)
    await emit(session, clock, TicketOpened(organisation_id=row.organisation_id, ticket_id=row.id))
    return row.id


def _check_opener(principal: Principal, *, requester_id: int | None, unit_id: int | None) -> None:
    if principal.is_staff:
        principal.require(Role.DESK, Role.OPERATOR)
        return
    principal.require(Role.OWNER)
    if requester_id != principal.person_id or (unit_id is not None and unit_id not in principal.units):
        raise Forbidden(_("You may open tickets in your own name, for a unit that you live in or own."))


def _check_subject(subject: Words) -> None:
    if not (subject.zh or subject.en):
        raise Refused(_("Say what is to be done."), "subject")
    if max(len(subject.zh), len(subject.en)) > SUBJECT_LENGTH:
        raise Refused(_("Too long: at most %(length)d characters."), "subject", length=SUBJECT_LENGTH)

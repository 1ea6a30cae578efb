"""What came in at the desk, written down line by line: who, where, what, and how it ended."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from sqlalchemy import Table, exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from cloud.alarms.domain import Priority
from cloud.core import audit
from cloud.core.clock import Clock
from cloud.core.database import hold
from cloud.core.errors import NotFound, Refused
from cloud.core.listing import Ask, Found, Listing, containing, fetch
from cloud.core.principal import Principal, Role
from cloud.core.words import Words
from cloud.properties import finding as properties
from cloud.properties.finding import Spot
from cloud.reception import catalogue
from cloud.reception.domain import (
    NAME_LENGTH,
    TAKES_CALLS,
    Channel,
    Ending,
    Entry,
    Subject,
    check_text,
    duration_s,
)
from cloud.reception.lines import Interaction, keep, read, state, to_row
from cloud.reception.tables import PHONE_LENGTH, InteractionRow, by_key, seen
from cloud.tickets import reading
from cloud.tickets.domain import Origin
from cloud.tickets.opening import Location, open_ticket
from cloud.tickets.service import note
from firmware_configs.look.words import _

_SUBJECT_LENGTH = 200
_ORIGINS = {
    Channel.CALL: Origin.CALL,
    Channel.MAIL: Origin.MAIL,
    Channel.VISIT: Origin.VISIT,
    Channel.APP: Origin.APP,
}
_ROWS = cast("Table", InteractionRow.__table__).c


async def answered(session: AsyncSession, clock: Clock, principal: Principal, entry: Entry) -> int:
    """Write down what was answered, which is no ticket; return the line's id.

    Raises:
        Forbidden: the principal takes no calls.
        NotFound: person, unit, place or price are not the principal's to see.
        Refused: a text is too long.
    """
    return await write(session, clock, principal, entry, ending=Ending.ANSWERED)


async def no_matter(session: AsyncSession, clock: Clock, principal: Principal, entry: Entry) -> int:
    """Write down that nobody asked for anything; raises as `answered` does."""
    return await write(session, clock, principal, entry, ending=Ending.NO_MATTER)


async def about_ticket(
    session: AsyncSession, clock: Clock, principal: Principal, entry: Entry, *, ticket_id: int
) -> int:
    """Write down that somebody spoke about a ticket that there was, in its timeline too; raises as `answered` does."""
    await reading.ticket(session, clock, principal, ticket_id=ticket_id)
    await hold(session, f"interaction {principal.organisation_id} {entry.key}")
    is_known = await by_key(session, principal, entry.key) is not None
    written = await write(session, clock, principal, entry, ending=Ending.TICKET, ticket_id=ticket_id)
    if not is_known and entry.text.strip():
        await note(session, clock, principal, ticket_id=ticket_id, text=entry.text, is_public=False)
    return written


async def opened(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    entry: Entry,
    *,
    type_code: str,
    priority: Priority | None = None,
) -> int:
    """Open a ticket for what came in and write that down; return the ticket's id.

    The same entry again opens no second ticket.

    Raises:
        Forbidden: the principal takes no calls.
        NotFound: there is no such type; or person, unit, place or price are not the principal's to see.
        Refused: it is not said what is to be done, or where.
    """
    principal.require(*TAKES_CALLS)
    await hold(session, f"interaction {principal.organisation_id} {entry.key}")
    known = await by_key(session, principal, entry.key)
    if known is not None and known.ticket_id is not None:
        return known.ticket_id
    spot = await _spot(session, principal, entry)
    if spot is None:
        raise Refused(_("Say where it is."), "where")
    if not entry.text.strip():
        raise Refused(_("Say what is to be done."), "text")
    name, phone = await _caller(session, principal, entry)
    subject, description = _subject_of(entry.text)
    ticket_id = await open_ticket(
        session,
        clock,
        principal,
        type_code=type_code,
        subject=Words(zh=subject, en=subject),
        location=Location(community_id=spot.community_id, place_id=spot.place_id, place=spot.label),
        priority=priority,
        description=description,
        unit_id=spot.unit_id,
        requester_id=entry.person_id,
        requester_name=name,
        requester_phone=phone,
        origin=_ORIGINS[entry.channel],
    )
    await write(session, clock, principal, entry, ending=Ending.TICKET, ticket_id=ticket_id)
    return ticket_id


async def correct(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    *,
    interaction_id: int,
    subject: Subject,
    text: str,
    answer: str,
    key: str,
) -> int:
    """Put a line right by another one, which is written down beside it; return that one's id.

    Raises:
        Forbidden: the principal is not at the desk.
        NotFound: there is no such line.
        Refused: the line was put right already, or a text is too long.
    """
    principal.require(Role.DESK)
    await hold(session, f"correction {interaction_id}")
    # any organisation: seen and _corrections_of leave only the principal's
    row = await session.scalar(seen(principal, InteractionRow).where(InteractionRow.id == interaction_id))
    if row is None:
        raise NotFound(_("There is no such entry."))
    if await session.scalar(select(exists().where(*_corrections_of(principal, interaction_id)))):
        raise Refused(_("This line was put right already: put the newer one right instead."))
    kept = {
        name: getattr(row, name)
        for name in _ROWS.keys()  # noqa: SIM118  a collection of columns is no mapping
        if name not in {"id", "key", "subject", "text", "answer", "corrects_id", "written_at", "taken_by", "taken_name"}
    }
    new = InteractionRow(
        **kept,
        subject=subject,
        text=check_text(text, "text"),
        answer=check_text(answer, "answer"),
        corrects_id=row.id,
        written_at=clock.now(),
        taken_by=principal.person_id,
        taken_name=principal.name,
        key=key,
    )
    session.add(new)
    await session.flush()
    before, after = audit.changed(state(row), state(new))
    audit.record(
        session, clock, principal, action="reception.corrected", subject=f"interaction:{row.id}", before=before,
        after={**after, "by": new.id},
    )  # fmt: skip
    return new.id


async def list_interactions(session: AsyncSession, principal: Principal, ask: Ask) -> Found[Interaction]:
    """Return what came in, the newest first.

    Raises:
        Forbidden: the principal is neither at the desk nor a manager.
    """
    principal.require(Role.DESK, Role.MANAGER)
    listing = Listing(
        select=seen(principal, InteractionRow),
        columns={
            "begun": _ROWS.begun_at,
            "channel": _ROWS.channel,
            "subject": _ROWS.subject,
            "ending": _ROWS.ending,
            "name": _ROWS.name,
            "place": _ROWS.place,
            "taken": _ROWS.taken_name,
        },
        key=_ROWS.id,
        order=(_ROWS.begun_at.desc(), _ROWS.id.desc()),
        search=containing(_ROWS.name, _ROWS.place, _ROWS.text, _ROWS.answer),
    )
    found = await fetch(session, listing, ask)
    return found.of(await read(session, principal, [row.InteractionRow for row in found.rows]))


async def find_interaction(session: AsyncSession, principal: Principal, interaction_id: int) -> Interaction:
    """Return one line.

    Raises:
        Forbidden: the principal is neither at the desk nor a manager.
        NotFound: there is none that the principal may see.
    """
    principal.require(Role.DESK, Role.MANAGER)
    row = await session.scalar(seen(principal, InteractionRow).where(InteractionRow.id == interaction_id))
    if row is None:
        raise NotFound(_("There is no such entry."))
    return (await read(session, principal, [row]))[0]


async def last_contacts(
    session: AsyncSession,
    principal: Principal,
    *,
    person_id: int | None = None,
    unit_id: int | None = None,
    ticket_id: int | None = None,
    limit: int = 8,
) -> list[Interaction]:
    """Return the last lines about a person, a unit or a ticket, without those that were put right by others."""
    later = aliased(InteractionRow)
    found = seen(principal, InteractionRow).where(~exists().where(later.corrects_id == InteractionRow.id))
    # any organisation: seen leaves only the principal's
    for column, value in (
        (InteractionRow.person_id, person_id),
        (InteractionRow.unit_id, unit_id),
        (InteractionRow.ticket_id, ticket_id),
    ):
        found = found if value is None else found.where(column == value)
    newest = found.order_by(InteractionRow.begun_at.desc(), InteractionRow.id.desc()).limit(limit)
    return await read(session, principal, (await session.scalars(newest)).all())


async def write(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    entry: Entry,
    *,
    ending: Ending,
    ticket_id: int | None = None,
    callback_id: int | None = None,
) -> int:
    """Write a line down once, whatever it ended in; return its id. Raises as `answered` does."""
    principal.require(*TAKES_CALLS)
    await hold(session, f"interaction {principal.organisation_id} {entry.key}")
    known = await by_key(session, principal, entry.key)
    if known is not None:
        return known.id
    name, phone = await _caller(session, principal, entry)
    if entry.price_id is not None:
        await catalogue.price_words(session, principal, entry.price_id)
    row = to_row(
        clock,
        principal,
        replace(entry, name=name, phone=phone, callback_id=callback_id or entry.callback_id),
        ending=ending,
        spot=await _spot(session, principal, entry),
        ticket_id=ticket_id,
    )
    row.taken_by, row.taken_name = principal.person_id, principal.name
    row.duration_s = duration_s(entry.begun_at, clock.now())
    await keep(session, clock, principal, row)
    return row.id


async def _caller(session: AsyncSession, principal: Principal, entry: Entry) -> tuple[str, str]:
    """Return the name and the number of whoever came: those they said, or those that are known."""
    if entry.person_id is None:
        return entry.name.strip()[:NAME_LENGTH], entry.phone.strip()[:PHONE_LENGTH]
    known = await properties.find_person(session, principal, entry.person_id)
    return known.name, known.phone or ""


async def _spot(session: AsyncSession, principal: Principal, entry: Entry) -> Spot | None:
    if entry.unit_id is None and entry.place_id is None:
        return None
    return await properties.find_spot(session, principal, unit_id=entry.unit_id, place_id=entry.place_id)


def _subject_of(text: str) -> tuple[str, str]:
    """Return what a ticket is called and what else is known: the first line, and all of it when there is more."""
    text = check_text(text, "text")
    first = text.partition("\n")[0].strip()
    return first[:_SUBJECT_LENGTH], text if text != first or len(first) > _SUBJECT_LENGTH else ""


def _corrections_of(principal: Principal, interaction_id: int) -> Sequence[Any]:
    return (
        InteractionRow.organisation_id == principal.organisation_id,
        InteractionRow.corrects_id == interaction_id,
    )

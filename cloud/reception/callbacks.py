"""Calls back that were promised: due at a time, told to the desk, made or tried again."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from sqlalchemy import Table, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import people
from cloud.accounts.phones import masked
from cloud.core import audit
from cloud.core.clock import Clock
from cloud.core.database import hold
from cloud.core.errors import Conflict, NotFound, Refused
from cloud.core.listing import Ask, Found, Listing, containing, fetch
from cloud.core.principal import Principal, Role
from cloud.core.words import Words
from cloud.notifications.domain import Kind
from cloud.notifications.service import notify
from cloud.reception import service
from cloud.reception.domain import (
    TAKES_CALLS,
    CallbackState,
    Channel,
    Ending,
    Entry,
    Subject,
    check_promise,
    check_text,
)
from cloud.reception.tables import CallbackRow, InteractionRow, by_key, due_callbacks, locked, seen
from firmware_configs.look.words import _

_AT_ONCE = 200
_ROWS = cast("Table", CallbackRow.__table__).c


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """A promise, as people see it.

    Attributes:
        phone: to be masked wherever it is shown.
        tries: calls at which nobody was reached.
        is_due: its time has come and nobody has called yet.
    """

    id: int
    state: CallbackState
    person_id: int | None
    name: str
    phone: str
    unit_id: int | None
    place_id: int | None
    place: str
    subject: Subject
    text: str
    due_at: datetime
    is_due: bool
    tries: int
    promised_at: datetime
    taken_name: str
    version: int


async def promise(session: AsyncSession, clock: Clock, principal: Principal, entry: Entry, *, due_at: datetime) -> int:
    """Promise whoever came a call back, and write it down; return the promise's id.

    The same entry again promises nothing more.

    Raises:
        Forbidden: the principal takes no calls.
        NotFound: person, unit or place are not the principal's to see.
        Refused: the time is past or too far away, or nobody could be called.
    """
    principal.require(*TAKES_CALLS)
    await hold(session, f"interaction {principal.organisation_id} {entry.key}")
    known = await by_key(session, principal, entry.key)
    if known is not None and known.callback_id is not None:
        return known.callback_id
    row = CallbackRow(
        organisation_id=principal.organisation_id,
        state=CallbackState.OPEN,
        person_id=entry.person_id,
        name="",
        phone="",
        unit_id=entry.unit_id,
        place_id=entry.place_id,
        place="",
        subject=entry.subject,
        text=check_text(entry.text, "text"),
        due_at=check_promise(due_at, clock.now()),
        promised_at=clock.now(),
        taken_by=principal.person_id,
        taken_name=principal.name,
    )
    session.add(row)
    await session.flush()
    written = await service.write(session, clock, principal, entry, ending=Ending.CALLBACK, callback_id=row.id)
    line = await session.get_one(InteractionRow, written)
    row.community_id, row.name, row.phone, row.place = line.community_id, line.name, line.phone, line.place
    if not row.phone:
        raise Refused(_("Write down the number to call back."), "phone")
    return row.id


async def reached(
    session: AsyncSession, clock: Clock, principal: Principal, *, callback_id: int, version: int, answer: str, key: str
) -> None:
    """Write down that the call back was made.

    Raises:
        Forbidden: the principal is not at the desk.
        NotFound: there is no such promise.
        Conflict: somebody else has called meanwhile.
    """
    row = await _open(session, principal, callback_id=callback_id, version=version)
    entry = replace(_entry(row, clock, key=key), answer=answer)
    await service.write(session, clock, principal, entry, ending=Ending.ANSWERED)
    _close(row, clock, CallbackState.DONE)


async def not_reached(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    *,
    callback_id: int,
    version: int,
    due_at: datetime,
    key: str,
) -> None:
    """Write down that nobody was reached, and when it is tried again.

    Raises:
        Forbidden: the principal is not at the desk.
        NotFound: there is no such promise.
        Refused: the time is past or too far away.
        Conflict: somebody else has called meanwhile.
    """
    row = await _open(session, principal, callback_id=callback_id, version=version)
    again_at = check_promise(due_at, clock.now())
    await service.write(session, clock, principal, _entry(row, clock, key=key), ending=Ending.CALLBACK)
    row.due_at, row.told_at, row.tries, row.version = again_at, None, row.tries + 1, row.version + 1


async def give_up(
    session: AsyncSession, clock: Clock, principal: Principal, *, callback_id: int, version: int, reason: str, key: str
) -> None:
    """Write down that somebody can't be reached at all, and why no more is tried.

    Raises:
        Forbidden: the principal is not at the desk.
        NotFound: there is no such promise.
        Refused: no reason is given.
        Conflict: somebody else has called meanwhile.
    """
    row = await _open(session, principal, callback_id=callback_id, version=version)
    said = check_text(reason, "reason")
    if not said:
        raise Refused(_("Say why nobody tries again."), "reason")
    entry = replace(_entry(row, clock, key=key), answer=said)
    await service.write(session, clock, principal, entry, ending=Ending.UNREACHED)
    _close(row, clock, CallbackState.GIVEN_UP)


async def make_ticket(
    session: AsyncSession, clock: Clock, principal: Principal, *, callback_id: int, version: int, type_code: str,
    text: str, unit_id: int | None, place_id: int | None, key: str,
) -> int:  # fmt: skip
    """Open a ticket for what was said when the call back was made; return the ticket's id.

    Raises:
        Forbidden: the principal is not at the desk.
        NotFound: there is no such promise, type, unit or place.
        Refused: it is not said what is to be done, or where.
        Conflict: somebody else has called meanwhile.
    """
    row = await _open(session, principal, callback_id=callback_id, version=version)
    entry = replace(_entry(row, clock, key=key), text=text, unit_id=unit_id, place_id=place_id)
    ticket_id = await service.opened(session, clock, principal, entry, type_code=type_code)
    _close(row, clock, CallbackState.DONE)
    return ticket_id


async def list_callbacks(session: AsyncSession, clock: Clock, principal: Principal, ask: Ask) -> Found[Callback]:
    """Return the promises that are open, those that are due first.

    Raises:
        Forbidden: the principal is not at the desk.
    """
    principal.require(Role.DESK)
    listing = Listing(
        select=seen(principal, CallbackRow).where(CallbackRow.state == CallbackState.OPEN),
        columns={
            "due": _ROWS.due_at,
            "name": _ROWS.name,
            "place": _ROWS.place,
            "tries": _ROWS.tries,
            "taken": _ROWS.taken_name,
        },
        key=_ROWS.id,
        order=(_ROWS.due_at,),
        search=containing(_ROWS.name, _ROWS.place, _ROWS.text),
    )
    found = await fetch(session, listing, ask)
    return found.of([_callback(row.CallbackRow, clock.now()) for row in found.rows])


async def find_callback(session: AsyncSession, clock: Clock, principal: Principal, callback_id: int) -> Callback:
    """Return one promise.

    Raises:
        Forbidden: the principal is not at the desk.
        NotFound: there is none that the principal may see.
    """
    principal.require(Role.DESK)
    row = await session.scalar(seen(principal, CallbackRow).where(CallbackRow.id == callback_id))
    if row is None:
        raise NotFound(_("There is no such promise."))
    return _callback(row, clock.now())


async def reveal(session: AsyncSession, clock: Clock, principal: Principal, callback_id: int) -> str:
    """Return the number to call in full; that somebody looked is written down.

    Raises:
        Forbidden: the principal is not at the desk.
        NotFound: there is no such promise.
    """
    found = await find_callback(session, clock, principal, callback_id)
    audit.record(session, clock, principal, action="reception.phone_revealed", subject=f"callback:{callback_id}")
    return found.phone


async def open_for(session: AsyncSession, clock: Clock, principal: Principal, *, person_id: int) -> list[Callback]:
    """Return what a person was promised and still waits for."""
    # any organisation: seen leaves only the principal's
    found = seen(principal, CallbackRow).where(
        CallbackRow.person_id == person_id, CallbackRow.state == CallbackState.OPEN
    )
    return [_callback(row, clock.now()) for row in await session.scalars(found.order_by(CallbackRow.due_at))]


async def count_due(session: AsyncSession, clock: Clock, principal: Principal) -> int:
    """Return how many promises are due now."""
    # any organisation: seen leaves only the principal's
    due = seen(principal, CallbackRow).where(CallbackRow.state == CallbackState.OPEN, CallbackRow.due_at <= clock.now())
    return await session.scalar(select(func.count()).select_from(due.with_only_columns(CallbackRow.id).subquery())) or 0


async def tell_due(session: AsyncSession, clock: Clock) -> set[int]:
    """Tell the desk of promises that have come due; return whose they were, for as long as there are more."""
    rows = await due_callbacks(session, clock.now(), limit=_AT_ONCE)
    for row in rows:
        row.told_at = clock.now()
        principal = Principal.system(row.organisation_id)
        await notify(
            session,
            clock,
            principal,
            person_ids=await _at_the_desk(session, principal, row.community_id),
            kind=Kind.CALLBACK_DUE,
            subject=Words(zh=f"该回电了：{_who(row)}", en=f"Call back now: {_who(row)}"),
            text=Words(
                zh=f"{row.taken_name}答应回电。{row.place}{'：' if row.place else ''}{row.text}",
                en=f"{row.taken_name} promised it. {row.place}{': ' if row.place else ''}{row.text}",
            ),
            link=f"/desk/callbacks/{row.id}",
            key=f"callback:{row.id}:{row.version}",
        )
    return {row.organisation_id for row in rows}


def _who(row: CallbackRow) -> str:
    return row.name or masked(row.phone)


async def _at_the_desk(session: AsyncSession, principal: Principal, community_id: int | None) -> Collection[int]:
    desk = await people.list_people(session, principal, role=Role.DESK)
    return [person.id for person in desk if person.communities is None or community_id in person.communities]


async def _open(session: AsyncSession, principal: Principal, *, callback_id: int, version: int) -> CallbackRow:
    principal.require(Role.DESK)
    row = await locked(session, principal, CallbackRow, callback_id)
    if row is None:
        raise NotFound(_("There is no such promise."))
    if row.state is not CallbackState.OPEN or row.version != version:
        raise Conflict(_("Somebody else has called meanwhile: see what came of it."))
    return row


def _close(row: CallbackRow, clock: Clock, state: CallbackState) -> None:
    row.state, row.closed_at, row.version = state, clock.now(), row.version + 1


def _entry(row: CallbackRow, clock: Clock, *, key: str) -> Entry:
    return Entry(
        channel=Channel.CALL,
        subject=row.subject,
        begun_at=clock.now(),
        key=key,
        person_id=row.person_id,
        name=row.name,
        phone=row.phone,
        unit_id=row.unit_id,
        place_id=row.place_id,
        text=row.text,
        callback_id=row.id,
    )


def _callback(row: CallbackRow, now: datetime) -> Callback:
    return Callback(
        id=row.id,
        state=row.state,
        person_id=row.person_id,
        name=row.name,
        phone=row.phone,
        unit_id=row.unit_id,
        place_id=row.place_id,
        place=row.place,
        subject=row.subject,
        text=row.text,
        due_at=row.due_at,
        is_due=row.state is CallbackState.OPEN and row.due_at <= now,
        tries=row.tries,
        promised_at=row.promised_at,
        taken_name=row.taken_name,
        version=row.version,
    )

"""What whoever answers for an address should know: the desk's own notes, each until a day."""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import or_
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core import audit
from cloud.core.clock import Clock
from cloud.core.errors import NotFound, Refused
from cloud.core.principal import Principal, Role
from cloud.properties.finding import find_spot
from cloud.reception.catalogue import today_of
from cloud.reception.tables import HintRow, locked, seen
from firmware_configs.look.words import _

LONGEST = timedelta(days=366)
_LENGTH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """A note on a unit or a place; `until` is the last day on which it is shown."""

    id: int
    unit_id: int | None
    place_id: int | None
    text: str
    until: date
    author: str


async def add_hint(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    *,
    unit_id: int | None = None,
    place_id: int | None = None,
    text: str,
    until: date,
) -> int:
    """Return the id of a new note.

    Raises:
        Forbidden: the principal is not at the desk.
        NotFound: there is no such unit or place.
        Refused: nothing is written, or it would never or all too long be shown.
    """
    principal.require(Role.DESK)
    spot = await find_spot(session, principal, unit_id=unit_id, place_id=place_id)
    text, today = text.strip(), await today_of(session, clock, principal)
    if not 1 <= len(text) <= _LENGTH:
        raise Refused(_("Write at most %(length)d characters."), "text", length=_LENGTH)
    if not today <= until <= today + LONGEST:
        raise Refused(_("Choose a day from today on, within a year."), "until")
    row = HintRow(
        organisation_id=principal.organisation_id,
        community_id=spot.community_id,
        unit_id=spot.unit_id,
        place_id=spot.place_id,
        text=text,
        until=until,
        written_at=clock.now(),
        written_by=principal.person_id,
        author=principal.name,
    )
    session.add(row)
    await session.flush()
    after = {"text": text, "until": until.isoformat(), "place": spot.label}
    audit.record(session, clock, principal, action="reception.hint_added", subject=f"hint:{row.id}", after=after)
    return row.id


async def remove_hint(session: AsyncSession, clock: Clock, principal: Principal, hint_id: int) -> None:
    """Show a note no longer; done again it changes nothing.

    Raises:
        Forbidden: the principal is not at the desk.
        NotFound: there is no such note.
    """
    principal.require(Role.DESK)
    row = await locked(session, principal, HintRow, hint_id)
    if row is None:
        raise NotFound(_("There is no such note."))
    if row.removed_at is None:
        row.removed_at = clock.now()
        before = {"text": row.text}
        audit.record(
            session, clock, principal, action="reception.hint_removed", subject=f"hint:{row.id}", before=before
        )


async def hints_for(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    *,
    unit_ids: list[int],
    place_ids: list[int] | None = None,
) -> list[Hint]:
    """Return the notes on these units and places that are shown today, the newest first."""
    # any organisation: seen leaves only the principal's
    today = await today_of(session, clock, principal)
    found = seen(principal, HintRow).where(
        or_(HintRow.unit_id.in_(unit_ids), HintRow.place_id.in_(place_ids or [])),
        HintRow.removed_at.is_(None),
        HintRow.until >= today,
    )
    return [
        Hint(id=row.id, unit_id=row.unit_id, place_id=row.place_id, text=row.text, until=row.until, author=row.author)
        for row in await session.scalars(found.order_by(HintRow.id.desc()))
    ]

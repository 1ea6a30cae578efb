"""How people want to be told: channels by kind, an address for mail, a language and quiet hours."""

from collections.abc import Collection
from datetime import time

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core import audit
from cloud.core.clock import Clock
from cloud.core.errors import NotFound
from cloud.core.principal import Principal
from cloud.notifications import tables
from cloud.notifications.domain import OFFERS, Channel, Kind, Preferences, QuietHours, check_mail, masked
from cloud.notifications.tables import PreferencesRow
from firmware_configs.look.words import _

_MINUTES = 60


async def preferences_of(
    session: AsyncSession, principal: Principal, person_ids: Collection[int]
) -> dict[int, Preferences]:
    """Return how people of the principal's organisation want to be told; who never chose, as everybody by default."""
    rows = await tables.preferences(session, principal.organisation_id, person_ids)
    return {
        person_id: _preferences(rows[person_id]) if person_id in rows else Preferences() for person_id in person_ids
    }


async def own_preferences(session: AsyncSession, principal: Principal) -> Preferences | None:
    """Return how the principal wants to be told; None until they choose for the first time."""
    rows = await tables.preferences(session, principal.organisation_id, [principal.person_id or 0])
    return next((_preferences(row) for row in rows.values()), None)


async def choose(session: AsyncSession, clock: Clock, principal: Principal, wanted: Preferences) -> None:
    """Keep how the principal wants to be told from now on; what waits already goes as it was to go.

    Raises:
        NotFound: the principal is no person.
        Refused: no mail can go to the address.
    """
    if principal.person_id is None:
        raise NotFound(_("There is no such person."))
    mail = check_mail(wanted.mail) if wanted.mail else None
    rows = await tables.preferences(session, principal.organisation_id, [principal.person_id])
    row = rows.get(principal.person_id)
    before = _state(row) if row else {}
    if row is None:
        row = PreferencesRow(person_id=principal.person_id, organisation_id=principal.organisation_id)
        session.add(row)
    row.mail, row.language = mail, wanted.language
    row.quiet_begins = _minutes(wanted.quiet.begins) if wanted.quiet else None
    row.quiet_ends = _minutes(wanted.quiet.ends) if wanted.quiet else None
    row.chosen = {kind: sorted(channels & OFFERS[kind].allowed) for kind, channels in wanted.chosen.items()}
    was, is_now = audit.changed(before, _state(row))
    if is_now:
        subject = f"person:{principal.person_id}"
        audit.record(
            session, clock, principal, action="notifications.chosen", subject=subject, before=was, after=is_now
        )


def _preferences(row: PreferencesRow) -> Preferences:
    has_quiet = row.quiet_begins is not None and row.quiet_ends is not None
    return Preferences(
        mail=row.mail,
        language=row.language,
        quiet=QuietHours(_time(row.quiet_begins or 0), _time(row.quiet_ends or 0)) if has_quiet else None,
        chosen={Kind(kind): frozenset(map(Channel, channels)) for kind, channels in row.chosen.items()},
    )


def _state(row: PreferencesRow) -> dict[str, object]:
    return {
        "mail": masked(row.mail) if row.mail else None,
        "language": row.language,
        "quiet_begins": row.quiet_begins,
        "quiet_ends": row.quiet_ends,
        "channels": row.chosen,
    }


def _minutes(at: time) -> int:
    return at.hour * _MINUTES + at.minute


def _time(minutes: int) -> time:
    return time(*divmod(minutes, _MINUTES))

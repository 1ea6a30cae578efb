"""Calendars as versioned data: pinning the one in force, reading pinned ones, and making new versions."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import organisations
from cloud.calendars import hours, tables
from cloud.calendars.defaults import defaults
from cloud.calendars.definition import CalendarVersion, Definition, SpecialDay, business_calendar, checked
from cloud.calendars.domain import BusinessCalendar
from cloud.calendars.tables import CalendarRow
from cloud.core import audit
from cloud.core.clock import Clock
from cloud.core.database import hold
from cloud.core.errors import Conflict, NotFound
from cloud.core.principal import Principal, Role
from firmware_configs.look.words import _


async def pin(session: AsyncSession, clock: Clock, principal: Principal, *, code: str) -> int:
    """Return the id of the version in force; a default calendar is made when the organisation has never had it.

    Raises:
        NotFound: there is no such calendar.
    """
    found = await tables.in_force(session, organisation_id=principal.organisation_id, code=code)
    if found is None:
        await seed(session, clock, principal)
        found = await tables.in_force(session, organisation_id=principal.organisation_id, code=code)
    if found is None:
        raise NotFound(_("There is no such calendar."))
    return found.id


async def calendar(session: AsyncSession, principal: Principal, *, version_id: int) -> BusinessCalendar:
    """Return the arithmetic of a pinned version.

    Raises:
        NotFound: there is no such version.
    """
    found = await calendars(session, principal, [version_id])
    if version_id not in found:
        raise NotFound(_("There is no such calendar."))
    return found[version_id]


async def calendars(
    session: AsyncSession, principal: Principal, version_ids: Collection[int]
) -> dict[int, BusinessCalendar]:
    """Return the arithmetic of pinned versions by id, in one query; ids of none are left out."""
    rows = await tables.by_ids(session, organisation_id=principal.organisation_id, ids=set(version_ids))
    return {row.id: business_calendar(row.definition) for row in rows}


async def list_calendars(session: AsyncSession, principal: Principal) -> Sequence[CalendarVersion]:
    """Return the versions in force, by code."""
    rows = await tables.all_in_force(session, organisation_id=principal.organisation_id)
    return [row.as_version for row in rows]


async def find_calendar(session: AsyncSession, principal: Principal, *, code: str) -> CalendarVersion:
    """Return the version in force of a calendar.

    Raises:
        NotFound: there is no such calendar.
    """
    return (await _find(session, principal, code)).as_version


async def list_versions(session: AsyncSession, principal: Principal, *, code: str) -> Sequence[CalendarVersion]:
    """Return all versions of a calendar, the newest first."""
    rows = await tables.versions_of(session, organisation_id=principal.organisation_id, code=code)
    return [row.as_version for row in rows]


async def seed(session: AsyncSession, clock: Clock, principal: Principal) -> None:
    """Give the organisation the default calendars that it has none of; what it has stays as it is."""
    await _hold(session, principal)
    known = {row.code for row in await tables.all_in_force(session, organisation_id=principal.organisation_id)}
    organisation = await organisations.find_organisation(session, principal)
    for definition in defaults(organisation.time_zone):
        if definition.code not in known:
            await _put(session, clock, principal, definition, before=None)


async def define(
    session: AsyncSession, clock: Clock, principal: Principal, definition: Definition, *, version: int = 0
) -> int:
    """Return the id of a new version; what is pinned to an older one keeps it.

    `version` is the one that was changed, 0 for a calendar that is not there yet.

    Raises:
        Forbidden: the principal is no administrator.
        Refused: something in the definition can't be; the error names the field.
        Conflict: the code is taken, or somebody made a newer version meanwhile.
    """
    principal.require(Role.ADMINISTRATOR)
    definition = checked(definition)
    await _hold(session, principal)
    before = await tables.in_force(session, organisation_id=principal.organisation_id, code=definition.code)
    if before is not None and not version:
        raise Conflict(_("There is a calendar with this code. Choose another."), "code")
    if (before.version if before is not None else 0) != version:
        raise Conflict(_("Somebody else changed this calendar meanwhile. Look at it again, then change it."))
    if before is not None and before.definition == definition:
        return before.id
    return await _put(session, clock, principal, definition, before=before)


async def add_days(
    session: AsyncSession, clock: Clock, principal: Principal, *, code: str, days: Sequence[SpecialDay]
) -> int:
    """Return the id of a new version with more special days.

    Raises:
        Forbidden: the principal is no administrator.
        NotFound: there is no such calendar.
        Refused: a date has its entry already, or hours overlap.
    """
    now = await _find(session, principal, code)
    definition = now.definition
    return await define(
        session, clock, principal, replace(definition, days=(*definition.days, *days)), version=now.version
    )


async def remove_days(
    session: AsyncSession, clock: Clock, principal: Principal, *, code: str, first: date, last: date
) -> int:
    """Return the id of a new version in which the dates from `first` to `last` are like their weekdays again.

    Raises:
        Forbidden: the principal is no administrator.
        NotFound: there is no such calendar, or no such date has an entry in it.
    """
    now = await _find(session, principal, code)
    left = tuple(each for each in now.definition.days if not first <= each.day <= last)
    if len(left) == len(now.definition.days):
        raise NotFound(_("These days have no entry in the calendar."))
    return await define(session, clock, principal, replace(now.definition, days=left), version=now.version)


async def restore(session: AsyncSession, clock: Clock, principal: Principal, *, code: str, version: int) -> int:
    """Return the id of a new version that says what an older one said.

    Raises:
        Forbidden: the principal is no administrator.
        NotFound: there is no such calendar or version.
    """
    versions = {
        row.version: row
        for row in await tables.versions_of(session, organisation_id=principal.organisation_id, code=code)
    }
    if version not in versions:
        raise NotFound(_("There is no such version of the calendar."))
    return await define(session, clock, principal, versions[version].definition, version=max(versions))


async def _find(session: AsyncSession, principal: Principal, code: str) -> CalendarRow:
    found = await tables.in_force(session, organisation_id=principal.organisation_id, code=code)
    if found is None:
        raise NotFound(_("There is no such calendar."))
    return found


async def _hold(session: AsyncSession, principal: Principal) -> None:
    await hold(session, f"calendars {principal.organisation_id}")


async def _put(
    session: AsyncSession, clock: Clock, principal: Principal, definition: Definition, *, before: CalendarRow | None
) -> int:
    """Put a version in the place of the one `before`, and write down what differs."""
    version = 1
    if before is not None:
        before.replaced_at = clock.now()
        version = before.version + 1
    row = CalendarRow.of(definition, organisation_id=principal.organisation_id, version=version, created_at=clock.now())
    session.add(row)
    await session.flush()
    was, is_now = _difference(before.definition if before is not None else None, definition)
    audit.record(
        session,
        clock,
        principal,
        action="calendars.defined",
        subject=f"calendar:{definition.code}",
        before={"version": version - 1, **was} if before is not None else None,
        after={"version": version, **is_now},
    )
    return row.id


def _difference(before: Definition | None, after: Definition) -> tuple[dict[str, object], dict[str, object]]:
    """Return what differs, of the days only those that went and those that came."""
    was, is_now = audit.changed(_state(before) if before is not None else {}, _state(after))
    gone, come = _days(before) - _days(after), _days(after) - _days(before)
    if gone or come:
        was["days"], is_now["days"] = sorted(gone), sorted(come)
    return was, is_now


def _state(definition: Definition) -> dict[str, object]:
    return {
        "name": {"zh": definition.name.zh, "en": definition.name.en},
        "time_zone": definition.time_zone,
        "week": [hours.written(windows) for windows in definition.week],
    }


def _days(definition: Definition | None) -> set[str]:
    days = definition.days if definition is not None else ()
    return {
        f"{each.day.isoformat()} {each.name.zh or each.name.en} {hours.written(each.windows)}".strip() for each in days
    }

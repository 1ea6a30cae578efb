"""Importing a table: sent and checked, applied as a whole or not at all, and undone while nothing speaks of it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import crowds, passwords
from cloud.accounts.passwords import OneTime
from cloud.core import audit
from cloud.core.clock import Clock
from cloud.core.database import Database, hold
from cloud.core.errors import Conflict, NotFound, Refused
from cloud.core.listing import Ask, Found, fetch
from cloud.core.principal import Principal, Role
from cloud.core.sheets import Sheet, SheetRow
from cloud.properties import import_tables as tables
from cloud.properties.import_applying import Applied, apply_estate, apply_occupants, apply_staff
from cloud.properties.import_checks import (
    Check,
    Fault,
    KnownOccupants,
    KnownStaff,
    NewOccupancy,
    News,
    NewStaff,
    NewUnit,
    check_estate,
    check_occupants,
    check_staff,
    counted,
)
from cloud.properties.import_lines import ImportKind, Line, lines_of
from cloud.properties.import_tables import ImportItemRow, ImportRow, ImportState, Noun
from cloud.properties.tables import BuildingRow, CommunityRow, OccupancyRow, UnitRow
from firmware_configs.look.words import _

MAXIMUM_STAFF = 100
"""A one-time password is drawn for each, which is slow on purpose."""

_STAFF = "staff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """A table that somebody sent; `made` counts what it made, by kind, once it is applied."""

    id: int
    kind: ImportKind
    file: str
    state: ImportState
    rows: int
    actor: str
    checked_at: datetime
    ended_at: datetime | None
    made: Mapping[Noun, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a table would do if it were applied now; `rows` is news, known and faulty together.

    Attributes:
        news: rows that make something.
        makes: how many of what, by its plural's name.
    """

    rows: int
    news: int
    known: int
    faulty: int
    faults: Sequence[Fault]
    makes: Mapping[str, int]


async def send(
    session: AsyncSession, clock: Clock, principal: Principal, *, kind: ImportKind, file: str, sheet: Sheet
) -> int:
    """Return the id of an import that is to be looked at; nothing is made yet.

    Raises:
        Forbidden: the principal is no administrator.
        Refused: a column is missing, or there are more rows of staff than may come at once.
    """
    principal.require(Role.ADMINISTRATOR)
    lines_of(kind, sheet)
    if kind is ImportKind.STAFF and len(sheet.rows) > MAXIMUM_STAFF:
        raise Refused(_("Send at most %(rows)s rows of staff at once."), "file", rows=MAXIMUM_STAFF)
    row = ImportRow(
        organisation_id=principal.organisation_id,
        kind=kind,
        file=file[:200],
        state=ImportState.CHECKED,
        sheet=[[part.number, list(part.cells)] for part in (sheet.header, *sheet.rows)],
        rows=len(sheet.rows),
        person_id=principal.person_id,
        actor=principal.name,
        checked_at=clock.now(),
    )
    session.add(row)
    await session.flush()
    return row.id


async def list_imports(session: AsyncSession, principal: Principal, ask: Ask) -> Found[Import]:
    """Return the stretch of the imports that `ask` wants, the newest first, without what they made.

    Raises:
        Forbidden: the principal is no administrator.
    """
    principal.require(Role.ADMINISTRATOR)
    found = await fetch(session, tables.import_listing(principal), ask)
    return found.of([_import(row, {}) for row in found.rows])


async def find(session: AsyncSession, principal: Principal, import_id: int) -> Import:
    """Return one import.

    Raises:
        Forbidden: the principal is no administrator.
        NotFound: there is no such import.
    """
    row = await _find(session, principal, import_id, lock=False)
    return _import(row, await tables.items_of(session, principal, import_id))


async def judge(session: AsyncSession, principal: Principal, import_id: int) -> Verdict:
    """Return what an import would do now.

    Raises:
        Forbidden: the principal is no administrator.
        NotFound: there is no such import.
        Conflict: it is done with already.
    """
    row = await _find(session, principal, import_id, lock=False)
    _expect(row, ImportState.CHECKED)
    lines = _lines(row)
    if row.kind is ImportKind.ESTATE:
        known = frozenset(await _paths(session, principal, lines))
        check = check_estate(lines, known)
        return _verdict(check, counted(check, known))
    if row.kind is ImportKind.OCCUPANTS:
        occupants = await _check_occupants(session, principal, lines)
        return _verdict(occupants, Counter(occupants=len(occupants.news)))
    staff = await _check_staff(session, principal, lines)
    return _verdict(staff, Counter({_STAFF: len(staff.news)}))


async def draw_passwords(database: Database, principal: Principal, import_id: int) -> Sequence[OneTime]:
    """Return a password for everybody whom an import would let in now; none for a table that tells of no staff.

    Called before the transaction of `apply`: hashing is slow on purpose, and must hold up nobody who writes.

    Raises:
        Forbidden, NotFound, Conflict: as `judge` says.
    """
    async with database.reading() as session:
        verdict = await judge(session, principal, import_id)
    coming = 0 if verdict.faults else verdict.makes.get(_STAFF, 0)
    return [await passwords.draw() for _person in range(coming)]


async def apply(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    import_id: int,
    *,
    news: int,
    drawn: Sequence[OneTime] = (),
) -> Applied:
    """Make all that the table tells, as it was shown: `news` is how many rows of it were to make something.

    Staff come with the passwords of `draw_passwords`.

    Raises:
        Forbidden: the principal is no administrator, or adds a community without seeing all of them.
        NotFound: there is no such import.
        Conflict: it is done with already, or what is there has changed since it was shown.
        Refused: a cell is wrong, or nothing is new.
    """
    row = await _find(session, principal, import_id, lock=True)
    _expect(row, ImportState.CHECKED)
    await hold(session, f"imports {principal.organisation_id}")
    lines = _lines(row)
    if row.kind is ImportKind.ESTATE:
        estate = check_estate(lines, frozenset(await _paths(session, principal, lines)))
        applied = await apply_estate(session, clock, principal, _ready(estate, news))
    elif row.kind is ImportKind.OCCUPANTS:
        occupants = await _check_occupants(session, principal, lines)
        applied = await apply_occupants(session, clock, principal, _ready(occupants, news))
    else:
        staff = await _check_staff(session, principal, lines)
        applied = await apply_staff(session, clock, principal, _ready(staff, news), drawn=drawn)
    session.add_all(
        ImportItemRow(organisation_id=row.organisation_id, import_id=row.id, noun=noun, item_id=item_id)
        for noun, item_ids in applied.items.items()
        for item_id in item_ids
    )
    _end(session, clock, principal, row, ImportState.APPLIED)
    return applied


async def undo(session: AsyncSession, clock: Clock, principal: Principal, import_id: int) -> None:
    """Take back all that an import made.

    Raises:
        Forbidden: the principal is no administrator.
        NotFound: there is no such import.
        Conflict: it is not applied, or something of it is in use by now; nothing is undone then.
    """
    row = await _find(session, principal, import_id, lock=True)
    _expect(row, ImportState.APPLIED)
    items = await tables.items_of(session, principal, import_id)
    await _remove(session, principal, OccupancyRow, items[Noun.OCCUPANCY])
    await crowds.take_back(session, clock, principal, added=items[Noun.PERSON], given_role=items[Noun.OWNER])
    await _remove(session, principal, UnitRow, items[Noun.UNIT])
    await _remove(session, principal, BuildingRow, items[Noun.BUILDING])
    await _remove(session, principal, CommunityRow, items[Noun.COMMUNITY])
    _end(session, clock, principal, row, ImportState.UNDONE)


async def discard(session: AsyncSession, clock: Clock, principal: Principal, import_id: int) -> None:
    """Forget a table that was sent and is not wanted.

    Raises:
        Forbidden: the principal is no administrator.
        NotFound: there is no such import.
        Conflict: it is done with already.
    """
    row = await _find(session, principal, import_id, lock=True)
    _expect(row, ImportState.CHECKED)
    _end(session, clock, principal, row, ImportState.DISCARDED)


async def _find(session: AsyncSession, principal: Principal, import_id: int, *, lock: bool) -> ImportRow:
    principal.require(Role.ADMINISTRATOR)
    row = await tables.find_import(session, principal, import_id, lock=lock)
    if row is None or row.state is ImportState.DISCARDED:
        raise NotFound(_("There is no such import."))
    return row


def _expect(row: ImportRow, state: ImportState) -> None:
    if row.state is not state:
        raise Conflict(_("This import is done with already. Look at it again."))


def _lines(row: ImportRow) -> Sequence[Line]:
    header, *rows = (SheetRow(number=number, cells=cells) for number, cells in row.sheet)
    return lines_of(row.kind, Sheet(header=header, rows=rows))


async def _paths(session: AsyncSession, principal: Principal, lines: Sequence[Line]) -> dict[tables.Path, int]:
    return await tables.paths(session, principal, {line.texts["community"] for line in lines})


async def _check_occupants(session: AsyncSession, principal: Principal, lines: Sequence[Line]) -> Check[NewOccupancy]:
    units = await _paths(session, principal, lines)
    there: dict[tuple[int, str], date | None] = {}
    asked = {units[path] for line in lines if (path := _path(line)) in units}
    rows = await tables.occupancies_of(session, principal, asked)
    found = await crowds.contacts(session, principal, {row.person_id for row in rows})
    for row in sorted(rows, key=lambda row: row.until or date.max):
        there[row.unit_id, found[row.person_id]] = row.until
    return check_occupants(lines, KnownOccupants(units=units, there=there))


async def _check_staff(session: AsyncSession, principal: Principal, lines: Sequence[Line]) -> Check[NewStaff]:
    communities = await tables.communities_by_name(session, principal)
    logins = await crowds.names_by_login(session, principal, {line.texts["login"] for line in lines})
    free = check_staff(lines, KnownStaff(logins=logins, phones={}, communities=communities))
    phones = {new.phone for new in free.news if new.phone}
    taken = {phone: row.name for phone, row in (await crowds.people_by_phone(session, principal, phones)).items()}
    return check_staff(lines, KnownStaff(logins=logins, phones=taken, communities=communities))


def _path(line: Line) -> tables.Path:
    return line.texts["community"], line.texts["building"], line.texts["unit"]


def _verdict(check: Check[NewUnit] | Check[NewOccupancy] | Check[NewStaff], makes: Mapping[str, int]) -> Verdict:
    return Verdict(
        rows=check.rows,
        news=len(check.news),
        known=check.known,
        faulty=check.faulty,
        faults=check.faults,
        makes=makes,
    )


def _ready(check: Check[News], news: int) -> Sequence[News]:
    if check.faults:
        raise Refused(_("Mend the cells that are named, and send the table again: nothing was imported."))
    if len(check.news) != news:
        raise Conflict(_("What is there has changed meanwhile. Look at the table again before you import it."))
    if not check.news:
        raise Refused(_("All that this table tells is there already: there is nothing to import."))
    return check.news


async def _remove(
    session: AsyncSession,
    principal: Principal,
    kind: type[OccupancyRow | UnitRow | BuildingRow | CommunityRow],
    ids: Sequence[int],
) -> None:
    try:
        await session.execute(delete(kind).where(kind.organisation_id == principal.organisation_id, kind.id.in_(ids)))
    except IntegrityError as error:
        sentence = _("Something that was imported is in use by now: a place, a ticket or a box. Nothing was undone.")
        raise Conflict(sentence) from error


def _end(session: AsyncSession, clock: Clock, principal: Principal, row: ImportRow, state: ImportState) -> None:
    row.state, row.sheet, row.ended_at = state, [], clock.now()
    told = {"kind": row.kind, "file": row.file, "rows": row.rows}
    audit.record(session, clock, principal, action=f"properties.import_{state}", subject=f"import:{row.id}", after=told)


def _import(row: ImportRow | Row[Any], items: Mapping[Noun, Sequence[int]]) -> Import:
    return Import(
        id=row.id,
        kind=row.kind,
        file=row.file,
        state=row.state,
        rows=row.rows,
        actor=row.actor,
        checked_at=row.checked_at,
        ended_at=row.ended_at,
        made={noun: len(ids) for noun, ids in items.items() if ids},
    )

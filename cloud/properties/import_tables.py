"""The rows of imports: the table as it was sent, until it is done, and what it made."""

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import ForeignKey, Index, String, Table, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from cloud.core.database import Base, Json
from cloud.core.listing import Listing, containing
from cloud.core.principal import Principal
from cloud.properties.import_lines import ImportKind
from cloud.properties.tables import BuildingRow, CommunityRow, OccupancyRow, UnitRow, theirs

Path = tuple[str, str, str]


class ImportState(StrEnum):
    """Where an import stands."""

    CHECKED = "checked"  # sent and looked at; nothing is made yet
    APPLIED = "applied"
    UNDONE = "undone"
    DISCARDED = "discarded"


class Noun(StrEnum):
    """What an import makes."""

    COMMUNITY = "community"
    BUILDING = "building"
    UNIT = "unit"
    PERSON = "person"
    OWNER = "owner"  # the role, given to somebody who was known
    OCCUPANCY = "occupancy"


class ImportRow(Base):
    """A table that somebody sent.

    Attributes:
        file: its name.
        sheet: header and rows, each a number and its cells; empty once it is done, since it holds people's numbers.
        rows: how many it has below its header.
    """

    __tablename__ = "imports"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    kind: Mapped[ImportKind]
    file: Mapped[str] = mapped_column(String(200))
    state: Mapped[ImportState]
    sheet: Mapped[list[Any]] = mapped_column(Json)
    rows: Mapped[int]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    actor: Mapped[str] = mapped_column(String(80))
    checked_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    """When it was applied, undone or discarded."""


_IMPORTS = cast("Table", ImportRow.__table__).c


class ImportItemRow(Base):
    """Something that an import made."""

    __tablename__ = "import_items"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    import_id: Mapped[int] = mapped_column(ForeignKey("imports.id"))
    noun: Mapped[Noun]
    item_id: Mapped[int]

    __table_args__ = (Index("ix_import_items_import", "import_id"),)


async def find_import(session: AsyncSession, principal: Principal, import_id: int, *, lock: bool) -> ImportRow | None:
    """Return one of the organisation's imports; with `lock` nobody else ends it meanwhile."""
    found = select(ImportRow).where(ImportRow.id == import_id, ImportRow.organisation_id == principal.organisation_id)
    return await session.scalar(found.with_for_update() if lock else found)


def import_listing(principal: Principal) -> Listing:
    """Return the imports as a list, the newest first; those that were discarded are left out."""
    shown = (_IMPORTS[name] for name in ("id", "kind", "file", "state", "rows", "actor", "checked_at", "ended_at"))
    return Listing(
        # without the sheet: each may be of megabytes
        select=select(*shown).where(
            ImportRow.organisation_id == principal.organisation_id, ImportRow.state != ImportState.DISCARDED
        ),
        columns={
            "file": _IMPORTS.file,
            "kind": _IMPORTS.kind,
            "rows": _IMPORTS.rows,
            "state": _IMPORTS.state,
            "actor": _IMPORTS.actor,
            "sent": _IMPORTS.checked_at,
        },
        key=_IMPORTS.id,
        order=(_IMPORTS.checked_at.desc(), _IMPORTS.id.desc()),
        search=containing(_IMPORTS.file, _IMPORTS.actor),
    )


async def items_of(session: AsyncSession, principal: Principal, import_id: int) -> dict[Noun, list[int]]:
    """Return what an import made, by kind."""
    found = select(ImportItemRow).where(
        ImportItemRow.organisation_id == principal.organisation_id, ImportItemRow.import_id == import_id
    )
    items: dict[Noun, list[int]] = {noun: [] for noun in Noun}
    for row in await session.scalars(found.order_by(ImportItemRow.id)):
        items[row.noun].append(row.item_id)
    return items


async def paths(session: AsyncSession, principal: Principal, communities: Collection[str]) -> dict[Path, int]:
    """Return the ids of the units in communities of these names, by path."""
    found = (
        theirs(principal, UnitRow)
        .with_only_columns(CommunityRow.name, BuildingRow.name, UnitRow.name, UnitRow.id)
        .join(BuildingRow, BuildingRow.id == UnitRow.building_id)
        .join(CommunityRow, CommunityRow.id == UnitRow.community_id)
        .where(CommunityRow.name.in_(communities))
    )
    return {(community, building, unit): unit_id for community, building, unit, unit_id in await session.execute(found)}


async def communities_by_name(session: AsyncSession, principal: Principal) -> dict[str, int]:
    """Return the ids of the communities that the principal may see, by name."""
    return {row.name: row.id for row in await session.scalars(theirs(principal, CommunityRow))}


async def buildings_by_name(session: AsyncSession, principal: Principal) -> dict[tuple[int, str], int]:
    """Return the ids of the buildings that the principal may see, by community and name."""
    return {(row.community_id, row.name): row.id for row in await session.scalars(theirs(principal, BuildingRow))}


async def occupancies_of(
    session: AsyncSession, principal: Principal, unit_ids: Collection[int]
) -> Sequence[OccupancyRow]:
    """Return who is, was or will be in these units."""
    return (await session.scalars(theirs(principal, OccupancyRow).where(OccupancyRow.unit_id.in_(unit_ids)))).all()


async def communities_of_units(
    session: AsyncSession, principal: Principal, unit_ids: Collection[int]
) -> dict[int, int]:
    """Return in which community each of these units is."""
    found = theirs(principal, UnitRow).with_only_columns(UnitRow.id, UnitRow.community_id)
    return {row.id: row.community_id for row in await session.execute(found.where(UnitRow.id.in_(unit_ids)))}

"""The rows of communities and what is in them, and the only SQL on them."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import TypeVar, cast

from sqlalchemy import ForeignKey, Index, Select, String, Table, UniqueConstraint, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column, synonym

from cloud.core.database import Base
from cloud.core.listing import Listing, containing
from cloud.core.principal import Principal
from cloud.properties.domain import Occupancy, OccupancyKind, Place, PlaceKind, label


class CommunityRow(Base):
    """A community (小区)."""

    __tablename__ = "communities"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    name: Mapped[str] = mapped_column(String(80))
    address: Mapped[str] = mapped_column(String(200))
    time_zone: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime]

    community_id: Mapped[int] = synonym("id")  # so that all four kinds can be asked for in one way

    __table_args__ = (UniqueConstraint("organisation_id", "name"),)


class BuildingRow(Base):
    """A building of a community."""

    __tablename__ = "buildings"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    name: Mapped[str] = mapped_column(String(80))

    __table_args__ = (UniqueConstraint("community_id", "name"),)


class UnitRow(Base):
    """A flat or shop of a building; knows its community so that a query need not ask the building."""

    __tablename__ = "units"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"), index=True)
    building_id: Mapped[int] = mapped_column(ForeignKey("buildings.id"))
    name: Mapped[str] = mapped_column(String(80))

    __table_args__ = (UniqueConstraint("building_id", "name"),)


class PlaceRow(Base):
    """A place in a community; in a building or a unit of it, or in none."""

    __tablename__ = "places"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"), index=True)
    building_id: Mapped[int | None] = mapped_column(ForeignKey("buildings.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    kind: Mapped[PlaceKind]

    @property
    def as_place(self) -> Place:
        """Return the row as a plain value."""
        return Place(
            id=self.id,
            community_id=self.community_id,
            building_id=self.building_id,
            unit_id=self.unit_id,
            name=self.name,
            kind=self.kind,
        )


class OccupancyRow(Base):
    """That somebody owns a unit or lives in it; see domain.Occupancy."""

    __tablename__ = "occupancies"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    kind: Mapped[OccupancyKind]
    since: Mapped[date]
    until: Mapped[date | None]

    __table_args__ = (Index("ix_occupancies_community", "organisation_id", "community_id"),)

    @property
    def as_occupancy(self) -> Occupancy:
        """Return the row as a plain value."""
        return Occupancy(
            id=self.id,
            unit_id=self.unit_id,
            person_id=self.person_id,
            kind=self.kind,
            since=self.since,
            until=self.until,
        )


Row = TypeVar("Row", CommunityRow, BuildingRow, UnitRow, PlaceRow)
Held = TypeVar("Held", CommunityRow, BuildingRow, UnitRow, PlaceRow, OccupancyRow)


async def find(session: AsyncSession, principal: Principal, kind: type[Held], row_id: int) -> Held | None:
    """Return one of the rows that the principal may see."""
    return await session.scalar(theirs(principal, kind).where(kind.id == row_id))


async def list_rows(
    session: AsyncSession, principal: Principal, kind: type[Row], *, community_id: int | None = None
) -> Sequence[Row]:
    """Return all rows that the principal may see, of all communities or of one, by name."""
    found = theirs(principal, kind)
    if community_id is not None:
        found = found.where(kind.community_id == community_id)
    return (await session.scalars(found.order_by(kind.name, kind.id))).all()


async def labels(session: AsyncSession, principal: Principal, place_ids: Collection[int]) -> dict[int, str]:
    """Return where these places are, by id; ids that the principal may not see are left out."""
    found = (
        theirs(principal, PlaceRow)
        .with_only_columns(PlaceRow.id, CommunityRow.name, BuildingRow.name, UnitRow.name, PlaceRow.name)
        .join(CommunityRow, CommunityRow.id == PlaceRow.community_id)
        .outerjoin(BuildingRow, BuildingRow.id == PlaceRow.building_id)
        .outerjoin(UnitRow, UnitRow.id == PlaceRow.unit_id)
        .where(PlaceRow.id.in_(place_ids))
    )
    return {place_id: label(*names) for place_id, *names in await session.execute(found)}


async def unit_labels(session: AsyncSession, principal: Principal, unit_ids: Collection[int]) -> dict[int, str]:
    """Return where these units are, by id; ids that the principal may not see are left out."""
    found = (
        theirs(principal, UnitRow)
        .with_only_columns(UnitRow.id, CommunityRow.name, BuildingRow.name, UnitRow.name)
        .join(CommunityRow, CommunityRow.id == UnitRow.community_id)
        .join(BuildingRow, BuildingRow.id == UnitRow.building_id)
        .where(UnitRow.id.in_(unit_ids))
    )
    return {unit_id: label(*names) for unit_id, *names in await session.execute(found)}


def units_listing(principal: Principal) -> Listing:
    """Return the list of the units that the principal may see, with the names of what they lie in."""
    communities, buildings, units = (cast("Table", kind.__table__).c for kind in (CommunityRow, BuildingRow, UnitRow))
    found = (
        theirs(principal, UnitRow)
        .join(CommunityRow, CommunityRow.id == UnitRow.community_id)
        .join(BuildingRow, BuildingRow.id == UnitRow.building_id)
        .add_columns(communities.name.label("community"), buildings.name.label("building"))
    )
    return Listing(
        select=found,
        columns={"community": communities.name, "building": buildings.name, "unit": units.name},
        key=units.id,
        order=(communities.name, buildings.name, units.name),
        search=containing(communities.name, buildings.name, units.name),
    )


async def occupancies(
    session: AsyncSession,
    principal: Principal,
    *,
    unit_ids: Collection[int] | None = None,
    person_ids: Collection[int] | None = None,
    on: date | None = None,
) -> Sequence[OccupancyRow]:
    """Return the occupancies that the principal may see, the newest first: of these units, of these people, on a day.

    Who works here sees those of their communities; an owner their own, and those of the units they occupy.
    """
    found = theirs(principal, OccupancyRow)
    if not principal.is_staff:
        found = found.where(
            or_(OccupancyRow.unit_id.in_(principal.units), OccupancyRow.person_id == principal.person_id)
        )
    if unit_ids is not None:
        found = found.where(OccupancyRow.unit_id.in_(unit_ids))
    if person_ids is not None:
        found = found.where(OccupancyRow.person_id.in_(person_ids))
    if on is not None:
        found = found.where(OccupancyRow.since <= on, or_(OccupancyRow.until.is_(None), OccupancyRow.until > on))
    return (await session.scalars(found.order_by(OccupancyRow.since.desc(), OccupancyRow.id.desc()))).all()


async def own_occupancies(
    session: AsyncSession, organisation_id: int, person_id: int, *, on: date
) -> Sequence[OccupancyRow]:
    """Return what somebody occupies on a day, before it is known what they may see: this says it."""
    found = select(OccupancyRow).where(
        OccupancyRow.organisation_id == organisation_id,
        OccupancyRow.person_id == person_id,
        OccupancyRow.since <= on,
        or_(OccupancyRow.until.is_(None), OccupancyRow.until > on),
    )
    return (await session.scalars(found)).all()


def theirs(principal: Principal, kind: type[Held]) -> Select[Held]:
    """Return the select of everything of a kind that the principal may see."""
    found = select(kind).where(kind.organisation_id == principal.organisation_id)
    if principal.communities is not None:
        found = found.where(kind.community_id.in_(principal.communities))
    return found

"""Units in lists, with who is in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.listing import Ask, Found, fetch
from cloud.core.principal import Principal, Role
from cloud.properties import occupancies, tables
from cloud.properties.occupancies import Occupant


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitLine:
    """A unit, where it is, and who is in it on a day."""

    id: int
    community: str
    building: str
    name: str
    occupants: Sequence[Occupant]


async def list_units(session: AsyncSession, principal: Principal, ask: Ask, *, on: date) -> Found[UnitLine]:
    """Return the stretch of the units that `ask` wants.

    Raises:
        Forbidden: the principal is neither at the desk nor an administrator.
    """
    principal.require(Role.DESK)
    found = await fetch(session, tables.units_listing(principal), ask)
    inside = await occupancies.occupants(session, principal, [row.UnitRow.id for row in found.rows], on=on)
    lines = [
        UnitLine(
            id=row.UnitRow.id,
            community=row.community,
            building=row.building,
            name=row.UnitRow.name,
            occupants=inside[row.UnitRow.id],
        )
        for row in found.rows
    ]
    return found.of(lines)

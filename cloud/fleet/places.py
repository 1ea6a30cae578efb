"""Whether a place is one of a community that the principal may see."""

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.errors import NotFound
from cloud.core.principal import Principal
from cloud.properties import service as properties
from firmware_configs.look.words import _


async def check_place(session: AsyncSession, principal: Principal, *, community_id: int, place_id: int | None) -> None:
    """Let pass a community and, where one is named, a place in it.

    Raises:
        NotFound: there is no such community, or place in it, that the principal may see.
    """
    await properties.find_community(session, principal, community_id)
    if place_id is not None:
        place = await properties.find_place(session, principal, place_id)
        if place.community_id != community_id:
            raise NotFound(_("There is no such place."), "place_id")

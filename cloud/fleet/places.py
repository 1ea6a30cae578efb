"""Whether a place is one of a community that the principal may see."""

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.principal import Principal


async def check_place(session: AsyncSession, principal: Principal, *, community_id: int, place_id: int | None) -> None:
    pass

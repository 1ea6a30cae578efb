"""The boxes of an organisation: finding one, naming it, showing it out."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core import audit
from cloud.core.clock import Clock
from cloud.core.errors import Malformed, NotFound
from cloud.core.principal import Principal, Role
from cloud.fleet.domain import BoxState
from cloud.fleet.points import visible_boxes
from cloud.fleet.tables import BoxRow
from firmware_configs.look.words import _

NAME_LENGTH = 120


async def visible_box(session: AsyncSession, principal: Principal, *, box_id: int) -> BoxRow:
    """Return one box's row.

    Raises:
        NotFound: there is none that the principal may see.
    """
    # any organisation: visible_boxes leaves only the principal's
    box = await session.scalar(select(BoxRow).where(BoxRow.id == box_id, visible_boxes(principal)))
    if box is None:
        raise NotFound(_("There is no box %(box_id)s."), box_id=box_id)
    return box


async def rename(session: AsyncSession, clock: Clock, principal: Principal, *, box_id: int, name: str) -> None:
    """Call a box `name` from now on.

    Raises:
        Forbidden: the principal is no administrator.
        NotFound: there is no such box that the principal may see.
        Malformed: the name is empty or too long.
    """
    principal.require(Role.ADMINISTRATOR)
    box = await visible_box(session, principal, box_id=box_id)
    before, box.name = box.name, checked_name(name)
    audit.record(
        session,
        clock,
        principal,
        action="fleet.box_renamed",
        subject=f"box:{box_id}",
        before={"name": before},
        after={"name": box.name},
    )


async def revoke(session: AsyncSession, clock: Clock, principal: Principal, *, box_id: int) -> None:
    """Let a box in no more; a claim code issued for it makes it ours again. What it has sent stays.

    Raises:
        Forbidden: the principal is no administrator.
        NotFound: there is no such box that the principal may see.
    """
    principal.require(Role.ADMINISTRATOR)
    box = await visible_box(session, principal, box_id=box_id)
    box.state = BoxState.REVOKED
    box.public_key = None
    box.changed_at = clock.now()
    audit.record(session, clock, principal, action="fleet.box_revoked", subject=f"box:{box_id}")


def checked_name(name: str) -> str:
    """Return a name as it is kept.

    Raises:
        Malformed: it is empty or too long.
    """
    kept = name.strip()
    if not 1 <= len(kept) <= NAME_LENGTH:
        raise Malformed(_("A box's name has 1 to %(most)s characters."), "name", most=NAME_LENGTH)
    return kept

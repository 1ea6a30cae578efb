"""A worker who is asked for a ticket, and has a skill for it: what pages of dispatch show."""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.clock import Clock
from cloud.core.principal import Role
from cloud.tickets.dispatch_tables import OfferRow, OfferState, WorkerSkillRow
from tests.cloud.estate import Estate


async def make_offer(session: AsyncSession, clock: Clock, estate: Estate, *, ticket_id: int) -> dict[str, object]:
    """Return examples of an offer's and a skill's numbers."""
    ours = {
        "organisation_id": estate.organisation_id,
        "person_id": estate.principals[Role.WORKER].person_id or 0,
    }
    skill = WorkerSkillRow(skill="plumbing", certificate="", valid_until=None, **ours)
    offer = OfferRow(
        ticket_id=ticket_id,
        rules_id=None,
        state=OfferState.OPEN,
        offered_at=clock.now(),
        due_at=clock.now() + timedelta(minutes=10),
        **ours,
    )
    session.add_all([skill, offer])
    await session.flush()
    return {"skill_id": skill.id, "offer_id": offer.id}

"""What an owner may look at or do about a repair now: the plan, a time, the result."""

from collections.abc import Sequence
from dataclasses import dataclass

from cloud.repairs import consent, plans, results, visits
from cloud.tickets.reading import Ticket
from cloud.web.session import Unit
from firmware_configs.look.words import _


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """A way on from a repair; `is_asked` when somebody waits for the owner."""

    label: str
    path: str
    icon: str
    is_asked: bool


async def steps(work: Unit, ticket: Ticket) -> Sequence[NextStep]:
    """Return the ways on from a repair that the owner has seen, what is asked of them first."""
    session, principal, base = work.session, work.principal, f"/my/repairs/{ticket.id}"
    found = []
    plan = await plans.current_plan(session, principal, ticket_id=ticket.id)
    if plan is not None:
        asks = ticket.id in await consent.asked_of(session, work.clock, principal, of=[ticket])
        label = _("Look at the plan and decide") if asks else _("Look at the plan")
        found.append(NextStep(label=label, path=f"{base}/plan", icon="list", is_asked=asks))
    known = (await visits.visits(session, principal, ticket_ids=[ticket.id]))[ticket.id]
    if known:
        asks = ticket.is_undone and any(each.is_open and each.chosen is None for each in known)
        label = _("Choose when we may come") if asks else _("Visits")
        found.append(NextStep(label=label, path=f"{base}/visit", icon="calendar", is_asked=asks))
    if await results.results(session, principal, ticket_id=ticket.id):
        label = _("What was done, and your opinion")
        found.append(NextStep(label=label, path=f"{base}/result", icon="circle-check", is_asked=False))
    return sorted(found, key=lambda each: not each.is_asked)

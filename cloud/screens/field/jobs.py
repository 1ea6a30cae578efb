"""A worker's jobs: in which order they are done, and what is to be done next with each."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from cloud.core.listing import Ask, Filter, Operator
from cloud.repairs import visits
from cloud.repairs.visits import Visit, Window
from cloud.tickets import deadlines as targets
from cloud.tickets import offers
from cloud.tickets.deadlines import Deadline
from cloud.tickets.domain import Act, State, Target
from cloud.tickets.offers import Offer
from cloud.tickets.reading import Ticket, acts_for, list_tickets
from cloud.web.session import Unit

MOST = 50
"""Jobs of one person that a day shows; nobody does more, and a telephone keeps them all."""

_FAR = datetime.max.replace(tzinfo=UTC)


class Next(StrEnum):
    """What a worker does next with a job."""

    ACCEPT = "accept"
    CONTACT = "contact"
    PLAN = "plan"
    START = "start"
    CONTINUE = "continue"
    FINISH = "finish"
    NOTHING = "nothing"  # it is somebody else's turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A ticket as whoever does it sees it.

    Attributes:
        offer: what asks them to take it; None once it is theirs.
        window: when they are expected; None when no time was agreed.
        contact_due_at: until when whoever asked must be spoken to; None when that is done or asked of nobody.
    """

    ticket: Ticket
    next: Next
    offer: Offer | None = None
    window: Window | None = None
    contact_due_at: datetime | None = None

    @property
    def due_at(self) -> datetime | None:
        """Return until when the next act must be done; None where nothing says so."""
        if self.offer is not None:
            return self.offer.due_at
        times = [time for time in (self.contact_due_at, self.ticket.due_at) if time is not None]
        return min(times, default=None)

    @property
    def place_in_day(self) -> tuple[bool, bool, datetime, int]:
        """Return by what the day is ordered: emergencies, then what waits for an answer, then by time."""
        visit_at = self.window.starts_at if self.window else None
        times = [time for time in (self.due_at, visit_at) if time is not None]
        return (not self.ticket.type.is_emergency, self.offer is None, min(times, default=_FAR), self.ticket.id)


async def day(work: Unit) -> list[Job]:
    """Return what the worker is asked to take and what is theirs to do, in the order of the day."""
    ask = Ask(filters=(Filter(column="mine", operator=Operator.IS, values=(1,)),), limit=MOST)
    own = (await list_tickets(work.session, work.clock, work.principal, ask, only_undone=True)).rows
    asked = await offers.open_offers(work.session, work.clock, work.principal)
    jobs = [*(_asked(offer) for offer in asked), *await _own(work, own)]
    return sorted(jobs, key=lambda job: job.place_in_day)


async def job_of(work: Unit, ticket: Ticket) -> Job:
    """Return one ticket as the worker's job."""
    for offer in await offers.open_offers(work.session, work.clock, work.principal):
        if offer.ticket.id == ticket.id:
            return _asked(offer)
    return (await _own(work, [ticket]))[0]


def next_act(acts: frozenset[Act], state: State, *, must_contact: bool) -> Next:
    """Return what comes next with a ticket that is the worker's, of what may be done with it now."""
    if must_contact:
        return Next.CONTACT
    if Act.START in acts:
        return Next.START
    if Act.CONTINUE in acts:
        return Next.CONTINUE
    if Act.RESOLVE in acts:
        return Next.FINISH
    return Next.PLAN if state is State.ASSIGNED and Act.PROPOSE in acts else Next.NOTHING


def _asked(offer: Offer) -> Job:
    return Job(ticket=offer.ticket, next=Next.ACCEPT, offer=offer)


async def _own(work: Unit, tickets: Iterable[Ticket]) -> list[Job]:
    found = list(tickets)
    ids = [ticket.id for ticket in found]
    deadlines = await targets.deadlines(work.session, work.principal, ticket_ids=ids)
    planned = await visits.visits(work.session, work.principal, ticket_ids=ids)
    return [_job(work, ticket, deadlines[ticket.id], planned[ticket.id]) for ticket in found]


def _job(work: Unit, ticket: Ticket, deadlines: Iterable[Deadline], planned: Iterable[Visit]) -> Job:
    contact = next((each for each in deadlines if each.target is Target.FIRST_CONTACT and each.ended_at is None), None)
    windows = [visit.chosen for visit in planned if visit.chosen is not None and not visit.is_over]
    return Job(
        ticket=ticket,
        next=next_act(acts_for(work.principal, ticket), ticket.state, must_contact=contact is not None),
        window=min(windows, key=lambda window: window.starts_at, default=None),
        contact_due_at=contact.due_at if contact else None,
    )

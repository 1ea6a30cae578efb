"""People who do repairs in a building, with skills and shifts, and the search for them as it runs in the cloud."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from cloud.accounts.domain import PersonLeft
from cloud.accounts.tables import PersonRow
from cloud.calendars import planning
from cloud.calendars.domain import ROUND_THE_CLOCK
from cloud.calendars.leaves import LeaveBegun, begin_leaves
from cloud.calendars.roster import LeaveKind, ShiftTerms
from cloud.core.delivery import DeliveryLoop
from cloud.core.principal import Principal, Role
from cloud.core.wiring import Wiring, hears
from cloud.core.words import Words
from cloud.notifications.tables import MessageRow
from cloud.tickets import service as tickets
from cloud.tickets.dispatch_events import TicketDispatched
from cloud.tickets.dispatch_notices import tell_dispatched
from cloud.tickets.dispatch_rules import DispatchRules, define_rules, rules_in_force
from cloud.tickets.dispatch_tables import DispatchRow, OfferRow, WorkerSkillRow
from cloud.tickets.dispatching import begin_search, dispatch_due, follow_ticket, follow_type
from cloud.tickets.domain import Deed, TargetBreached, TargetWarned, TicketMoved, TicketOpened, TicketReclassified
from cloud.tickets.escalation import climb_breached, climb_due, climb_warned
from cloud.tickets.handing_back import hand_back_for_good, hand_back_for_leave
from cloud.tickets.notices import tell_taken_away
from cloud.tickets.opening import Location, open_ticket
from cloud.tickets.reading import Ticket, ticket
from cloud.tickets.timeline import timeline
from cloud.tickets.timers import judge_due
from tests.cloud.alarms.site import Site

WIRING = Wiring(
    hears(TicketOpened, {"dispatch": begin_search}),
    hears(TicketMoved, {"dispatch": follow_ticket}),
    hears(PersonLeft, {"dispatch": hand_back_for_good}),
    hears(LeaveBegun, {"dispatch": hand_back_for_leave}),
    hears(TicketReclassified, {"dispatch": follow_type, "notices": tell_taken_away}),
    hears(TicketDispatched, {"dispatch_notices": tell_dispatched}),
    hears(TargetWarned, {"ladder": climb_warned}),
    hears(TargetBreached, {"ladder": climb_breached}),
)

PLUMBING: Mapping[str, date | None] = {"plumbing": None}
ORDINARY, EMERGENCY = "water_off", "water_burst"


@dataclass
class Team:
    """A building, whoever does repairs in it, and what the search made of its tickets."""

    site: Site
    loop: DeliveryLoop

    async def add(
        self,
        name: str,
        *,
        skills: Mapping[str, date | None] = PLUMBING,
        on_shift: bool = True,
        communities: list[int] | None = None,
    ) -> Principal:
        """Return somebody new who does repairs, round the clock or never."""
        estate, clock = self.site.estate, self.site.clock
        async with self.site.database.transaction() as session:
            row = PersonRow(
                organisation_id=estate.organisation_id,
                login=None,
                login_key=None,
                name=name,
                roles=frozenset({Role.WORKER}),
                communities=communities,
                password_hash=None,
                created_at=clock.now(),
            )
            session.add(row)
            await session.flush()
            if on_shift:
                await self._shift(session, row.id)
        person = Principal(
            organisation_id=estate.organisation_id,
            person_id=row.id,
            name=name,
            roles=frozenset({Role.WORKER}),
            communities=frozenset(communities) if communities is not None else None,
        )
        await self.give(person, skills)
        return person

    async def give(self, person: Principal, skills: Mapping[str, date | None]) -> None:
        """Let somebody have skills, with the last day of each certificate."""
        async with self.site.database.transaction() as session:
            session.add_all(
                WorkerSkillRow(
                    organisation_id=person.organisation_id,
                    person_id=person.person_id,
                    skill=skill,
                    certificate="",
                    valid_until=valid_until,
                )
                for skill, valid_until in skills.items()
            )

    async def start_shift(self, person: Principal) -> None:
        async with self.site.database.transaction() as session:
            await self._shift(session, person.person_id or 0)

    async def send_away(self, person: Principal, *, in_days: int = 0) -> int:
        """Grant somebody three days of leave, and return its id."""
        first = self.site.clock.now().date() + timedelta(days=in_days)
        async with self.site.database.transaction() as session:
            return await planning.grant_leave(
                session,
                self.site.clock,
                self.site.estate.administrator,
                person_id=person.person_id or 0,
                kind=LeaveKind.SICK,
                since=first,
                until=first + timedelta(days=3),
            )

    async def rule(self, **changes: Any) -> None:
        """Put rules into force that differ from those an organisation begins with."""
        async with self.site.database.transaction() as session:
            version = (await rules_in_force(session, self.site.system)).version
            await define_rules(
                session,
                self.site.clock,
                self.site.estate.administrator,
                DispatchRules(**changes),
                version=version,
            )

    async def open(self, type_code: str = ORDINARY, *, deliver: bool = True) -> int:
        """Return a new ticket, for which the search has begun."""
        async with self.site.database.transaction() as session:
            ticket_id = await open_ticket(
                session,
                self.site.clock,
                self.site.estate.principals[Role.DESK],
                type_code=type_code,
                subject=Words(zh="停水", en="No water"),
                location=Location(
                    community_id=self.site.community_id, place_id=self.site.place_id, place="云杉苑 · 3 栋 · 办公室"
                ),
            )
        if deliver:
            await self.go_on()
        return ticket_id

    async def go_on(self, **later: float) -> None:
        """Let everything happen that is due, now or so much later."""
        self.site.clock.advance(**later)
        is_quiet = False
        while not is_quiet:
            delivered = await self.loop.deliver_due()
            found = [await self._round(job) for job in (begin_leaves, judge_due, dispatch_due, climb_due)]
            is_quiet = not delivered and not any(found)

    async def do(self, use_case: Any, principal: Principal, **what: Any) -> Any:
        """Carry out a use case, and what follows from it."""
        async with self.site.database.transaction() as session:
            result = await use_case(session, self.site.clock, principal, **what)
        await self.go_on()
        return result

    async def finish(self, ticket_id: int) -> None:
        """Have whoever has a ticket do it."""
        for use_case, more in ((tickets.start, {}), (tickets.resolve, {"result": "好了"})):
            version = (await self.see(ticket_id)).version
            await self.do(use_case, self.site.system, ticket_id=ticket_id, version=version, **more)

    async def see(self, ticket_id: int) -> Ticket:
        async with self.site.database.reading() as session:
            return await ticket(session, self.site.clock, self.site.system, ticket_id=ticket_id)

    async def search(self, ticket_id: int) -> DispatchRow:
        async with self.site.database.reading() as session:
            return await session.get_one(DispatchRow, ticket_id)

    async def offers(self, ticket_id: int) -> Sequence[OfferRow]:
        """Return the offers of a ticket, the oldest first."""
        async with self.site.database.reading() as session:
            found = await session.scalars(select(OfferRow).where(OfferRow.ticket_id == ticket_id).order_by(OfferRow.id))
            return found.all()

    async def asked(self, ticket_id: int) -> list[int]:
        """Return who was asked for a ticket or given it, the first one first."""
        return [offer.person_id for offer in await self.offers(ticket_id)]

    async def told(self, ticket_id: int) -> list[tuple[Deed, str]]:
        """Return a ticket's timeline, the oldest line first."""
        async with self.site.database.reading() as session:
            lines = (await timeline(session, self.site.system, ticket_ids=[ticket_id]))[ticket_id]
        return [(line.deed, line.text) for line in reversed(lines)]

    async def messages(self, person: Principal) -> list[str]:
        """Return the subjects of what somebody was sent, the oldest first."""
        async with self.site.database.reading() as session:
            found = await session.scalars(
                select(MessageRow.subject_en).where(MessageRow.person_id == person.person_id).order_by(MessageRow.id)
            )
            return list(found)

    async def _shift(self, session: Any, person_id: int) -> None:
        terms = ShiftTerms(weekdays=frozenset(range(7)), windows=ROUND_THE_CLOCK, since=date(2026, 1, 1))
        await planning.add_shift(
            session, self.site.clock, self.site.estate.administrator, person_id=person_id, terms=terms
        )

    async def _round(self, job: Any) -> set[int]:
        async with self.site.database.transaction() as session:
            found: set[int] = await job(session, self.site.clock)
            return found

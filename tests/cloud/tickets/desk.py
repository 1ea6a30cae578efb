"""Tickets as the tests of their clocks, contacts, merging and incidents open and move them."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from cloud.alarms.domain import Priority
from cloud.core.clock import Clock
from cloud.core.principal import Principal, Role
from cloud.core.words import Words
from cloud.tickets import service
from cloud.tickets.clock_tables import TimerEventRow, TimerRow
from cloud.tickets.deadlines import Deadline, deadlines
from cloud.tickets.domain import Act, Target
from cloud.tickets.opening import Location, open_ticket
from cloud.tickets.reading import Ticket, ticket
from cloud.tickets.timeline import Entry, timeline
from cloud.tickets.timers import judge_due
from tests.cloud.alarms.site import Site

LEAK = Words(zh="水管漏水", en="A pipe leaks")


@dataclass
class Desk:
    """What people do with tickets, each act in a transaction of its own."""

    site: Site

    def principal(self, role: Role) -> Principal:
        return self.site.estate.principals[role]

    @property
    def worker_id(self) -> int:
        return self.principal(Role.WORKER).person_id or 0

    async def open(self, type_code: str = "water_indoor", *, priority: Priority | None = None, **more: object) -> int:
        """Open a ticket of somebody whose telephone number is known."""
        asked = {"requester_name": "张三", "requester_phone": "+8613800000001", **more}
        site = self.site
        async with site.database.transaction() as session:
            return await open_ticket(
                session,
                site.clock,
                self.principal(Role.DESK),
                type_code=type_code,
                subject=LEAK,
                location=Location(community_id=site.community_id, place_id=site.place_id, place="云杉苑 · 3 栋"),
                priority=priority,
                **asked,
            )

    async def do(
        self, act: Act, ticket_id: int, *, by: Role = Role.DESK, clock: Clock | None = None, **more: object
    ) -> None:
        """Carry out an act as somebody, with the version that they see; with `clock` by that instead of the site's."""
        unseen = {Act.TAKE: service.take, Act.PROPOSE: service.propose, Act.AGREE: service.agree}
        unseen |= {Act.REFUSE: service.refuse}
        seen = {
            Act.ASSIGN: service.assign,
            Act.RELEASE: service.release,
            Act.START: service.start,
            Act.START_EMERGENCY: service.start_emergency,
            Act.WAIT: service.wait,
            Act.CONTINUE: service.go_on,
            Act.RESOLVE: service.resolve,
            Act.REOPEN: service.reopen,
            Act.CANCEL: service.cancel,
            Act.VOUCH: service.vouch,
        }
        said = {
            Act.ASSIGN: {"person_id": self.worker_id},
            Act.START_EMERGENCY: {"reason": "水要淹到楼下"},
            Act.WAIT: {"reason": "等配件"},
            Act.RESOLVE: {"result": "换了接头"},
            Act.REOPEN: {"reason": "又漏了"},
            Act.CANCEL: {"reason": "重复"},
            Act.VOUCH: {"reason": "探头坏了，现场看过"},
        }.get(act, {})
        site = self.site
        at = clock or site.clock
        async with site.database.transaction() as session:
            if act in unseen:
                await unseen[act](session, at, self.principal(by), ticket_id=ticket_id, **more)
                return
            version = (await ticket(session, site.clock, site.system, ticket_id=ticket_id)).version
            asked = {"ticket_id": ticket_id, "version": version, **said, **more}
            await seen[act](session, at, self.principal(by), **asked)

    async def see(self, ticket_id: int, *, by: Principal | None = None) -> Ticket:
        async with self.site.database.reading() as session:
            return await ticket(session, self.site.clock, by or self.site.system, ticket_id=ticket_id)

    async def told(self, ticket_id: int) -> list[Entry]:
        async with self.site.database.reading() as session:
            return (await timeline(session, self.site.system, ticket_ids=[ticket_id]))[ticket_id]

    async def deadlines(self, ticket_id: int) -> dict[Target, Deadline]:
        async with self.site.database.reading() as session:
            found = await deadlines(session, self.site.system, ticket_ids=[ticket_id])
        return {each.target: each for each in found[ticket_id]}

    async def look_at_the_clock(self) -> set[int]:
        """Run the job of what falls due, once."""
        async with self.site.database.transaction() as session:
            return await judge_due(session, self.site.clock)

    async def turns(self, ticket_id: int, target: Target = Target.SOLUTION) -> list[tuple[str, int]]:
        """Return what happened to a timer, with the percent that a warning is about."""
        async with self.site.database.reading() as session:
            rows = await session.scalars(
                select(TimerEventRow)
                .join(TimerRow, TimerRow.id == TimerEventRow.timer_id)
                .where(TimerRow.ticket_id == ticket_id, TimerRow.target == target)
                .order_by(TimerEventRow.id)
            )
            return [(str(row.turn), row.level) for row in rows]

    async def used(self, ticket_id: int, target: Target = Target.SOLUTION) -> timedelta:
        """Return how much business time a timer has used before it last began to run."""
        async with self.site.database.reading() as session:
            row = await session.scalar(
                select(TimerRow).where(TimerRow.ticket_id == ticket_id, TimerRow.target == target)
            )
            return row.timer.used

"""A repair that the owner of a flat pays for: what the tests of repairs and of opinions stand on."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.money import Money
from cloud.core.principal import Principal, Role
from cloud.core.words import Words
from cloud.notifications.tables import MessageRow
from cloud.repairs import plans, prices, results, stock, visits
from cloud.repairs.consent import Answer, reply
from cloud.repairs.domain import Line, LineKind, Means, RepairCharged, Reply, Terms
from cloud.repairs.plans import Plan
from cloud.tickets import service as tickets
from cloud.tickets.domain import Payer
from cloud.tickets.opening import Location, open_ticket
from cloud.tickets.reading import Ticket, ticket
from tests.cloud.alarms.site import Site
from tests.cloud.screens.households import Households

PIPE = "pipe-20"


@dataclass
class Job:
    """One ticket and the people around it.

    Attributes:
        owner: of the flat, who pays.
        next_door: the owner across the landing.
    """

    site: Site
    homes: Households
    ticket_id: int

    @property
    def owner(self) -> Principal:
        return self.homes.owner

    @property
    def next_door(self) -> Principal:
        return self.homes.next_door

    def person(self, role: Role) -> Principal:
        return self.site.estate.principals[role]

    @property
    def worker(self) -> Principal:
        return self.person(Role.WORKER)

    @asynccontextmanager
    async def work(self) -> AsyncIterator[AsyncSession]:
        async with self.site.database.transaction() as session:
            yield session

    async def see(self) -> Ticket:
        async with self.site.database.reading() as session:
            return await ticket(session, self.site.clock, self.site.system, ticket_id=self.ticket_id)

    async def plans(self) -> list[Plan]:
        async with self.site.database.reading() as session:
            return await plans.plans(session, self.site.system, ticket_id=self.ticket_id)

    async def propose(self, terms: Terms | None = None, *, by: Principal | None = None) -> int:
        async with self.work() as session:
            return await plans.put_forward(
                session, self.site.clock, by or self.worker, ticket_id=self.ticket_id, terms=terms or self.terms()
            )

    async def say(self, said: Reply, *, by: Principal | None = None, plan: Plan | None = None, **more: Any) -> None:
        seen = plan or (await self.plans())[0]
        answer = Answer(reply=said, version=seen.version, amount=seen.budget, **more)
        async with self.work() as session:
            await reply(session, self.site.clock, by or self.owner, ticket_id=self.ticket_id, answer=answer)

    async def tell_desk(self, said: Reply, *, decider_id: int, text: str = "电话中同意") -> None:
        await self.say(said, by=self.person(Role.DESK), means=Means.PHONE, text=text, decider_id=decider_id)

    async def start(self, *, emergency: str = "") -> None:
        seen = await self.see()
        act: dict[str, Any] = {"ticket_id": self.ticket_id, "version": seen.version}
        async with self.work() as session:
            if emergency:
                await tickets.start_emergency(session, self.site.clock, self.worker, reason=emergency, **act)
            else:
                await tickets.start(session, self.site.clock, self.worker, **act)

    async def spend(self, minutes: int, **more: Any) -> None:
        async with self.work() as session:
            await visits.arrive(session, self.site.clock, self.worker, ticket_id=self.ticket_id)
        self.site.clock.advance(minutes=minutes)
        async with self.work() as session:
            await visits.leave(
                session, self.site.clock, self.worker, ticket_id=self.ticket_id, labour_minutes=minutes, **more
            )

    async def take(self, quantity: str) -> None:
        async with self.work() as session:
            await stock.take(
                session, self.site.clock, self.worker, ticket_id=self.ticket_id, item=PIPE, quantity=Decimal(quantity)
            )

    async def give_back(self, quantity: str) -> None:
        async with self.work() as session:
            await stock.give_back(
                session, self.site.clock, self.worker, ticket_id=self.ticket_id, item=PIPE, quantity=Decimal(quantity)
            )

    async def finish(self, text: str = "换了一段水管") -> None:
        seen = await self.see()
        async with self.work() as session:
            await results.finish(
                session, self.site.clock, self.worker, ticket_id=self.ticket_id, version=seen.version, text=text
            )

    async def charged(self) -> list[dict[str, Any]]:
        return await self.site.emitted(RepairCharged.kind)

    async def messages(self, person: Principal) -> list[str]:
        """Return the subjects of what stands in somebody's inbox, the oldest first."""
        return [subject for subject, _link in await messages_of(self.site, person)]

    async def on_hand(self) -> Decimal | None:
        async with self.site.database.reading() as session:
            return (await prices.find_item(session, self.site.system, code=PIPE)).on_hand

    def terms(self, *, hours: str = "1.5", metres: str = "2", payer: Payer = Payer.OWNER, **more: Any) -> Terms:
        """Return a plan of ¥80.00 an hour and ¥12.99 a metre."""
        lines: Sequence[Line] = (
            Line(kind=LineKind.LABOUR, text="水工", quantity=Decimal(hours), unit="h", rate=Money(8_000, "CNY")),
            Line(
                kind=LineKind.MATERIAL, item=PIPE, text="PPR 管", quantity=Decimal(metres), unit="m",
                rate=Money(1_299, "CNY"),
            ),
        )  # fmt: skip
        now = self.site.clock.now()
        terms = Terms(
            lines=tuple(lines),
            payer=payer,
            visits=1,
            finish_on=now.date() + timedelta(days=3),
            valid_until=now + timedelta(days=2),
        )
        return replace(terms, **more)


async def messages_of(site: Site, person: Principal) -> list[tuple[str, str]]:
    """Return subject and link of what stands in somebody's inbox, the oldest first."""
    async with site.database.reading() as session:
        rows = await session.execute(
            select(MessageRow.subject_en, MessageRow.link)
            .where(MessageRow.person_id == person.person_id)
            .order_by(MessageRow.id)
        )
        return [(row[0], row[1]) for row in rows]


async def stock_up(site: Site, *, quantity: str = "10") -> None:
    """Put a pipe on the price list and some of it into the store."""
    manager = site.estate.principals[Role.MANAGER]
    async with site.database.transaction() as session:
        await prices.define_price(
            session, site.clock, manager, code=PIPE, kind=LineKind.MATERIAL, name=Words(zh="PPR 管", en="PPR pipe"),
            unit="m", price=Money(1_299, "CNY"), version=0,
        )  # fmt: skip
        await stock.receive(session, site.clock, manager, item=PIPE, quantity=Decimal(quantity))


async def make_job(site: Site, homes: Households) -> Job:
    """Return a repair that the owner asked for and the worker has, with pipes in the store."""
    await stock_up(site)
    return Job(site=site, homes=homes, ticket_id=await give_job(site, homes))


async def give_job(site: Site, homes: Households, *, type_code: str = "water_indoor") -> int:
    """Open a ticket for the owner, which needs a plan, and give it to the worker."""
    desk, worker = site.estate.principals[Role.DESK], site.estate.principals[Role.WORKER]
    async with site.database.transaction() as session:
        ticket_id = await open_ticket(
            session,
            site.clock,
            desk,
            type_code=type_code,
            subject=Words(zh="厨房漏水", en="The kitchen leaks"),
            location=Location(community_id=site.community_id, place="云杉苑 · 3 栋 · 501"),
            unit_id=homes.unit_id,
            requester_id=homes.owner.person_id,
            requester_name="冯九",
        )
        await tickets.assign(session, site.clock, desk, ticket_id=ticket_id, version=1, person_id=worker.person_id or 0)
    return ticket_id

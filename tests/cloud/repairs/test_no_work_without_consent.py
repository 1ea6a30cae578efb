"""No order of acts begins work that nobody agreed to, but for an emergency whose reason is written down."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cloud.core.database import Base, Database
from cloud.core.errors import GatehouseError
from cloud.core.principal import Role
from cloud.fleet.series_url import open_series
from cloud.repairs import plans
from cloud.repairs.domain import Reply, Standing
from cloud.tickets import service as tickets
from cloud.tickets.domain import Deed, State
from cloud.tickets.timeline import timeline
from tests.clocks import FixedClock
from tests.cloud.alarms.site import make_site
from tests.cloud.estate import make_organisation
from tests.cloud.repairs.job import Job, make_job
from tests.cloud.screens.households import make_households


class Repair(RuleBasedStateMachine):
    """A ticket that needs a plan, and everybody who may try something with it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.job: Job = self.runner.run(self._begin())

    async def _begin(self) -> Job:
        clock = FixedClock()
        folder = Path(self.folder.name)
        database = Database(f"sqlite+aiosqlite:///{folder / 'gatehouse.db'}")
        async with database.engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        self.series = open_series(f"sqlite+aiosqlite:///{folder / 'series.db'}")
        await self.series.prepare()
        site = await make_site(database, clock, self.series, await make_organisation(database, clock))
        homes = await make_households(database, clock, site.estate, community_id=site.community_id)
        return await make_job(site, homes)

    def teardown(self) -> None:
        self.runner.run(self._end())
        self.runner.close()
        self.folder.cleanup()

    async def _end(self) -> None:
        await self.series.close()
        await self.job.site.database.close()

    def attempt(self, act: Any) -> None:
        """Let somebody try something; a refusal is an answer too."""

        async def tried() -> None:
            try:
                await act
            except GatehouseError:
                return

        self.runner.run(tried())

    async def by_desk(self, act: Any, **more: Any) -> None:
        seen = await self.job.see()
        desk, clock = self.job.person(Role.DESK), self.job.site.clock
        async with self.job.work() as session:
            await act(session, clock, desk, ticket_id=seen.id, version=seen.version, **more)

    @rule(hours=st.sampled_from(["1", "2"]))
    def propose(self, hours: str) -> None:
        self.attempt(self.job.propose(self.job.terms(hours=hours)))

    @rule(said=st.sampled_from([Reply.AGREED, Reply.REFUSED, Reply.ASKED]), is_newest=st.booleans())
    def reply(self, said: Reply, is_newest: bool) -> None:
        known = self.runner.run(self.job.plans())
        if known:
            self.attempt(self.job.say(said, plan=known[0 if is_newest else -1], text="好"))

    @rule()
    def start(self) -> None:
        self.attempt(self.job.start())

    @rule()
    def start_emergency(self) -> None:
        self.attempt(self.job.start(emergency="水漫到楼下"))

    @rule(act=st.sampled_from([tickets.release, tickets.go_on]))
    def give_back_or_go_on(self, act: Any) -> None:
        self.attempt(self.by_desk(act))

    @rule(act=st.sampled_from([tickets.wait, tickets.reopen, tickets.cancel]))
    def wait_reopen_or_cancel(self, act: Any) -> None:
        self.attempt(self.by_desk(act, reason="等配件"))

    @rule()
    def assign(self) -> None:
        self.attempt(self.by_desk(tickets.assign, person_id=self.job.worker.person_id))

    @rule()
    def finish(self) -> None:
        self.attempt(self.job.spend(30))
        self.attempt(self.job.finish())

    @rule(days=st.integers(1, 3))
    def let_time_pass(self, days: int) -> None:
        self.job.site.clock.advance(days=days)
        self.attempt(self._lapse())

    async def _lapse(self) -> None:
        async with self.job.work() as session:
            await plans.lapse(session, self.job.site.clock)

    @invariant()
    def work_goes_on_only_with_consent_or_as_a_written_emergency(self) -> None:
        ticket, known = self.runner.run(self._look())
        if ticket.state is State.IN_WORK and not ticket.emergency_reason:
            assert known[0].standing is Standing.AGREED

    @invariant()
    def every_beginning_came_after_the_consent_to_the_plan_in_force_then(self) -> None:
        deeds = self.runner.run(self._deeds())
        is_agreed = False
        for deed in deeds:
            if deed in {Deed.PROPOSED, Deed.REFUSED}:
                is_agreed = False
            is_agreed = is_agreed or deed is Deed.AGREED
            assert deed is not Deed.STARTED or is_agreed

    @invariant()
    def nothing_is_charged_that_was_not_agreed_to(self) -> None:
        charged, known = self.runner.run(self._charges())
        budgets = {plan.version: plan.budget.minor for plan in known if _was_agreed(plan.replies)}
        assert all(each["amount_minor"] <= budgets.get(each["plan_version"], -1) for each in charged)
        assert len({each["result_id"] for each in charged}) == len(charged)

    async def _look(self) -> Any:
        return await self.job.see(), await self.job.plans()

    async def _charges(self) -> Any:
        return await self.job.charged(), await self.job.plans()

    async def _deeds(self) -> list[Deed]:
        async with self.job.site.database.reading() as session:
            lines = await timeline(session, self.job.site.system, ticket_ids=[self.job.ticket_id])
        return [line.deed for line in reversed(lines[self.job.ticket_id])]


def _was_agreed(replies: Any) -> bool:
    return any(said.reply is Reply.AGREED for said in replies)


Repair.TestCase.settings = settings(max_examples=12, stateful_step_count=25, deadline=None, derandomize=True)
TestRepair = Repair.TestCase

"""No order of acts begins work that nobody agreed to, but for an emergency whose reason is written down.

`make soak` tries many more orders than the tests do, of random seeds; hypothesis prints how to repeat one that fails.
"""

import asyncio
import atexit
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cloud.alarms.domain import Priority
from cloud.core.database import Base, Database
from cloud.core.errors import Forbidden, GatehouseError, NotFound
from cloud.core.principal import Principal, Role
from cloud.fleet.series_url import open_series
from cloud.repairs import consent, plans
from cloud.repairs.domain import Reply
from cloud.tickets import incidents, merging
from cloud.tickets import service as tickets
from cloud.tickets.domain import Deed, Payer, State
from cloud.tickets.timeline import Entry, timeline
from tests.clocks import FixedClock
from tests.cloud.alarms.site import make_site
from tests.cloud.estate import add_person, make_organisation
from tests.cloud.repairs.job import Job, give_job, make_job
from tests.cloud.screens.households import make_households
from tests.conftest import SOAKING

NEEDS_PLAN, NEEDS_NONE = "water_indoor", "drain_blocked"
WORKER, COLLEAGUE = "worker", "colleague"
ENDS_EMERGENCY = {Deed.AGREED, Deed.REFUSED, Deed.RELEASED, Deed.ASSIGNED, Deed.REOPENED}
"""After these work goes on by consent, or has stopped."""


@cache
def _prepared() -> tuple[Path, Job, Principal, int, int]:
    """Return a folder of databases with a job that nobody has begun, the job, a colleague, a ticket, an incident."""
    folder = Path(tempfile.mkdtemp(prefix="gatehouse-consent-"))
    atexit.register(shutil.rmtree, folder)
    return folder, *asyncio.run(_prepare(folder))


async def _prepare(folder: Path) -> tuple[Job, Principal, int, int]:
    clock = FixedClock()
    database = Database(_address(folder, "gatehouse"))
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    series = open_series(_address(folder, "series"))
    await series.prepare()
    site = await make_site(database, clock, series, await make_organisation(database, clock))
    homes = await make_households(database, clock, site.estate, community_id=site.community_id)
    job = await make_job(site, homes)
    colleague = await add_person(database, clock, site.estate, role=Role.WORKER, name="王七", login="colleague")
    other_id = await give_job(site, homes)
    async with database.transaction() as session:
        incident_id = await incidents.open_incident(
            session, clock, site.operator, type_code="water_off", title="停水", script="", notice=""
        )
    await series.close()
    await database.close()
    return job, colleague, other_id, incident_id


def _address(folder: Path, name: str) -> str:
    return f"sqlite+aiosqlite:///{folder / name}.db"


class Repair(RuleBasedStateMachine):
    """A ticket that needs a plan, and everybody who may try something with it."""

    def __init__(self) -> None:
        super().__init__()
        prepared, job, self.colleague, self.other_id, self.incident_id = _prepared()
        self.folder = tempfile.TemporaryDirectory()
        folder = Path(self.folder.name)
        for file in prepared.iterdir():
            shutil.copy(file, folder / file.name)
        self.series = open_series(_address(folder, "series"))
        database = Database(_address(folder, "gatehouse"))
        site = replace(job.site, database=database, series=self.series, clock=FixedClock())
        self.job = replace(job, site=site)
        self.runner = asyncio.Runner()

    def teardown(self) -> None:
        self.runner.run(self._end())
        self.runner.close()
        self.folder.cleanup()

    async def _end(self) -> None:
        await self.series.close()
        await self.job.site.database.close()

    def attempt(self, act: Awaitable[object]) -> None:
        """Let somebody try something; a refusal is an answer too."""

        async def tried() -> None:
            try:
                await act
            except GatehouseError:
                return

        self.runner.run(tried())

    async def act(self, act: Callable[..., Awaitable[object]], by: Principal | None = None, **more: Any) -> None:
        """Do something with the ticket as it stands: the desk, or who else is named."""
        async with self.job.work() as session:
            who = by or self.job.person(Role.DESK)
            await act(session, self.job.site.clock, who, ticket_id=self.job.ticket_id, **more)

    async def move(self, act: Callable[..., Awaitable[object]], by: Principal | None = None, **more: Any) -> None:
        """Do what must have seen the ticket's newest version."""
        await self.act(act, by, version=(await self.job.see()).version, **more)

    def worker(self, name: str) -> Principal:
        return self.job.worker if name == WORKER else self.colleague

    @rule(hours=st.sampled_from(["1", "2"]), payer=st.sampled_from([Payer.OWNER, Payer.COMPANY]))
    def propose(self, hours: str, payer: Payer) -> None:
        self.attempt(self.job.propose(self.job.terms(hours=hours, payer=payer)))

    @rule(
        said=st.sampled_from([Reply.AGREED, Reply.AGREED, Reply.REFUSED, Reply.ASKED]),
        is_newest=st.booleans(),
        by=st.sampled_from([Role.OWNER, Role.MANAGER]),
    )
    def reply(self, said: Reply, by: Role, *, is_newest: bool) -> None:
        known = self.runner.run(self.job.plans())
        if known:
            who = self.job.owner if by is Role.OWNER else self.job.person(by)
            self.attempt(self.job.say(said, by=who, plan=known[0 if is_newest else -1], text="好"))

    @rule(said=st.sampled_from([Reply.AGREED, Reply.REFUSED]))
    def tell_the_desk(self, said: Reply) -> None:
        if self.runner.run(self.job.plans()):
            self.attempt(self.job.tell_desk(said, decider_id=self.job.owner.person_id or 0))

    @rule(by=st.sampled_from(["next_door", WORKER, COLLEAGUE, "desk"]))
    def whoever_does_not_pay_agrees(self, by: str) -> None:
        """The answer is no, whatever stands: also when it was agreed to already."""
        if self.runner.run(self.job.plans()):
            who = {"next_door": self.job.next_door, "desk": self.job.person(Role.DESK)}.get(by) or self.worker(by)
            with pytest.raises((Forbidden, NotFound)):
                self.runner.run(self.job.say(Reply.AGREED, by=who))

    @rule()
    def explain(self) -> None:
        self.attempt(self.act(consent.explain, self.job.worker, text="旧管已裂"))

    @rule()
    def ask_again(self) -> None:
        until = self.job.terms().valid_until
        self.attempt(self.act(plans.ask_again, self.job.worker, valid_until=until))

    @rule(by=st.sampled_from([WORKER, COLLEAGUE]))
    def start(self, by: str) -> None:
        self.attempt(self.move(tickets.start, self.worker(by)))

    @rule(by=st.sampled_from([WORKER, COLLEAGUE]), reason=st.sampled_from(["水漫到楼下", "水漫到楼下", " "]))
    def start_emergency(self, by: str, reason: str) -> None:
        self.attempt(self.move(tickets.start_emergency, self.worker(by), reason=reason))

    @rule(act=st.sampled_from([tickets.release, tickets.go_on]))
    def give_back_or_go_on(self, act: Callable[..., Awaitable[object]]) -> None:
        self.attempt(self.move(act))

    @rule(act=st.sampled_from([tickets.wait, tickets.reopen, tickets.cancel]))
    def wait_reopen_or_cancel(self, act: Callable[..., Awaitable[object]]) -> None:
        self.attempt(self.move(act, reason="等配件"))

    @rule(to=st.sampled_from([WORKER, COLLEAGUE]))
    def assign(self, to: str) -> None:
        self.attempt(self.move(tickets.assign, person_id=self.worker(to).person_id))

    @rule(by=st.sampled_from([WORKER, COLLEAGUE]))
    def take(self, by: str) -> None:
        self.attempt(self.act(tickets.take, self.worker(by)))

    @rule(code=st.sampled_from([NEEDS_PLAN, NEEDS_NONE]))
    def reclassify(self, code: str) -> None:
        self.attempt(self.move(tickets.reclassify, type_code=code, priority=Priority.HIGH))

    @rule()
    def merge(self) -> None:
        self.attempt(self.move(merging.merge, into_id=self.other_id))

    @rule()
    def join_an_incident(self) -> None:
        self.attempt(self.act(incidents.add_ticket, incident_id=self.incident_id))

    @rule()
    def end_the_incident(self) -> None:
        self.attempt(self._end_incident())

    async def _end_incident(self) -> None:
        async with self.job.work() as session:
            await incidents.resolve_incident(
                session, self.job.site.clock, self.job.site.operator, incident_id=self.incident_id, version=1,
                result="恢复供水", with_tickets=True,
            )  # fmt: skip

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
    def work_begins_and_goes_on_only_with_consent_or_as_a_written_emergency(self) -> None:
        ticket, lines = self.runner.run(self._look())
        told = Told()
        for line in lines:
            told.hear(line)
            assert line.deed is not Deed.STARTED or told.may_begin
            assert line.deed is not Deed.STARTED_EMERGENCY or line.text.strip()
        assert ticket.state is not State.IN_WORK or told.may_begin or told.is_emergency

    @invariant()
    def nothing_is_charged_that_was_not_agreed_to(self) -> None:
        charged, known = self.runner.run(self._charges())
        budgets = {plan.version: plan.budget.minor for plan in known if _was_agreed(plan.replies)}
        assert all(each["amount_minor"] <= budgets.get(each["plan_version"], -1) for each in charged)
        assert len({each["result_id"] for each in charged}) == len(charged)

    async def _look(self) -> Any:
        async with self.job.site.database.reading() as session:
            lines = await timeline(session, self.job.site.system, ticket_ids=[self.job.ticket_id])
        return await self.job.see(), lines[self.job.ticket_id][::-1]

    async def _charges(self) -> Any:
        return await self.job.charged(), await self.job.plans()


class Told:
    """What a ticket's timeline tells of consent, read line by line."""

    def __init__(self) -> None:
        self.is_agreed = False
        self.may_begin = False
        self.is_emergency = False

    def hear(self, line: Entry) -> None:
        match line.deed:
            case Deed.PROPOSED | Deed.REFUSED:
                self.is_agreed = self.may_begin = False
            case Deed.AGREED:
                self.is_agreed = self.may_begin = True
            case Deed.RECLASSIFIED:
                self.may_begin = self.is_agreed or line.text == NEEDS_NONE
            case Deed.STARTED_EMERGENCY:
                self.is_emergency = True
        if line.deed in ENDS_EMERGENCY:
            self.is_emergency = False


def _was_agreed(replies: Any) -> bool:
    return any(said.reply is Reply.AGREED for said in replies)


_COUNTS: dict[str, Any] = (
    {"max_examples": 500, "stateful_step_count": 50}
    if SOAKING
    else {"max_examples": 20, "stateful_step_count": 30, "derandomize": True}
)
Repair.TestCase.settings = settings(deadline=None, print_blob=True, **_COUNTS)
TestRepair = pytest.mark.soak(Repair.TestCase)

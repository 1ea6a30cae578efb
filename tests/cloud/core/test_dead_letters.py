from dataclasses import dataclass
from typing import ClassVar

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.app.metrics import Metrics
from cloud.core.audit import AuditEntry
from cloud.core.clock import Clock
from cloud.core.database import Database, Routes
from cloud.core.dead_letters import (
    DeadLetter,
    count_dead_letters,
    count_waiting,
    discard,
    find_dead_letter,
    list_dead_letters,
    retry,
)
from cloud.core.delivery import DeliveryLoop
from cloud.core.errors import Forbidden, NotFound, Refused
from cloud.core.events import Event
from cloud.core.lanes import MAXIMUM_ATTEMPTS, delay_after, step_back
from cloud.core.listing import Ask
from cloud.core.outbox import count_stopped_lanes, emit
from cloud.core.principal import Principal, Role
from cloud.core.wiring import Wiring, hears
from tests.clocks import FixedClock

ADMINISTRATOR = Principal(organisation_id=1, person_id=1, name="赵一", roles=frozenset({Role.ADMINISTRATOR}))
NEIGHBOUR = Principal(organisation_id=2, person_id=2, name="李四", roles=frozenset({Role.ADMINISTRATOR}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rang(Event):
    kind: ClassVar[str] = "test.rang"
    time: int

    @property
    def subject(self) -> str:
        return "door:1"


class Porter:
    """Refuses the first ring until told otherwise."""

    def __init__(self) -> None:
        self.refuses = True
        self.heard: list[int] = []

    async def rang(self, session: AsyncSession, clock: Clock, event: Rang) -> None:
        if self.refuses and event.time == 1:
            raise Refused("Not this one.")
        self.heard.append(event.time)


@pytest.fixture
def porter() -> Porter:
    return Porter()


@pytest.fixture
def wiring(porter: Porter) -> Wiring:
    return Wiring(hears(Rang, {"porter": porter.rang}))


@pytest.fixture
def routes(wiring: Wiring) -> Routes:
    return wiring.routes


@pytest.fixture
async def loop(database: Database, clock: FixedClock, wiring: Wiring) -> DeliveryLoop:
    """A loop that has given up the first of three events; the other two stand behind it."""
    loop = DeliveryLoop(database, clock, wiring)
    async with database.transaction() as session:
        for time in (1, 2, 3):
            await emit(session, clock, Rang(organisation_id=1, time=time))
    for attempt in range(1, MAXIMUM_ATTEMPTS + 1):
        await loop.deliver_due()
        clock.advance(seconds=delay_after(attempt).total_seconds())
    async with database.transaction() as session:
        assert await step_back(session, due_before=clock.now()) == 2
    return loop


async def _letters(database: Database, principal: Principal = ADMINISTRATOR) -> list[DeadLetter]:
    async with database.reading() as session:
        return list((await list_dead_letters(session, principal, Ask())).rows)


@pytest.mark.usefixtures("loop")
async def test_a_dead_letter_says_what_was_refused_by_whom_and_why(database: Database, clock: FixedClock) -> None:
    (letter,) = await _letters(database)
    async with database.reading() as session:
        assert await find_dead_letter(session, ADMINISTRATOR, letter.id) == letter
    assert (letter.kind, letter.handler, letter.subject) == ("test.rang", "porter", "door:1")
    assert (letter.attempts, letter.error) == (MAXIMUM_ATTEMPTS, "Refused: Not this one.")
    async with database.reading() as session:
        assert await count_dead_letters(session, ADMINISTRATOR) == 1


@pytest.mark.usefixtures("loop")
async def test_what_waits_behind_a_dead_letter_is_counted(database: Database) -> None:
    async with database.reading() as session:
        assert await count_waiting(session, ADMINISTRATOR) == 2
        assert await count_waiting(session, NEIGHBOUR) == 0


async def test_a_lane_that_stands_still_is_counted_until_it_goes_on(
    database: Database, clock: FixedClock, loop: DeliveryLoop, porter: Porter
) -> None:
    async with database.reading() as session:
        assert await count_stopped_lanes(session) == {"porter": 1}
    (letter,) = await _letters(database)
    porter.refuses = False
    async with database.transaction() as session:
        await retry(session, clock, ADMINISTRATOR, letter.id)
    await loop.deliver_due()
    async with database.reading() as session:
        assert await count_stopped_lanes(session) == {}


@pytest.mark.usefixtures("loop")
async def test_the_figures_name_the_handlers_whose_lanes_stand_still(database: Database, clock: FixedClock) -> None:
    metrics = Metrics(database, clock)
    assert 'gatehouse_outbox_stopped_lanes{handler="porter"} 1.0' in (await metrics.page()).decode()
    (letter,) = await _letters(database)
    async with database.transaction() as session:
        await discard(session, clock, ADMINISTRATOR, letter.id)
    figures = (await metrics.page()).decode()
    assert 'gatehouse_outbox_deliveries{state="dead"} 0.0' in figures
    assert "gatehouse_outbox_stopped_lanes{" not in figures


async def test_a_retried_letter_is_delivered_with_all_that_waited_behind_it(
    database: Database, clock: FixedClock, loop: DeliveryLoop, porter: Porter
) -> None:
    (letter,) = await _letters(database)
    porter.refuses = False
    async with database.transaction() as session:
        await retry(session, clock, ADMINISTRATOR, letter.id)
    await loop.deliver_due()
    assert porter.heard == [1, 2, 3]
    assert await _letters(database) == []


async def test_a_discarded_letter_lets_what_waited_behind_it_come(
    database: Database, clock: FixedClock, loop: DeliveryLoop, porter: Porter
) -> None:
    (letter,) = await _letters(database)
    async with database.transaction() as session:
        await discard(session, clock, ADMINISTRATOR, letter.id)
    await loop.deliver_due()
    assert porter.heard == [2, 3]
    async with database.reading() as session:
        (entry,) = (await session.scalars(select(AuditEntry))).all()
    assert (entry.action, entry.actor) == ("core.letter_discarded", "赵一")
    assert entry.before == {"handler": "porter", "subject": "door:1", "error": "Refused: Not this one."}


@pytest.mark.usefixtures("loop")
@pytest.mark.parametrize("act", [retry, discard])
async def test_nobody_else_touches_a_dead_letter(database: Database, clock: FixedClock, act: object) -> None:
    (letter,) = await _letters(database)
    assert await _letters(database, NEIGHBOUR) == []
    worker = Principal(organisation_id=1, person_id=3, name="孙三", roles=frozenset({Role.WORKER}))
    for principal, error in ((NEIGHBOUR, NotFound), (worker, Forbidden)):
        with pytest.raises(error):
            async with database.transaction() as session:
                await act(session, clock, principal, letter.id)  # type: ignore[operator]  # one of two above
    async with database.reading() as session:
        with pytest.raises(Forbidden):
            await list_dead_letters(session, worker, Ask())
        with pytest.raises(Forbidden):
            await find_dead_letter(session, worker, letter.id)
        with pytest.raises(NotFound):
            await find_dead_letter(session, NEIGHBOUR, letter.id)


@pytest.mark.usefixtures("loop")
async def test_who_comes_second_is_told_so(database: Database, clock: FixedClock) -> None:
    (letter,) = await _letters(database)
    async with database.transaction() as session:
        await discard(session, clock, ADMINISTRATOR, letter.id)
    with pytest.raises(NotFound, match="any more"):
        async with database.transaction() as session:
            await retry(session, clock, ADMINISTRATOR, letter.id)

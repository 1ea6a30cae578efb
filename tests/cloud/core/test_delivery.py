import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import ClassVar

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.clock import Clock
from cloud.core.database import Database, Routes
from cloud.core.delivery import DeliveryLoop
from cloud.core.errors import Refused
from cloud.core.events import Event
from cloud.core.lanes import MAXIMUM_ATTEMPTS, delay_after, step_back
from cloud.core.outbox import DeliveryState, OutboxDelivery, OutboxEvent, emit, emit_all, prune
from cloud.core.wiring import Wiring, hears
from tests.clocks import FixedClock
from tests.cloud.waiting import until


@dataclass(frozen=True, slots=True, kw_only=True)
class Rang(Event):
    kind: ClassVar[str] = "test.rang"
    door: str
    time: int

    @property
    def subject(self) -> str:
        return f"door:{self.door}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened(Event):
    kind: ClassVar[str] = "test.opened"
    door: str

    @property
    def subject(self) -> str:
        return f"door:{self.door}"


class Porter:
    """Hears every bell; refuses the doors that it was told to refuse."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.broken: set[str] = set()

    async def rang(self, session: AsyncSession, clock: Clock, event: Rang) -> None:
        if event.door in self.broken:
            raise Refused("The bell of %(door)s is broken.", door=event.door)
        self.heard.append(f"{event.door}{event.time}")

    async def opened(self, session: AsyncSession, clock: Clock, event: Opened) -> None:
        self.heard.append(f"{event.door} opened")


@pytest.fixture
def porter() -> Porter:
    return Porter()


@pytest.fixture
def wiring(porter: Porter) -> Wiring:
    return Wiring(hears(Rang, {"porter": porter.rang}), hears(Opened, {"porter": porter.opened}))


@pytest.fixture
def routes(wiring: Wiring) -> Routes:
    return wiring.routes


@pytest.fixture
def loop(database: Database, clock: FixedClock, wiring: Wiring) -> DeliveryLoop:
    return DeliveryLoop(database, clock, wiring)


async def _ring(database: Database, clock: Clock, *bells: str) -> None:
    async with database.transaction() as session:
        for bell in bells:
            await emit(session, clock, Rang(organisation_id=1, door=bell[0], time=int(bell[1:])))


async def _rows(database: Database) -> list[tuple[str, DeliveryState, int, str | None]]:
    async with database.reading() as session:
        rows = await session.scalars(select(OutboxDelivery).order_by(OutboxDelivery.id))
        return [(row.subject, row.state, row.attempts, row.error) for row in rows]


async def test_what_was_emitted_is_handled_in_order_and_leaves_no_delivery(
    database: Database, clock: FixedClock, loop: DeliveryLoop, porter: Porter
) -> None:
    await _ring(database, clock, "a1", "b1", "a2")
    assert await loop.deliver_due() == 3
    assert porter.heard == ["a1", "b1", "a2"]
    assert await _rows(database) == []


async def test_hundreds_of_events_at_once_are_numbered_in_their_order(
    database: Database, clock: FixedClock, wiring: Wiring
) -> None:
    bells = [Rang(organisation_id=1, door=f"{number % 7}", time=number) for number in range(1_500)]
    async with database.transaction() as session:
        await emit_all(session, clock, bells)
    owed = select(OutboxEvent.payload, OutboxDelivery.subject).join(OutboxDelivery).order_by(OutboxDelivery.id)
    async with database.reading() as session:
        kept = [(wiring.decode("test.rang", payload), subject) for payload, subject in await session.execute(owed)]
    assert kept == [(bell, bell.subject) for bell in bells]


async def test_what_was_undone_is_not_handled(
    database: Database, clock: FixedClock, loop: DeliveryLoop, porter: Porter
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as session:
            await emit(session, clock, Rang(organisation_id=1, door="a", time=1))
            raise ZeroDivisionError
    assert await loop.deliver_due() == 0
    assert porter.heard == []


async def test_an_event_that_nobody_hears_is_kept_without_deliveries(database: Database, clock: FixedClock) -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Whispered(Event):
        kind: ClassVar[str] = "test.whispered"

        @property
        def subject(self) -> str:
            return "nobody"

    async with database.transaction() as session:
        await emit(session, clock, Whispered(organisation_id=1))
    assert await _rows(database) == []
    async with database.reading() as session:
        assert (await session.scalars(select(OutboxEvent.kind))).all() == ["test.whispered"]


async def test_a_failing_handler_holds_up_only_its_own_subject(
    database: Database, clock: FixedClock, loop: DeliveryLoop, porter: Porter
) -> None:
    porter.broken = {"a"}
    await _ring(database, clock, "a1", "a2", "b1", "b2")
    await loop.deliver_due()
    assert porter.heard == ["b1", "b2"]
    assert await _rows(database) == [
        ("door:a", DeliveryState.WAITING, 1, "Refused: The bell of a is broken."),
        ("door:a", DeliveryState.WAITING, 0, None),
    ]


async def test_it_is_tried_again_after_its_delay_and_then_all_follows_in_order(
    database: Database, clock: FixedClock, loop: DeliveryLoop, porter: Porter
) -> None:
    porter.broken = {"a"}
    await _ring(database, clock, "a1", "a2", "a3")
    await loop.deliver_due()
    porter.broken = set()
    clock.advance(seconds=0.9)
    assert await loop.deliver_due() == 0
    clock.advance(seconds=0.1)
    await loop.deliver_due()
    assert porter.heard == ["a1", "a2", "a3"]


async def test_kinds_that_share_a_handler_name_do_not_overtake_each_other(
    database: Database, clock: FixedClock, loop: DeliveryLoop, porter: Porter
) -> None:
    porter.broken = {"a"}
    await _ring(database, clock, "a1")
    async with database.transaction() as session:
        await emit(session, clock, Opened(organisation_id=1, door="a"))
    await loop.deliver_due()
    porter.broken = set()
    clock.advance(seconds=1)
    await loop.deliver_due()
    assert porter.heard == ["a1", "a opened"]


async def test_after_the_last_try_it_is_dead_and_its_subject_waits(
    database: Database, clock: FixedClock, loop: DeliveryLoop, porter: Porter
) -> None:
    porter.broken = {"a"}
    await _ring(database, clock, "a1", "a2", "b1")
    for attempt in range(1, MAXIMUM_ATTEMPTS + 1):
        await loop.deliver_due()
        clock.advance(seconds=delay_after(attempt).total_seconds())
    porter.broken = set()
    await loop.deliver_due()
    assert porter.heard == ["b1"]
    assert [row[1:3] for row in await _rows(database)] == [
        (DeliveryState.DEAD, MAXIMUM_ATTEMPTS),
        (DeliveryState.WAITING, 0),
    ]


async def test_the_delays_double_to_ten_minutes_and_the_last_try_is_within_about_an_hour() -> None:
    delays_s = [delay_after(attempt).total_seconds() for attempt in range(1, MAXIMUM_ATTEMPTS)]
    assert delays_s == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600]


async def test_what_waits_behind_a_stopped_head_steps_back_and_comes_one_by_one_in_order(
    database: Database, clock: FixedClock, loop: DeliveryLoop, porter: Porter
) -> None:
    porter.broken = {"a"}
    await _ring(database, clock, "a1", "a2", "b1", "a3")
    await loop.deliver_due()
    async with database.transaction() as session:
        assert await step_back(session, due_before=clock.now()) == 2
    assert [row[1] for row in await _rows(database)] == [
        DeliveryState.WAITING,
        DeliveryState.BEHIND,
        DeliveryState.BEHIND,
    ]
    await _ring(database, clock, "a4")
    porter.broken = set()
    clock.advance(seconds=1)
    await loop.deliver_due()
    assert porter.heard == ["b1", "a1", "a2", "a3", "a4"]


async def test_a_lane_that_catches_up_takes_turns_with_the_others(
    database: Database, clock: FixedClock, loop: DeliveryLoop, porter: Porter
) -> None:
    porter.broken = {"a"}
    await _ring(database, clock, "a1", "a2", "a3")
    await loop.deliver_due()
    async with database.transaction() as session:
        await step_back(session, due_before=clock.now())
    porter.broken = set()
    clock.advance(seconds=1)
    await _ring(database, clock, "b1", "b2")
    clock.advance(seconds=1)
    await loop.deliver_due()
    assert porter.heard == ["a1", "b1", "b2", "a2", "a3"]


async def test_a_handlers_work_is_undone_when_it_fails(
    database: Database, clock: FixedClock, loop: DeliveryLoop, wiring: Wiring
) -> None:
    async def half(session: AsyncSession, clock: Clock, event: Rang) -> None:
        session.add(OutboxEvent(organisation_id=1, kind="half", subject="s", payload="{}", emitted_at=clock.now()))
        await session.flush()
        raise ZeroDivisionError

    loop = DeliveryLoop(database, clock, Wiring(hears(Rang, {"porter": half})))
    await _ring(database, clock, "a1")
    await loop.deliver_due()
    async with database.reading() as session:
        assert (await session.scalars(select(OutboxEvent.kind))).all() == ["test.rang"]
    assert await _rows(database) == [("door:a", DeliveryState.WAITING, 1, "ZeroDivisionError: no message")]


async def test_a_broken_statement_leaves_no_value_in_the_error(
    database: Database, clock: FixedClock, loop: DeliveryLoop
) -> None:
    async def writes_twice(session: AsyncSession, clock: Clock, event: Rang) -> None:
        for _ in range(2):
            session.add(
                OutboxEvent(id=77, organisation_id=1, kind="k", subject="s", payload="hush", emitted_at=clock.now())
            )
            await session.flush()
            session.expunge_all()

    loop = DeliveryLoop(database, clock, Wiring(hears(Rang, {"porter": writes_twice})))
    await _ring(database, clock, "a1")
    await loop.deliver_due()
    ((_, state, attempts, error),) = await _rows(database)
    assert (state, attempts) == (DeliveryState.WAITING, 1)
    assert error is not None
    assert error.startswith("IntegrityError: ")
    assert "hush" not in error


async def test_a_handler_that_is_gone_is_an_error_that_names_it(
    database: Database, clock: FixedClock, loop: DeliveryLoop
) -> None:
    await _ring(database, clock, "a1")
    await DeliveryLoop(database, clock, Wiring()).deliver_due()
    ((_, _, _, error),) = await _rows(database)
    assert error == "LookupError: nobody hears test.rang as porter: it was renamed or removed in cloud/wiring.py"


async def test_a_stuck_handler_is_given_up_and_tried_again(database: Database, clock: FixedClock) -> None:
    async def stuck(session: AsyncSession, clock: Clock, event: Rang) -> None:
        await session.execute(select(OutboxEvent.id))
        await asyncio.Event().wait()

    await _ring(database, clock, "a1")
    wiring = Wiring(hears(Rang, {"porter": stuck}))
    await DeliveryLoop(database, clock, wiring, handler_timeout_s=0.05).deliver_due()
    assert await _rows(database) == [("door:a", DeliveryState.WAITING, 1, "TimeoutError: no message")]


async def test_events_are_pruned_when_old_and_handled(
    database: Database, clock: FixedClock, loop: DeliveryLoop, porter: Porter
) -> None:
    porter.broken = {"a"}
    await _ring(database, clock, "a1", "b1")
    await loop.deliver_due()
    clock.advance(days=3, seconds=1)
    await _ring(database, clock, "c1")
    await prune(database, clock)
    async with database.reading() as session:
        assert (await session.scalars(select(OutboxEvent.subject).order_by(OutboxEvent.id))).all() == [
            "door:a",
            "door:c",
        ]


@pytest.fixture
async def running(loop: DeliveryLoop) -> AsyncIterator[DeliveryLoop]:
    task = asyncio.create_task(loop.run(), name="loop under test")
    yield loop
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_running_loop_handles_within_moments_of_the_commit(
    database: Database, clock: FixedClock, running: DeliveryLoop, porter: Porter
) -> None:
    await _ring(database, clock, "a1")

    async def has_heard() -> bool:
        return porter.heard == ["a1"]

    await until(has_heard)


async def test_a_delivery_that_is_cancelled_is_undone_and_found_again(
    database: Database, clock: FixedClock, porter: Porter, loop: DeliveryLoop
) -> None:
    began = asyncio.Event()

    async def slow(session: AsyncSession, clock: Clock, event: Rang) -> None:
        session.add(OutboxEvent(organisation_id=1, kind="half", subject="s", payload="{}", emitted_at=clock.now()))
        await session.flush()
        began.set()
        await asyncio.Event().wait()

    await _ring(database, clock, "a1")
    task = asyncio.create_task(DeliveryLoop(database, clock, Wiring(hears(Rang, {"porter": slow}))).run())
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await _rows(database) == [("door:a", DeliveryState.WAITING, 0, None)]
    await loop.deliver_due()
    assert porter.heard == ["a1"]

import asyncio
from decimal import Decimal

import pytest
from sqlalchemy import select

from cloud.core.errors import Conflict, Forbidden, NotFound, Refused
from cloud.core.listing import Ask
from cloud.core.money import Money
from cloud.core.principal import Role
from cloud.core.words import Words
from cloud.repairs import prices, stock
from cloud.repairs.domain import LineKind, Reply
from cloud.repairs.prices import Wanted
from cloud.repairs.stock_tables import Move, StockMoveRow
from tests.cloud.repairs.job import PIPE, Job


async def begin(job: Job) -> None:
    await job.propose()
    await job.say(Reply.AGREED)
    await job.start()


async def test_material_is_taken_once_the_work_has_begun_and_brought_back(job: Job) -> None:
    with pytest.raises(Conflict, match="once the work has begun"):
        await job.take("1")
    await begin(job)
    await job.take("2.5")
    await job.give_back("1")
    assert await job.on_hand() == Decimal("8.5")
    async with job.work() as session:
        assert await stock.used(session, job.worker, ticket_id=job.ticket_id) == {PIPE: Decimal("1.5")}
        moves = await stock.moves(session, job.person(Role.DESK), Ask(), item=PIPE)
        taken = await stock.moves(session, job.person(Role.DESK), Ask(search=job.worker.name, limit=1), item=PIPE)
    assert [(each.move, each.quantity) for each in moves.rows] == [
        (Move.RETURNED, Decimal(1)),
        (Move.TAKEN, Decimal("-2.5")),
        (Move.RECEIVED, Decimal(10)),
    ]
    assert (taken.total, [each.move for each in taken.rows]) == (2, [Move.RETURNED])


async def test_more_than_is_there_is_not_taken(job: Job) -> None:
    await begin(job)
    with pytest.raises(Conflict, match="10 is left"):
        await job.take("10.001")
    assert await job.on_hand() == Decimal(10)
    with pytest.raises(Conflict, match="Not so much"):
        await job.give_back("0.001")


async def test_of_many_who_take_at_once_nobody_takes_what_is_not_there(job: Job) -> None:
    await begin(job)
    tries = await asyncio.gather(*(job.take("3") for _ in range(6)), return_exceptions=True)
    assert sorted(type(each).__name__ for each in tries) == ["Conflict"] * 3 + ["NoneType"] * 3
    assert await job.on_hand() == Decimal(1)


async def test_the_book_of_moves_always_adds_up_to_what_is_on_hand(job: Job) -> None:
    await begin(job)
    await job.take("4")
    async with job.work() as session:
        await stock.count(
            session, job.site.clock, job.person(Role.MANAGER), item=PIPE, quantity=Decimal("5.5"), text="盘点，破损"
        )
        moved = await session.scalars(select(StockMoveRow.quantity_milli))
        assert sum(moved) == 5_500
    assert await job.on_hand() == Decimal("5.5")


async def test_who_does_repairs_keeps_no_store(job: Job) -> None:
    with pytest.raises(Forbidden):
        async with job.work() as session:
            await stock.receive(session, job.site.clock, job.worker, item=PIPE, quantity=Decimal(1))
    with pytest.raises(NotFound, match="price list"):
        async with job.work() as session:
            await stock.receive(session, job.site.clock, job.person(Role.DESK), item="gold", quantity=Decimal(1))


async def test_a_new_price_leaves_plans_that_were_made_as_they_are(job: Job) -> None:
    await job.propose()
    async with job.work() as session:
        await prices.define_price(
            session, job.site.clock, job.person(Role.MANAGER), code=PIPE, kind=LineKind.MATERIAL,
            name=Words(zh="PPR 管", en="PPR pipe"), unit="m", price=Money(1_500, "CNY"), version=1,
        )  # fmt: skip
        (line,) = await prices.priced(
            session, job.worker, [Wanted(kind=LineKind.MATERIAL, item=PIPE, quantity=Decimal(2))], is_zh=False
        )
    assert (line.rate, line.text, line.total) == (Money(1_500, "CNY"), "PPR pipe", Money(3_000, "CNY"))
    (plan,) = await job.plans()
    assert plan.terms.lines[1].rate == Money(1_299, "CNY")


async def test_two_who_change_a_price_at_once_do_not_overwrite_each_other(job: Job) -> None:
    for version in (0, 2):
        with pytest.raises(Conflict):
            async with job.work() as session:
                await prices.define_price(
                    session, job.site.clock, job.person(Role.DESK), code=PIPE, kind=LineKind.MATERIAL,
                    name=Words(zh="管", en=""), unit="m", price=Money(1, "CNY"), version=version,
                )  # fmt: skip


async def test_a_retired_price_is_chosen_no_more(job: Job) -> None:
    async with job.work() as session:
        await prices.retire_price(session, job.site.clock, job.person(Role.DESK), code=PIPE, version=1)
        assert await prices.price_list(session, job.worker) == []
        with pytest.raises(Refused, match="Line 1"):
            await prices.priced(
                session, job.worker, [Wanted(kind=LineKind.MATERIAL, item=PIPE, quantity=Decimal(2))], is_zh=True
            )


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(kind=LineKind.MATERIAL, quantity=Decimal(1), text="管", rate=Money(1, "CNY")),
        Wanted(kind=LineKind.LABOUR, quantity=Decimal(1), text="水工"),
        Wanted(kind=LineKind.OTHER, quantity=Decimal(1), rate=Money(1, "CNY")),
        Wanted(kind=LineKind.OTHER, quantity=Decimal(1), text="车", rate=Money(-1, "CNY")),
        Wanted(kind=LineKind.LABOUR, item=PIPE, quantity=Decimal(1)),
    ],
    ids=["material beside the list", "no rate", "no text", "a rate below zero", "material as labour"],
)
async def test_a_line_that_is_not_whole_is_refused(job: Job, wanted: Wanted) -> None:
    with pytest.raises(Refused, match="Line 1") as refused:
        async with job.work() as session:
            await prices.priced(session, job.worker, [wanted], is_zh=True)
    assert refused.value.field == "lines"

from pathlib import Path

from cloud.core.clock import SystemClock
from cloud.core.database import Base, Database
from cloud.core.files import FileStore
from cloud.core.listing import Ask
from cloud.core.principal import Principal
from cloud.feedback import service as feedback
from cloud.repairs import maintenance, plans, prices
from cloud.repairs.domain import Standing
from cloud.repairs.plans import Plan
from cloud.tickets.domain import State
from cloud.tickets.reading import Ticket, list_tickets
from provisioning.demo import estate, people, repairs, residents


async def test_the_practice_estate_has_a_plan_that_waits_a_job_in_work_and_one_that_is_rated(tmp_path: Path) -> None:
    database, clock = Database(f"sqlite+aiosqlite:///{tmp_path / 'gatehouse.db'}"), SystemClock()
    try:
        async with database.engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        picture = await residents.photo(FileStore(f"file://{tmp_path / 'files'}"))
        async with database.transaction() as session:
            principal = await people.found(session, clock)
            await estate.build(session, clock, principal)
            await residents.move_in(session, clock, principal, picture)
            await repairs.stock_up(session, clock, principal)
            await repairs.repair(session, clock, principal)
            await repairs.plan_inspections(session, clock, principal)
        found = {ticket.state: (ticket, plan) for ticket, plan in await _planned(database, clock, principal)}
        async with database.reading() as session:
            done = found[State.RESOLVED][0]
            rated = await feedback.opinions(session, principal, ticket_ids=[done.id])
            lamp = await prices.find_item(session, principal, code="led-12w")
            inspections = await maintenance.list_plans(session, principal, Ask())
    finally:
        await database.close()
    assert {state: plan.standing for state, (_ticket, plan) in found.items()} == {
        State.PLANNED: Standing.ASKED,
        State.IN_WORK: Standing.AGREED,
        State.RESOLVED: Standing.AGREED,
    }
    assert rated[done.id].text == "来得很快"
    assert lamp.on_hand == 14
    assert [plan.name.zh for plan in inspections.rows] == ["电梯月检"]


async def _planned(database: Database, clock: SystemClock, principal: Principal) -> list[tuple[Ticket, Plan]]:
    async with database.reading() as session:
        tickets = await list_tickets(session, clock, principal, Ask(limit=None), only_undone=False)
        pairs = [(each, await plans.current_plan(session, principal, ticket_id=each.id)) for each in tickets.rows]
    return [(each, plan) for each, plan in pairs if plan is not None]

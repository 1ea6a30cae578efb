from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import select

from cloud.core.errors import Conflict, Forbidden, Refused
from cloud.core.listing import Ask, Filter, Operator
from cloud.core.principal import Principal, Role
from cloud.core.words import Words
from cloud.fleet.intake import Intake
from cloud.notifications.tables import MessageRow
from cloud.properties import service as properties
from cloud.properties.domain import PlaceKind
from cloud.repairs import checks, maintenance, preventive, results, retiring
from cloud.repairs.maintenance import Maintenance
from cloud.repairs.maintenance_tables import Checked
from cloud.repairs.preventive import Draft
from cloud.repairs.rhythm import Rhythm
from cloud.tickets import service as tickets
from cloud.tickets.default_types import DEFAULT_TYPES
from cloud.tickets.domain import INSPECTION, Kind, Origin, State
from cloud.tickets.reading import Ticket, list_tickets
from cloud.tickets.types import define_type, find_type, list_types
from tests.cloud.alarms.site import Site
from tests.cloud.estate import make_organisation
from tests.cloud.fleet.boxes import batch

PUMPS = Words(zh="水泵月检", en="Pumps, monthly")
CHECKLIST = (Words(zh="轴封漏水", en="Seal leaks"), Words(zh="异响", en="Noise"))


def draft(site: Site, **changes: object) -> Draft:
    written = Draft(
        name=PUMPS,
        place_id=site.place_id,
        checklist=CHECKLIST,
        rhythm=Rhythm.MONTHS,
        every=Decimal(1),
        first_on=date(2026, 3, 7),
    )
    return replace(written, **changes)


def by_meter(site: Site, **changes: object) -> Draft:
    point_id = site.points["probe/humidity"]
    meter: dict[str, object] = {"rhythm": Rhythm.METER, "every": Decimal(500), "first_on": None, "point_id": point_id}
    return draft(site, **meter | changes)


def manager(site: Site) -> Principal:
    return site.estate.principals[Role.MANAGER]


async def plan(site: Site, written: Draft) -> int:
    async with site.database.transaction() as session:
        return await preventive.create_plan(session, site.clock, manager(site), written)


async def look(site: Site) -> int:
    """Run the job once and return for how many organisations there was something."""
    async with site.database.transaction() as session:
        return len(await preventive.make_due(session, site.clock))


async def inspections(site: Site) -> Sequence[Ticket]:
    async with site.database.reading() as session:
        found = await list_tickets(session, site.clock, site.system, Ask(limit=None), only_undone=False)
    return sorted(found.rows, key=lambda each: each.id)


async def seen(site: Site, plan_id: int) -> Maintenance:
    async with site.database.reading() as session:
        return await maintenance.find_plan(session, manager(site), plan_id=plan_id)


async def test_an_inspection_comes_on_the_first_day_that_is_worked_and_once(site: Site) -> None:
    plan_id = await plan(site, draft(site))
    assert (await seen(site, plan_id)).next_at == datetime(2026, 3, 9, 1, 0, tzinfo=UTC)  # Saturday waits for Monday
    site.clock.set(datetime(2026, 3, 9, 0, 59, tzinfo=UTC))
    assert await look(site) == 0
    site.clock.set(datetime(2026, 3, 9, 1, 0, tzinfo=UTC))
    assert [await look(site) for _again in range(3)] == [1, 0, 0]
    (ticket,) = await inspections(site)
    assert (ticket.kind, ticket.origin, ticket.subject) == (Kind.INSPECTION, Origin.PLAN, PUMPS)
    assert ticket.place_id == site.place_id
    assert (await seen(site, plan_id)).next_at == datetime(2026, 4, 7, 1, 0, tzinfo=UTC)
    assert (await seen(site, plan_id)).last_ticket_id == ticket.id


async def test_the_plans_are_a_list_that_is_searched_narrowed_and_sorted(site: Site) -> None:
    monthly, metered = await plan(site, draft(site)), await plan(site, by_meter(site, name=Words(zh="泵小时检", en="")))
    site.clock.set(datetime(2026, 3, 9, 1, 0, tzinfo=UTC))
    await look(site)

    async def listed(ask: Ask, by: Principal | None = None) -> list[int]:
        async with site.database.reading() as session:
            return [each.id for each in (await maintenance.list_plans(session, by or manager(site), ask)).rows]

    resting = Ask(filters=(Filter(column="active", operator=Operator.IS, values=(0,)),))
    assert await listed(Ask(search="小时")) == [metered]
    assert await listed(resting) == []
    inspected = Ask(filters=(Filter(column="last", operator=Operator.FROM, values=(site.clock.now(),)),))
    assert await listed(inspected) == [monthly]
    by_rhythm = Ask(sort="rhythm", descending=True)
    assert await listed(by_rhythm, by=site.estate.principals[Role.DESK]) == [monthly, metered]
    elsewhere = replace(manager(site), communities=frozenset({site.community_id + 1}))
    assert await listed(Ask(), by=elsewhere) == []


async def test_turns_that_nobody_looked_for_are_one_inspection(site: Site) -> None:
    plan_id = await plan(site, draft(site))
    site.clock.set(datetime(2026, 6, 20, 12, 0, tzinfo=UTC))
    assert [await look(site) for _again in range(2)] == [1, 0]
    assert len(await inspections(site)) == 1
    assert (await seen(site, plan_id)).next_at == datetime(2026, 7, 7, 1, 0, tzinfo=UTC)


async def test_an_inspection_comes_when_the_pump_has_run_so_long_and_once(site: Site) -> None:
    plan_id = await plan(site, by_meter(site, next_mark=Decimal(1_000)))
    marks = ((999.5, 0), (1_000.0, 1), (1_200.0, 0), (2_600.0, 1), (2_999.0, 0), (3_000.0, 1))
    for number, (hours, opened) in enumerate(marks, 1):
        site.clock.advance(minutes=1)
        sent = batch([(number, number)], [("probe/humidity", site.us(0), hours)])
        await Intake(site.database, site.series, site.clock).take(site.box.identity, sent)
        assert [await look(site) for _again in range(2)] == [opened, 0]
    assert len(await inspections(site)) == 3
    assert (await seen(site, plan_id)).next_mark == Decimal(3_500)


async def test_a_meter_that_says_nothing_makes_no_inspection(site: Site) -> None:
    plan_id = await plan(site, by_meter(site))
    assert (await seen(site, plan_id)).next_mark == Decimal(500)
    assert await look(site) == 0


async def test_a_plan_that_rests_makes_nothing_and_goes_on_from_then(site: Site) -> None:
    plan_id = await plan(site, draft(site))
    async with site.database.transaction() as session:
        await preventive.set_active(session, site.clock, manager(site), plan_id=plan_id, version=1, is_active=False)
    site.clock.set(datetime(2026, 4, 20, 1, 0, tzinfo=UTC))
    assert await look(site) == 0
    async with site.database.transaction() as session:
        await preventive.set_active(session, site.clock, manager(site), plan_id=plan_id, version=2, is_active=True)
    assert await look(site) == 0
    assert (await seen(site, plan_id)).next_at == datetime(2026, 5, 7, 1, 0, tzinfo=UTC)


async def test_a_change_of_the_list_keeps_the_turn_and_what_is_under_way(site: Site) -> None:
    plan_id = await plan(site, draft(site))
    site.clock.set(datetime(2026, 3, 9, 1, 0, tzinfo=UTC))
    await look(site)
    longer = draft(site, checklist=(*CHECKLIST, Words(zh="压力", en="Pressure")))
    async with site.database.transaction() as session:
        await preventive.change_plan(session, site.clock, manager(site), longer, plan_id=plan_id, version=1)
        (ticket,) = await inspections(site)
        assert len(await checks.checklist(session, site.system, ticket_id=ticket.id)) == 2
    assert await look(site) == 0
    with pytest.raises(Conflict):
        async with site.database.transaction() as session:
            await preventive.change_plan(session, site.clock, manager(site), longer, plan_id=plan_id, version=1)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"checklist": ()}, "checklist"),
        ({"name": Words(zh=" ", en="")}, "name_zh"),
        ({"every": Decimal("1.5")}, "every"),
        ({"every": Decimal(0)}, "every"),
        ({"first_on": None}, "first_on"),
        ({"rhythm": Rhythm.METER}, "point_id"),
    ],
    ids=["no item", "no name", "half a month", "never", "no first day", "no point"],
)
async def test_a_plan_that_cannot_be_is_refused(site: Site, changes: dict[str, object], field: str) -> None:
    with pytest.raises(Refused) as refused:
        await plan(site, draft(site, **changes))
    assert refused.value.field == field


async def retire(site: Site, code: str) -> None:
    """Retire a type as its row says it, whatever stands on it."""
    async with site.database.transaction() as session:
        row = await find_type(session, site.clock, site.system, code=code)
        row.replaced_at = site.clock.now()


async def plan_next_door(site: Site) -> Principal:
    """Let another organisation have a plan that is due at the same time; return its manager."""
    estate = await make_organisation(site.database, site.clock, name="银杏物业")
    boss, clock = estate.administrator, site.clock
    async with site.database.transaction() as session:
        community_id = await properties.create_community(session, clock, boss, name="银杏苑")
        place_id = await properties.create_place(
            session, clock, boss, community_id=community_id, name="泵房", kind=PlaceKind.PLANT_ROOM
        )
        await preventive.create_plan(session, clock, estate.principals[Role.MANAGER], draft(site, place_id=place_id))
    return estate.principals[Role.MANAGER]


async def tickets_of(site: Site, principal: Principal) -> list[Kind]:
    system = Principal.system(principal.organisation_id)
    async with site.database.reading() as session:
        found = await list_tickets(session, site.clock, system, Ask(limit=None), only_undone=False)
    return [each.kind for each in found.rows]


async def told_managers(site: Site) -> list[str]:
    async with site.database.reading() as session:
        rows = await session.scalars(
            select(MessageRow).where(MessageRow.person_id == manager(site).person_id).order_by(MessageRow.id)
        )
        return [row.subject_en for row in rows]


@pytest.mark.parametrize("by_what", [draft, by_meter], ids=["by the calendar", "by a meter"])
async def test_a_plan_that_cannot_begin_is_told_once_and_stops_no_other_organisation(
    site: Site, by_what: Callable[[Site], Draft]
) -> None:
    await plan(site, by_what(site))
    neighbour = await plan_next_door(site)
    sent = batch([(1, 1)], [("probe/humidity", site.us(0), 600.0)])
    await Intake(site.database, site.series, site.clock).take(site.box.identity, sent)
    await retire(site, INSPECTION)
    site.clock.set(datetime(2026, 3, 9, 1, 0, tzinfo=UTC))
    assert [await look(site) for _again in range(2)] == [1, 0]
    site.clock.advance(hours=2)
    assert await look(site) == 0
    assert (await tickets_of(site, neighbour), await inspections(site)) == ([Kind.INSPECTION], [])
    assert await told_managers(site) == ["An inspection could not be opened: Pumps, monthly"]


async def test_a_plan_that_could_not_begin_does_so_once_the_cause_is_mended(site: Site) -> None:
    plan_id = await plan(site, draft(site))
    await retire(site, INSPECTION)
    site.clock.set(datetime(2026, 3, 9, 1, 0, tzinfo=UTC))
    assert await look(site) == 0
    async with site.database.transaction() as session:
        standard = next(each for each in DEFAULT_TYPES if each.code == INSPECTION)
        await define_type(session, site.clock, manager(site), standard)
    assert await look(site) == 0
    site.clock.advance(hours=1)
    assert await look(site) == 1
    assert (await seen(site, plan_id)).next_at == datetime(2026, 4, 7, 1, 0, tzinfo=UTC)


async def test_a_type_that_a_plan_opens_repairs_with_is_not_retired(site: Site) -> None:
    plan_id = await plan(site, draft(site, repair_type="doors"))
    with pytest.raises(Conflict) as refused:
        async with site.database.transaction() as session:
            await retiring.retire_type(session, site.clock, manager(site), code="doors")
    assert refused.value.parameters == {"plan": "水泵月检"}
    async with site.database.transaction() as session:
        changed = draft(site, repair_type="repair")
        await preventive.change_plan(session, site.clock, manager(site), changed, plan_id=plan_id, version=1)
        await retiring.retire_type(session, site.clock, manager(site), code="doors")
        assert "doors" not in {each.code for each in await list_types(session, site.system)}


async def test_what_fails_is_a_repair_where_the_inspections_own_type_is_retired_since(site: Site) -> None:
    await plan(site, draft(site, repair_type="doors"))
    site.clock.set(datetime(2026, 3, 9, 1, 0, tzinfo=UTC))
    await look(site)
    (inspection,) = await inspections(site)
    await retire(site, "doors")
    async with site.database.transaction() as session:
        await checks.check(
            session, site.clock, site.estate.principals[Role.DESK], ticket_id=inspection.id, code="01",
            outcome=Checked.FAILED, text="轴封滴水",
        )  # fmt: skip
    assert [each.type.code for each in await inspections(site)] == ["inspection", "repair"]


async def test_only_managers_plan(site: Site) -> None:
    with pytest.raises(Forbidden):
        async with site.database.transaction() as session:
            await preventive.create_plan(session, site.clock, site.estate.principals[Role.DESK], draft(site))


async def test_a_failed_item_makes_one_repair_and_all_items_come_before_the_end(site: Site) -> None:
    await plan(site, draft(site))
    site.clock.set(datetime(2026, 3, 9, 1, 0, tzinfo=UTC))
    await look(site)
    (inspection,) = await inspections(site)
    worker = site.estate.principals[Role.WORKER]

    async def check(code: str, outcome: Checked, text: str = "") -> int | None:
        async with site.database.transaction() as session:
            return await checks.check(
                session, site.clock, worker, ticket_id=inspection.id, code=code, outcome=outcome, text=text
            )

    async def finish() -> None:
        (now, *_made) = await inspections(site)
        async with site.database.transaction() as session:
            await results.finish(
                session, site.clock, worker, ticket_id=inspection.id, version=now.version, text="已巡检"
            )

    async with site.database.transaction() as session:
        await tickets.take(session, site.clock, worker, ticket_id=inspection.id)
        await tickets.start(session, site.clock, worker, ticket_id=inspection.id, version=inspection.version + 1)
    with pytest.raises(Refused, match="2 are left"):
        await finish()
    with pytest.raises(Refused, match="what is wrong"):
        await check("01", Checked.FAILED)
    repair_id = await check("01", Checked.FAILED, "轴封滴水")
    assert await check("01", Checked.FAILED, "轴封滴水") == repair_id
    with pytest.raises(Conflict, match="under way"):
        await check("01", Checked.PASSED)
    with pytest.raises(Refused, match="1 are left"):
        await finish()
    await check("02", Checked.SKIPPED, "泵停着")
    await check("02", Checked.PASSED)
    await finish()
    done, repair = await inspections(site)
    assert (done.state, repair.id, repair.kind, repair.place_id) == (
        State.RESOLVED, repair_id, Kind.REPAIR, site.place_id,
    )  # fmt: skip
    assert repair.subject == Words(zh="巡检不合格：轴封漏水", en="Failed inspection: Seal leaks")
    assert repair.description == f"{inspection.number} · 轴封滴水"

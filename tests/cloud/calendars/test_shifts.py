from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from cloud.accounts import people
from cloud.calendars import planning, shifts
from cloud.calendars.domain import Window
from cloud.calendars.roster import LeaveKind, ShiftTerms
from cloud.core.audit import AuditEntry
from cloud.core.database import Database
from cloud.core.errors import Forbidden, NotFound, Refused
from cloud.core.principal import Role
from cloud.properties import service as properties
from tests.clocks import FixedClock
from tests.cloud.estate import Estate

DAYS = (Window(480, 1_020),)  # 08:00-17:00
NIGHTS = (Window(1_320, 1_800),)  # 22:00-06:00
WEEKDAYS = ShiftTerms(weekdays=frozenset(range(5)), windows=DAYS, since=date(2026, 1, 1))
EVERY_NIGHT = ShiftTerms(weekdays=frozenset(range(7)), windows=NIGHTS, since=date(2026, 1, 1))


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Shanghai"))


@dataclass
class Plan:
    """Somebody who plans, and what they ask."""

    database: Database
    clock: FixedClock
    estate: Estate

    def id(self, role: Role = Role.WORKER) -> int:
        return self.estate.principals[role].person_id or 0

    async def do(self, act: Callable[..., Any], *, role: Role = Role.WORKER, **what: Any) -> Any:
        async with self.database.transaction() as session:
            return await act(session, self.clock, self.estate.administrator, person_id=self.id(role), **what)

    async def on_duty(self, at: str, **where: Any) -> set[int]:
        async with self.database.reading() as session:
            return set(await shifts.on_duty(session, self.estate.administrator, at=_at(at), **where))

    async def away(self, at: str) -> set[int]:
        async with self.database.reading() as session:
            return set(await shifts.away(session, self.estate.administrator, at=_at(at)))

    async def community(self, name: str) -> int:
        async with self.database.transaction() as session:
            return await properties.create_community(
                session, self.clock, self.estate.administrator, name=name, address=""
            )


@pytest.fixture
def plan(database: Database, clock: FixedClock, estate: Estate) -> Plan:
    return Plan(database=database, clock=clock, estate=estate)


async def test_a_weekly_shift_is_worked_from_its_first_minute_up_to_its_last(plan: Plan) -> None:
    await plan.do(planning.add_shift, terms=WEEKDAYS)
    times = ["2026-03-02T07:59", "2026-03-02T08:00", "2026-03-02T16:59", "2026-03-02T17:00", "2026-03-01T09:00"]
    assert [len(await plan.on_duty(at)) for at in times] == [0, 1, 1, 0, 0]
    assert await plan.on_duty("2026-03-02T08:00") == {plan.id()}


async def test_a_night_belongs_to_the_day_it_begins_on(plan: Plan) -> None:
    terms = replace(EVERY_NIGHT, weekdays=frozenset({6}), until=date(2026, 3, 2))
    await plan.do(planning.add_shift, terms=terms)
    times = ["2026-03-01T05:00", "2026-03-01T22:00", "2026-03-02T05:59", "2026-03-02T06:00", "2026-03-08T22:00"]
    assert [len(await plan.on_duty(at)) for at in times] == [0, 1, 1, 0, 0]


async def test_a_dated_shift_stands_in_place_of_the_weekly_ones(plan: Plan) -> None:
    await plan.do(planning.add_shift, terms=WEEKDAYS)
    await plan.do(planning.set_day, day=date(2026, 3, 3), windows=NIGHTS, note="换班")
    await plan.do(planning.set_day, day=date(2026, 3, 5), windows=())
    times = ["2026-03-03T09:00", "2026-03-03T23:00", "2026-03-04T05:00", "2026-03-05T09:00", "2026-03-06T09:00"]
    assert [len(await plan.on_duty(at)) for at in times] == [0, 1, 1, 0, 1]
    assert await plan.away("2026-03-05T09:00") == set()


async def test_leave_keeps_shifts_from_beginning_and_lets_a_night_end(plan: Plan) -> None:
    await plan.do(planning.add_shift, terms=EVERY_NIGHT)
    await plan.do(planning.grant_leave, kind=LeaveKind.ANNUAL, since=date(2026, 3, 4), until=date(2026, 3, 6))
    states = {
        at: (len(await plan.on_duty(at)), len(await plan.away(at)))
        for at in ("2026-03-04T05:00", "2026-03-04T07:00", "2026-03-05T23:00", "2026-03-06T05:00", "2026-03-06T22:00")
    }
    assert states == {
        "2026-03-04T05:00": (1, 0),
        "2026-03-04T07:00": (0, 1),
        "2026-03-05T23:00": (0, 1),
        "2026-03-06T05:00": (0, 0),
        "2026-03-06T22:00": (1, 0),
    }


async def test_a_shift_of_one_community_is_none_elsewhere(plan: Plan) -> None:
    spruce, ginkgo = await plan.community("云杉苑"), await plan.community("银杏苑")
    await plan.do(planning.add_shift, terms=replace(WEEKDAYS, community_id=spruce))
    await plan.do(planning.add_shift, role=Role.DESK, terms=WEEKDAYS)
    worker, desk = plan.id(), plan.id(Role.DESK)
    now = "2026-03-02T09:00"
    assert await plan.on_duty(now) == {worker, desk}
    assert await plan.on_duty(now, community_id=spruce) == {worker, desk}
    assert await plan.on_duty(now, community_id=ginkgo) == {desk}


async def test_who_is_limited_to_a_community_sees_the_shifts_there(plan: Plan) -> None:
    spruce, ginkgo = await plan.community("云杉苑"), await plan.community("银杏苑")
    await plan.do(planning.add_shift, terms=replace(WEEKDAYS, community_id=spruce))
    await plan.do(planning.add_shift, role=Role.DESK, terms=replace(WEEKDAYS, community_id=ginkgo))
    limited = replace(plan.estate.principals[Role.OPERATOR], communities=frozenset({ginkgo}))
    async with plan.database.reading() as session:
        assert await shifts.on_duty(session, limited, at=_at("2026-03-02T09:00")) == {plan.id(Role.DESK)}


async def test_the_duty_list_names_each_once_with_the_end_of_their_shift(plan: Plan) -> None:
    await plan.do(planning.add_shift, terms=EVERY_NIGHT)
    await plan.do(planning.add_shift, terms=replace(WEEKDAYS, windows=(Window(360, 540), Window(600, 1_020))))
    await plan.do(planning.add_shift, role=Role.DESK, terms=WEEKDAYS)
    async with plan.database.reading() as session:
        listed = await shifts.duty_list(session, plan.estate.administrator, at=_at("2026-03-02T08:30"))
    assert [(each.person.name, each.duty.end) for each in listed] == [
        ("孙三", _at("2026-03-02T17:00")),
        ("李四", _at("2026-03-02T09:00")),
    ]


async def test_who_has_left_is_not_on_duty(plan: Plan) -> None:
    await plan.do(planning.add_shift, terms=WEEKDAYS)
    async with plan.database.transaction() as session:
        await people.deactivate_person(session, plan.clock, plan.estate.administrator, plan.id())
    assert await plan.on_duty("2026-03-02T09:00") == set()


async def test_a_shift_is_changed_and_removed(plan: Plan) -> None:
    shift_id = await plan.do(planning.add_shift, terms=WEEKDAYS)
    await plan.do(planning.change_shift, shift_id=shift_id, terms=replace(WEEKDAYS, windows=(Window(540, 1_080),)))
    assert await plan.on_duty("2026-03-02T08:30") == set()
    assert await plan.on_duty("2026-03-02T17:30") == {plan.id()}
    await plan.do(planning.remove_shift, shift_id=shift_id)
    assert await plan.on_duty("2026-03-02T17:30") == set()


async def test_an_exception_and_a_leave_are_taken_back(plan: Plan) -> None:
    await plan.do(planning.add_shift, terms=WEEKDAYS)
    dated_id = await plan.do(planning.set_day, day=date(2026, 3, 2), windows=())
    leave_id = await plan.do(
        planning.grant_leave, kind=LeaveKind.SICK, since=date(2026, 3, 2), until=date(2026, 3, 3), note="流感"
    )
    await plan.do(planning.remove_day, dated_id=dated_id)
    assert await plan.on_duty("2026-03-02T09:00") == set()
    await plan.do(planning.cancel_leave, leave_id=leave_id)
    assert await plan.on_duty("2026-03-02T09:00") == {plan.id()}


async def test_what_is_planned_for_a_person_is_what_still_holds(plan: Plan) -> None:
    await plan.do(planning.add_shift, terms=replace(WEEKDAYS, until=date(2026, 3, 1)))
    kept = await plan.do(planning.add_shift, terms=replace(WEEKDAYS, since=date(2026, 3, 1)))
    await plan.do(planning.set_day, day=date(2026, 2, 27), windows=())
    async with plan.database.reading() as session:
        planned = await shifts.planned(session, plan.estate.administrator, person_id=plan.id(), since=date(2026, 3, 2))
    assert [each.id for each in planned.shifts] == [kept]
    assert (planned.dated, planned.leaves) == ([], [])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({"weekdays": frozenset()}, "weekdays", id="no weekday"),
        pytest.param({"weekdays": frozenset({7})}, "weekdays", id="an eighth weekday"),
        pytest.param({"windows": ()}, "hours", id="no hours"),
        pytest.param({"windows": (Window(480, 720), Window(700, 900))}, "hours", id="overlapping"),
        pytest.param({"windows": (Window(480, 1_920),) * 2}, "hours", id="twice the same"),
        pytest.param({"until": date(2026, 1, 1)}, "last_day", id="over before it begins"),
    ],
)
async def test_a_shift_that_can_not_be_is_refused_at_its_field(plan: Plan, change: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refused:
        await plan.do(planning.add_shift, terms=replace(WEEKDAYS, **change))
    assert refused.value.field == field


async def test_two_shifts_of_a_person_do_not_overlap(plan: Plan) -> None:
    await plan.do(planning.add_shift, terms=replace(WEEKDAYS, until=date(2026, 3, 1)))
    with pytest.raises(Refused, match="overlap with the shift 08:00-17:00"):
        await plan.do(planning.add_shift, terms=replace(WEEKDAYS, windows=(Window(960, 1_200),)))
    early = ShiftTerms(weekdays=frozenset({0}), windows=(Window(300, 540),), since=date(2026, 2, 1))
    with pytest.raises(Refused, match="overlap"):
        await plan.do(planning.add_shift, terms=early)
    await plan.do(planning.add_shift, terms=replace(early, since=date(2026, 3, 1)))
    await plan.do(planning.add_shift, role=Role.DESK, terms=early)


async def test_a_day_has_one_exception(plan: Plan) -> None:
    await plan.do(planning.set_day, day=date(2026, 3, 2), windows=())
    with pytest.raises(Refused, match="2026-03-02 has its exception already") as refused:
        await plan.do(planning.set_day, day=date(2026, 3, 2), windows=DAYS)
    assert refused.value.field == "day"


@pytest.mark.parametrize(
    ("since", "until", "field"),
    [
        pytest.param(date(2026, 3, 5), date(2026, 3, 5), "last_day", id="no day"),
        pytest.param(date(2026, 3, 5), date(2026, 3, 4), "last_day", id="over before it begins"),
        pytest.param(date(2026, 3, 5), date(2030, 3, 5), "last_day", id="four years"),
        pytest.param(date(2026, 3, 5), date(2026, 3, 11), "first_day", id="into another leave"),
    ],
)
async def test_a_leave_that_can_not_be_is_refused_at_its_field(
    plan: Plan, since: date, until: date, field: str
) -> None:
    await plan.do(planning.grant_leave, kind=LeaveKind.ANNUAL, since=date(2026, 3, 10), until=date(2026, 3, 12))
    with pytest.raises(Refused) as refused:
        await plan.do(planning.grant_leave, kind=LeaveKind.SICK, since=since, until=until)
    assert refused.value.field == field


async def test_leaves_may_follow_each_other(plan: Plan) -> None:
    await plan.do(planning.grant_leave, kind=LeaveKind.ANNUAL, since=date(2026, 3, 10), until=date(2026, 3, 12))
    await plan.do(planning.grant_leave, kind=LeaveKind.SICK, since=date(2026, 3, 12), until=date(2026, 3, 13))
    assert await plan.away("2026-03-12T12:00") == {plan.id()}


async def test_what_is_planned_is_written_down(plan: Plan) -> None:
    shift_id = await plan.do(planning.add_shift, terms=WEEKDAYS)
    await plan.do(planning.change_shift, shift_id=shift_id, terms=replace(WEEKDAYS, until=date(2026, 4, 1)))
    await plan.do(
        planning.grant_leave, kind=LeaveKind.SICK, since=date(2026, 3, 10), until=date(2026, 3, 12), note="流感"
    )
    async with plan.database.reading() as session:
        entries = (await session.scalars(select(AuditEntry).order_by(AuditEntry.id))).all()
    assert {entry.subject for entry in entries} == {f"person:{plan.id()}"}
    assert [(entry.action, entry.before, entry.after) for entry in entries[1:]] == [
        ("calendars.shift_changed", {"last_day": None}, {"last_day": "2026-03-31"}),
        (
            "calendars.leave_granted",
            None,
            {"leave": "sick", "first_day": "2026-03-10", "last_day": "2026-03-11", "note": "流感"},
        ),
    ]


_ACTS: dict[str, Callable[..., Any]] = {
    "a shift": lambda who, i: planning.add_shift(*who, person_id=i, terms=WEEKDAYS),
    "a change": lambda who, i: planning.change_shift(*who, person_id=i, shift_id=1, terms=WEEKDAYS),
    "a removal": lambda who, i: planning.remove_shift(*who, person_id=i, shift_id=1),
    "a day": lambda who, i: planning.set_day(*who, person_id=i, day=date(2026, 3, 3), windows=()),
    "no day": lambda who, i: planning.remove_day(*who, person_id=i, dated_id=1),
    "leave": lambda who, i: planning.grant_leave(
        *who, person_id=i, kind=LeaveKind.ANNUAL, since=date(2026, 5, 1), until=date(2026, 5, 2)
    ),
    "no leave": lambda who, i: planning.cancel_leave(*who, person_id=i, leave_id=1),
    "what is planned": lambda who, i: shifts.planned(who[0], who[2], person_id=i, since=date(2026, 3, 2)),
}


@pytest.fixture
async def planned(plan: Plan) -> Plan:
    await plan.do(planning.add_shift, terms=WEEKDAYS)
    await plan.do(planning.set_day, day=date(2026, 3, 2), windows=())
    await plan.do(planning.grant_leave, kind=LeaveKind.SICK, since=date(2026, 4, 1), until=date(2026, 4, 2))
    return plan


@pytest.mark.parametrize("act", _ACTS)
async def test_only_managers_and_administrators_plan(planned: Plan, act: str) -> None:
    async with planned.database.transaction() as session:
        for role in set(Role) - {Role.ADMINISTRATOR, Role.MANAGER}:
            who = (session, planned.clock, planned.estate.principals[role])
            with pytest.raises(Forbidden):
                await _ACTS[act](who, planned.id())


@pytest.mark.parametrize("act", _ACTS)
async def test_the_neighbour_plans_for_nobody_here(planned: Plan, neighbour: Estate, act: str) -> None:
    async with planned.database.transaction() as session:
        who = (session, planned.clock, neighbour.administrator)
        with pytest.raises(NotFound):
            await _ACTS[act](who, planned.id())
        assert await shifts.on_duty(session, neighbour.administrator, at=_at("2026-03-03T09:00")) == set()
        assert await shifts.away(session, neighbour.administrator, at=_at("2026-04-01T09:00")) == set()


async def test_the_roster_of_a_week_is_by_day_and_person(planned: Plan) -> None:
    first, day = date(2026, 3, 2), timedelta(days=1)
    async with planned.database.reading() as session:
        roster = await shifts.read_roster(session, planned.estate.administrator, first=first, last=first + 6 * day)
    assert [[each.window for each in roster.duties(first + n * day).get(planned.id(), ())] for n in range(7)] == [
        [], [*DAYS], [*DAYS], [*DAYS], [*DAYS], [], [],
    ]  # fmt: skip

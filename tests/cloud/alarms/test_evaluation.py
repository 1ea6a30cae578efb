import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from cloud.alarms.announcing import announce_forgotten
from cloud.alarms.domain import Deed, Side
from cloud.alarms.evaluation import judge_readings
from cloud.alarms.service import acknowledge, record
from cloud.alarms.tables import AlarmRow, RuleRow
from cloud.alarms.terms import Limits, Silence
from cloud.core.clock import from_us
from cloud.fleet.domain import ReadingsTaken
from cloud.fleet.series import SeriesStore
from protocols.readings import Quality
from tests.cloud.alarms.site import OFFICE, Site


async def announced(site: Site) -> list[int]:
    return [event["alarm_id"] for event in await site.emitted("alarms.announced")]


async def returned(site: Site) -> list[int]:
    return [event["alarm_id"] for event in await site.emitted("alarms.returned")]


async def test_a_value_past_its_limit_raises_an_alarm_with_its_own_time_and_place(site: Site) -> None:
    rule_id = await site.rule()
    await site.measure((-2, 70.0), (-1, 81.5))
    (alarm,) = await site.alarms()
    assert (alarm.rule_id, alarm.side, alarm.raised_at) == (rule_id, Side.HIGH, from_us(site.us(-1)))
    assert (alarm.raised_value, alarm.limit, alarm.unit) == (81.5, 80.0, "[degF]")
    assert (alarm.place, alarm.place_id) == ("云杉苑 · 3 栋 · 办公室", site.place_id)
    assert alarm.is_active
    assert await announced(site) == [alarm.id]


async def test_the_value_coming_back_returns_the_alarm_and_says_so(site: Site) -> None:
    await site.rule()
    await site.measure((-2, 81.5))
    await site.measure((-1, 77.0))
    (alarm,) = await site.alarms()
    assert (alarm.returned_at, alarm.returned_value) == (from_us(site.us(-1)), 77.0)
    assert await returned(site) == [alarm.id]


async def test_a_batch_that_comes_again_changes_nothing(site: Site) -> None:
    await site.rule()
    event = await site.measure((-4, 81.5), (-3, 70.0), (-2, 59.0))
    before = await site.alarms()
    await site.judge(event)
    assert await site.alarms() == before
    assert len(await announced(site)) == 1


async def test_a_rule_in_another_unit_is_judged_in_the_points(site: Site) -> None:
    await site.rule(Limits(high=27.0, deadband=1.0), unit="Cel")
    await site.measure((-3, 80.5), (-2, 80.7), (-1, 79.5))
    (alarm,) = await site.alarms()
    assert (alarm.raised_value, alarm.unit, alarm.is_active) == (80.7, "[degF]", True)
    assert alarm.limit == pytest.approx(80.6)
    await site.measure((0, 78.7))
    (alarm,) = await site.alarms()
    assert alarm.returned_value == 78.7


async def test_what_rose_and_fell_in_a_backlog_is_history_and_calls_nobody(site: Site) -> None:
    await site.rule()
    await site.measure((0, 70.0), pending=3)
    await site.measure((-7200, 90.0), (-3600, 70.0))
    (alarm,) = await site.alarms()
    assert (alarm.raised_value, alarm.returned_value, alarm.announced_at) == (90.0, 70.0, None)
    assert await announced(site) == []
    assert await returned(site) == []


async def test_what_still_stands_when_the_backlog_has_drained_calls_once(site: Site) -> None:
    await site.rule()
    await site.measure((-7200, 90.0), (-7000, 70.0), (-3600, 91.0), pending=2)
    assert await announced(site) == []
    await site.measure((-3500, 92.0), pending=1)
    assert await announced(site) == []
    await site.measure((-3400, 93.0), pending=0)
    assert len(await announced(site)) == 1
    standing = [alarm for alarm in await site.alarms() if alarm.is_active]
    assert [alarm.raised_value for alarm in standing] == [91.0]


async def test_a_box_that_says_without_readings_that_it_is_done_lets_its_alarms_call(site: Site) -> None:
    await site.rule()
    await site.measure((-3600, 91.0), pending=9)
    await site.measure(pending=0)
    assert len(await announced(site)) == 1


async def test_a_recent_value_calls_at_once_while_a_backlog_drains(site: Site) -> None:
    await site.rule()
    await site.measure((-299, 91.0), pending=5_000)
    assert len(await announced(site)) == 1


async def test_a_late_beginning_moves_an_announced_alarm_and_writes_it_down(site: Site) -> None:
    await site.rule()
    await site.measure((-10, 91.0))
    await site.measure((-20, 85.0))
    (alarm,) = await site.alarms()
    assert (alarm.raised_at, alarm.raised_value) == (from_us(site.us(-20)), 85.0)
    async with site.database.reading() as session:
        deeds = [entry.deed for entry in await record(session, site.operator, alarm_id=alarm.id)]
    assert deeds == [Deed.CORRECTED]
    assert len(await announced(site)) == 1


async def test_a_late_dip_leaves_the_announced_alarm_with_what_still_stands(site: Site) -> None:
    await site.rule()
    await site.measure((-30, 91.0), (-10, 92.0))
    (before,) = await site.alarms()
    await site.measure((-20, 70.0))
    earlier, standing = await site.alarms()
    assert (standing.id, standing.raised_value, standing.is_active) == (before.id, 92.0, True)
    assert (earlier.raised_value, earlier.returned_value, earlier.announced_at) == (91.0, 70.0, None)
    assert await announced(site) == [before.id]


async def test_an_announced_alarm_that_late_readings_deny_is_withdrawn_and_not_forgotten(site: Site) -> None:
    await site.rule(replace(OFFICE, on_delay_s=60))
    await site.measure((-100, 91.0), (-30, 91.0))
    (alarm,) = await site.alarms()
    await site.measure((-70, 70.0))
    (withdrawn,) = await site.alarms()
    assert (withdrawn.id, withdrawn.is_active) == (alarm.id, False)
    assert withdrawn.withdrawn_at == site.clock.now()
    assert await returned(site) == [alarm.id]


async def test_an_alarm_that_nobody_has_seen_is_forgotten_when_late_readings_deny_it(site: Site) -> None:
    await site.rule(replace(OFFICE, on_delay_s=60))
    await site.measure((-4000, 91.0), (-3900, 91.0), pending=1)
    assert len(await site.alarms()) == 1
    await site.measure((-3970, 70.0), pending=1)
    assert await site.alarms() == []


async def test_an_announced_alarm_that_stands_after_all_is_active_again(site: Site) -> None:
    await site.rule(replace(OFFICE, off_delay_s=60))
    await site.measure((-200, 91.0))
    await site.measure((-150, 70.0), (-10, 70.0))
    (alarm,) = await site.alarms()
    assert not alarm.is_active
    await site.measure((-120, 91.0), (-60, 91.0), (-20, 91.0))
    (again,) = await site.alarms()
    assert (again.id, again.is_active) == (alarm.id, True)
    assert await announced(site) == [alarm.id]


async def test_a_delay_runs_out_without_a_reading(site: Site) -> None:
    await site.rule(replace(OFFICE, on_delay_s=60))
    await site.measure((0, 91.0))
    await site.look_at_the_clock()
    assert await site.alarms() == []
    site.clock.advance(seconds=61)
    await site.look_at_the_clock()
    (alarm,) = await site.alarms()
    assert (alarm.raised_at, alarm.raised_value) == (from_us(site.us(-1)), 91.0)
    assert await announced(site) == [alarm.id]
    await site.look_at_the_clock()
    assert len(await site.alarms()) == 1


async def test_silence_is_raised_by_the_clock_and_returns_with_the_next_reading(site: Site) -> None:
    await site.rule(Silence(after_s=120))
    await site.measure((0, 70.0))
    site.clock.advance(seconds=150)
    await site.look_at_the_clock()
    (alarm,) = await site.alarms()
    assert (alarm.side, alarm.raised_at, alarm.limit) == (Side.SILENT, from_us(site.us(-30)), 120.0)
    await site.measure((0, 70.0))
    (alarm,) = await site.alarms()
    assert not alarm.is_active


async def test_a_doubtful_reading_raises_nothing_and_breaks_no_silence(site: Site) -> None:
    await site.rule()
    await site.rule(Silence(after_s=120))
    await site.measure((0, 70.0))
    site.clock.advance(seconds=150)
    await site.measure((-1, 999.0), flags=Quality.SUSPECT)
    await site.look_at_the_clock()
    assert [alarm.side for alarm in await site.alarms()] == [Side.SILENT]


async def test_a_box_that_dies_in_the_middle_of_its_backlog_is_judged_after_ten_minutes(site: Site) -> None:
    await site.rule()
    await site.measure((-7200, 91.0), pending=500)
    for minutes, calls in ((9, 0), (2, 1), (1, 1)):
        site.clock.advance(minutes=minutes)
        async with site.database.transaction() as session:
            await announce_forgotten(session, site.clock)
        assert len(await announced(site)) == calls


async def test_a_backlog_that_is_still_coming_in_keeps_its_alarms_quiet(site: Site) -> None:
    await site.rule()
    await site.measure((-7200, 91.0), pending=500)
    site.clock.advance(minutes=9)
    await site.measure((-7100, 92.0), pending=400)
    site.clock.advance(minutes=2)
    async with site.database.transaction() as session:
        await announce_forgotten(session, site.clock)
    assert await announced(site) == []


async def test_an_acknowledged_alarm_is_not_forgotten(site: Site) -> None:
    await site.rule(replace(OFFICE, on_delay_s=60))
    await site.measure((-4000, 91.0), (-3900, 91.0), pending=1)
    (alarm,) = await site.alarms()
    async with site.database.transaction() as session:
        await acknowledge(session, site.clock, site.operator, alarm_ids=[alarm.id])
    await site.measure((-3970, 70.0), pending=1)
    (kept,) = await site.alarms()
    assert (kept.id, kept.withdrawn_at) == (alarm.id, site.clock.now())


async def test_two_workers_at_one_rule_raise_one_alarm(site: Site) -> None:
    await site.rule()
    event = ReadingsTaken(
        organisation_id=site.estate.organisation_id,
        box_id=site.box_id,
        rows=[(site.points["probe/temperature"], site.us(-seconds), 91.0, 0) for seconds in range(30, 0, -1)],
        pending=0,
    )
    await site.series.append(event.rows)
    await asyncio.gather(*(site.judge(event) for _ in range(5)))
    async with site.database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(AlarmRow)) == 1
    assert len(await announced(site)) == 1


async def test_readings_of_points_without_a_rule_are_let_pass(site: Site) -> None:
    await site.rule()
    await site.measure((0, 99.0), point="probe/humidity")
    assert await site.alarms() == []


async def test_rows_in_order_never_read_the_series_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    await site.rule()
    await site.measure((-2, 70.0))

    async def no_read(*_arguments: object, **_keywords: object) -> None:
        raise AssertionError("the series was read")

    monkeypatch.setattr(site.series, "read", no_read)
    await site.measure((-1, 91.0))
    assert len(await site.alarms()) == 1


async def test_a_rule_that_no_longer_fits_its_point_is_skipped_and_the_others_go_on(
    site: Site, series: SeriesStore
) -> None:
    misfit_id = await site.rule(point="probe/humidity", terms=Limits(high=60.0), unit="%")
    await site.rule()
    async with site.database.transaction() as session:
        (await session.get_one(RuleRow, misfit_id)).unit = "kW"
    async with site.database.transaction() as session:
        rows = [
            (site.points["probe/humidity"], site.us(0), 70.0, 0),
            (site.points["probe/temperature"], site.us(0), 91.0, 0),
        ]
        await series.append(rows)
        event = ReadingsTaken(organisation_id=site.estate.organisation_id, box_id=site.box_id, rows=rows, pending=0)
        await judge_readings(session, site.clock, event, series=series)
    assert [alarm.raised_value for alarm in await site.alarms()] == [91.0]

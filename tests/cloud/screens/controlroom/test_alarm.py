from datetime import UTC, datetime, timedelta

import pytest

from cloud.alarms.domain import Cause, Priority
from cloud.alarms.service import Alarm
from cloud.alarms.system import note_loss
from cloud.core.clock import to_us
from cloud.core.principal import Role
from cloud.fleet.domain import Reading, RowsLost
from cloud.screens.controlroom.curve import MOST_ROWS, around, thinned
from protocols.readings import Quality
from tests.cloud.screens.controlroom.test_alarms import words_of
from tests.cloud.screens.house import House

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def alarm_of(point_id: int | None, *, raised_at: datetime, returned_at: datetime | None) -> Alarm:
    nothing = dict.fromkeys(
        (
            "cause", "kind", "side", "name", "consequence", "first_action", "rule_id", "community_id", "place_id",
            "raised_value", "limit", "returned_value", "acknowledged_at", "acknowledged_by", "announced_at",
            "withdrawn_at",
        )
    )  # fmt: skip
    return Alarm(
        **nothing,
        id=1,
        priority=Priority.HIGH,
        point_id=point_id,
        box_id=1,
        place="",
        label="",
        unit="Cel",
        raised_at=raised_at,
        returned_at=returned_at,
        occurrences=1,
    )


@pytest.fixture
async def cleared(house: House) -> int:
    """The id of an alarm that was raised and has returned, between two readings a minute."""
    await house.site.rule()
    for minute in range(-30, -4):
        await house.site.measure((60 * minute, 91.0 if -20 <= minute < -10 else 70.0))
    (alarm,) = await house.site.alarms()
    return alarm.id


async def test_the_page_draws_the_curve_with_its_limit_and_marks_over_a_table(house: House, cleared: int) -> None:
    async with house.signed_in(Role.OPERATOR) as operator:
        html = (await operator.get(f"/alarms/{cleared}")).text
    assert html.count("data-at=") == 26
    assert 'data-limit="80.0"' in html
    assert html.count("data-mark=") == 2
    assert "temperature" in html


async def test_the_page_tells_who_did_what(house: House, cleared: int) -> None:
    async with house.signed_in(Role.OPERATOR) as operator:
        await operator.send_form(f"/alarms/{cleared}/acknowledge", page=f"/alarms/{cleared}", note="空调已修")
        done = await operator.send_form(f"/alarms/{cleared}/notes", page=f"/alarms/{cleared}", text="窗户开着")
        assert done.headers["location"] == f"/alarms/{cleared}"
        said = words_of((await operator.get(f"/alarms/{cleared}")).text)
    for part in ("窗户开着", "空调已修", "16:00 · 钱二", "Announced to the control room", "Raised", "Cleared"):
        assert part in said, part
    assert said.index("窗户开着") < said.index("空调已修") < said.index("Announced")


async def test_an_empty_note_is_refused_at_its_field(house: House, cleared: int) -> None:
    async with house.signed_in(Role.OPERATOR) as operator:
        answer = await operator.send_form(f"/alarms/{cleared}/notes", page=f"/alarms/{cleared}", text="  ")
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text


async def test_the_page_lists_others_of_its_kind(house: House, cleared: int) -> None:
    await house.site.measure((-60, 95.0))
    async with house.signed_in(Role.OPERATOR) as operator:
        html = (await operator.get(f"/alarms/{cleared}")).text
    newest = (await house.site.alarms())[-1].id
    assert f'<a href="/alarms/{newest}">' in html


async def test_what_gatehouse_raised_itself_has_a_page_without_a_curve(house: House) -> None:
    organisation_id = house.site.estate.organisation_id
    async with house.site.database.transaction() as session:
        lost = RowsLost(organisation_id=organisation_id, box_id=house.site.box_id, store="0" * 32, ranges=[(1, 2)])
        await note_loss(session, house.site.clock, lost)
    (alarm,) = await house.site.alarms()
    assert alarm.cause is Cause.ROWS_LOST
    async with house.signed_in(Role.OPERATOR) as operator:
        html = (await operator.get(f"/alarms/{alarm.id}")).text
    assert "A box has lost readings" in html
    assert "data-chart" not in html


async def test_a_short_stretch_is_drawn_reading_by_reading(house: House) -> None:
    await house.site.series.append([(7, to_us(NOON + timedelta(minutes=m)), float(m), 0) for m in range(-300, 301)])
    alarm = alarm_of(7, raised_at=NOON, returned_at=NOON + timedelta(minutes=20))
    curve = await around(house.site.series, alarm, now=NOON + timedelta(hours=5))
    assert not curve.is_hourly
    assert [row[0] for row in (curve.rows[0], curve.rows[-1])] == [
        NOON - timedelta(minutes=60),
        NOON + timedelta(minutes=80),
    ]


async def test_a_slow_points_curve_reaches_back_until_there_is_something_to_see(house: House) -> None:
    await house.site.series.append([(7, to_us(NOON - timedelta(hours=h)), 20.0 + h, 0) for h in range(40)])
    alarm = alarm_of(7, raised_at=NOON, returned_at=None)
    curve = await around(house.site.series, alarm, now=NOON)
    assert len(curve.rows) >= 20
    assert [row[0] for row in curve.rows] == sorted(row[0] for row in curve.rows)


async def test_a_long_stretch_of_a_fast_point_is_drawn_by_its_hours(house: House) -> None:
    start = to_us(NOON - timedelta(days=1))
    await house.site.series.append([(7, start + 60_000_000 * m, 20.0, 0) for m in range(60 * 48)])
    alarm = alarm_of(7, raised_at=NOON - timedelta(days=1), returned_at=None)
    curve = await around(house.site.series, alarm, now=NOON + timedelta(days=1))
    assert curve.is_hourly
    assert len(curve.rows) == 48


async def test_what_gatehouse_raised_itself_has_nothing_to_draw(house: House) -> None:
    alarm = alarm_of(None, raised_at=NOON, returned_at=None)
    assert (await around(house.site.series, alarm, now=NOON)).rows == ()


def test_thinning_keeps_every_peak_and_trough_and_the_order() -> None:
    readings = [Reading(time_us=second, value=20.0, flags=int(Quality.GOOD)) for second in range(10_000)]
    readings[5_001] = Reading(time_us=5_001, value=99.0)
    readings[7_777] = Reading(time_us=7_777, value=-40.0)
    kept = thinned(readings)
    assert len(kept) <= MOST_ROWS
    assert {99.0, -40.0} <= {reading.value for reading in kept}
    assert [reading.time_us for reading in kept] == sorted(reading.time_us for reading in kept)


def test_few_readings_are_all_kept() -> None:
    readings = [Reading(time_us=second, value=1.0) for second in range(MOST_ROWS)]
    assert thinned(readings) == readings

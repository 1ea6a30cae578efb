import msgspec
import pytest

from cloud.core.clock import to_us
from cloud.core.database import Database
from cloud.core.errors import Malformed, NotSignedIn, TooLarge
from cloud.fleet import boxes, service
from cloud.fleet.devices import UnitChanged, take_inventory
from cloud.fleet.domain import Point
from cloud.fleet.intake import Intake
from cloud.fleet.series import SeriesStore
from cloud.fleet.versions import VersionRefused
from protocols.wire import WIRE_VERSION, DeviceInfo, Inventory
from tests.clocks import FixedClock
from tests.cloud.fleet.boxes import Yard, batch, device, list_devices


async def _points(database: Database, yard: Yard) -> dict[str, Point]:
    async with database.reading() as session:
        found = await service.points(session, yard.administrator, box_id=yard.box.identity.box_id)
    return {point.key: point for point in found}


async def test_what_a_box_lists_is_there(database: Database, clock: FixedClock, yard: Yard) -> None:
    meter = device("meter", "energy", unit="kW.h", row_class="register", period_s=10.0)
    await list_devices(database, clock, yard.box, device("probe", "temperature"), meter)
    energy = (await _points(database, yard))["meter/energy"]
    assert (energy.unit, energy.row_class, energy.resolution, energy.period_s) == ("kW.h", "register", "0.01", 10.0)
    assert (energy.device_name, energy.box_name, energy.gone_at) == ("meter of the practice building", "3 栋网关", None)


async def test_what_is_listed_no_longer_is_gone_and_keeps_its_identity(
    database: Database, clock: FixedClock, yard: Yard
) -> None:
    before = await _points(database, yard)
    clock.advance(hours=1)
    await list_devices(database, clock, yard.box, device("probe", "temperature"))
    left = await _points(database, yard)
    assert left["probe/temperature"].gone_at is None
    assert left["probe/humidity"].gone_at == clock.now()
    clock.advance(hours=1)
    await list_devices(database, clock, yard.box, device("probe", "temperature", "humidity"))
    assert await _points(database, yard) == before


async def test_what_is_gone_stays_gone_since_it_went(database: Database, clock: FixedClock, yard: Yard) -> None:
    await list_devices(database, clock, yard.box)
    went_at = clock.now()
    clock.advance(hours=1)
    await list_devices(database, clock, yard.box)
    assert {point.gone_at for point in (await _points(database, yard)).values()} == {went_at}


async def test_the_same_inventory_again_changes_nothing(database: Database, clock: FixedClock, yard: Yard) -> None:
    before = await _points(database, yard)
    await list_devices(database, clock, yard.box, device("probe", "temperature", "humidity"))
    assert await _points(database, yard) == before


async def test_the_answer_names_what_is_watched_and_there(database: Database, clock: FixedClock, yard: Yard) -> None:
    async with database.transaction() as session:
        await service.watch(session, clock, yard.administrator, point_ids=yard.points.values())
    both = device("probe", "temperature", "humidity")
    assert await list_devices(database, clock, yard.box, both) == ["probe/humidity", "probe/temperature"]
    assert await list_devices(database, clock, yard.box, device("probe", "temperature")) == ["probe/temperature"]


async def test_a_unit_may_change_as_long_as_there_is_no_reading(
    database: Database, clock: FixedClock, yard: Yard
) -> None:
    await list_devices(database, clock, yard.box, device("probe", "temperature", unit="[degF]"))
    assert (await _points(database, yard))["probe/temperature"].unit == "[degF]"


async def test_a_unit_that_would_change_the_meaning_of_history_is_refused_whole(
    database: Database, clock: FixedClock, yard: Yard, store: SeriesStore
) -> None:
    row = ("probe/temperature", to_us(clock.now()), 21.5)
    await Intake(database, store, clock).take(yard.box.identity, batch([(1, 1)], [row]))
    before = await _points(database, yard)
    with pytest.raises(UnitChanged, match=r"probe/temperature has readings in Cel and is listed in \[degF\]"):
        await list_devices(database, clock, yard.box, device("probe", "temperature", unit="[degF]"), device("b", "p"))
    assert await _points(database, yard) == before


def _changed(**changes: object) -> list[DeviceInfo]:
    probe = device("probe", "temperature")
    return [msgspec.structs.replace(probe, points=[msgspec.structs.replace(probe.points[0], **changes)])]


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        ([device("a", "t"), device("a", "h")], "key: a comes twice"),
        ([device("a", "t", "t")], "key: a/t comes twice"),
        ([device("", "t")], "key:  is no device's key"),
        ([device("a/b", "t")], "key: a/b is no device's key"),
        ([device("a" * 201)], "is no device's key"),
        (_changed(key="temperature"), "key: temperature is no point's key: write probe/point"),
        (_changed(key="probe/"), "key: probe/ is no point's key"),
        (_changed(key="other/temperature"), "key: other/temperature is no point's key"),
        (_changed(key="probe/a/b"), "key: probe/a/b is no point's key"),
        (_changed(unit="degrees"), "unit: degrees is no unit that this cloud knows"),
        (_changed(period_s=-1.0), "period_s: -1.0 is below 0"),
        (_changed(period_s=float("inf")), "period_s: inf is below 0"),
        (_changed(resolution="0"), "resolution: 0 is no step above 0"),
        (_changed(resolution="NaN"), "resolution: NaN is no step above 0"),
        (_changed(resolution="a little"), "resolution: a little is no step above 0"),
        (_changed(row_class="register"), "resolution: None is missing: a register has one"),
    ],
)
async def test_a_list_that_cant_be_is_refused_by_field_and_value(
    database: Database, clock: FixedClock, yard: Yard, listed: list[DeviceInfo], said: str
) -> None:
    with pytest.raises(Malformed) as refused:
        await list_devices(database, clock, yard.box, *listed)
    assert said in str(refused.value)


async def test_more_points_than_a_box_may_have_are_too_large(database: Database, clock: FixedClock, yard: Yard) -> None:
    with pytest.raises(TooLarge, match="20001 devices and points are more than 20000"):
        await list_devices(database, clock, yard.box, device("a", *map(str, range(20_000))))


async def test_a_list_of_another_version_is_refused(database: Database, clock: FixedClock, yard: Yard) -> None:
    with pytest.raises(VersionRefused):
        async with database.transaction() as session:
            await take_inventory(session, clock, yard.box.identity, inventory=Inventory(v=WIRE_VERSION + 1, devices=[]))


async def test_a_box_that_was_shown_out_lists_nothing(database: Database, clock: FixedClock, yard: Yard) -> None:
    async with database.transaction() as session:
        await boxes.revoke(session, clock, yard.administrator, box_id=yard.box.identity.box_id)
    with pytest.raises(NotSignedIn):
        await list_devices(database, clock, yard.box, device("probe", "temperature"))


async def test_boxes_may_use_the_same_keys(database: Database, clock: FixedClock, yard: Yard, neighbour: Yard) -> None:
    await list_devices(database, clock, neighbour.box, device("probe", "temperature", unit="[degF]"))
    assert (await _points(database, yard))["probe/temperature"].unit == "Cel"
    assert (await _points(database, neighbour))["probe/temperature"].unit == "[degF]"

"""The practice estate 云杉苑: its buildings, flats and places, what measures which of them, and what is abnormal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import organisations, people
from cloud.accounts.domain import Person
from cloud.alarms import rules
from cloud.alarms.domain import Priority
from cloud.alarms.rules import Draft
from cloud.alarms.terms import Equals, Limits, Rate
from cloud.calendars import hours, planning
from cloud.calendars import service as calendars
from cloud.calendars.roster import LeaveKind, ShiftTerms
from cloud.core.clock import Clock
from cloud.core.principal import Principal, Role
from cloud.core.words import Words
from cloud.fleet import bindings, claims
from cloud.fleet import service as fleet
from cloud.properties import service as properties
from cloud.properties.domain import PlaceKind
from cloud.properties.tree import read_tree
from cloud.tickets import skills, types
from provisioning.practice.building import LEAK, METER, PROBE

COMMUNITY = "云杉苑"
BOX = "云杉苑 1 号楼网关"

_FLATS = ("101", "102", "201", "202", "301", "302")
BUILDING_1, BUILDING_2 = "1 号楼", "2 号楼"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spot:
    name: str
    kind: PlaceKind
    devices: tuple[str, ...] = ()
    """Keys of the devices that measure it."""


_SPOTS: Mapping[str, Sequence[_Spot]] = {
    BUILDING_1: (
        _Spot(name="B1 配电间", kind=PlaceKind.ELECTRICAL_ROOM, devices=("riser-meter",)),
        _Spot(name="B1 水泵房", kind=PlaceKind.PLANT_ROOM, devices=(LEAK, "water-meters")),
        _Spot(name="1 层大堂", kind=PlaceKind.LOBBY, devices=("lobby-climate",)),
        _Spot(name="1 层走廊", kind=PlaceKind.CORRIDOR, devices=("corridor-meter",)),
        _Spot(name="1 层电表间", kind=PlaceKind.METER_ROOM, devices=(METER,)),
        _Spot(name="2 层物业办公室", kind=PlaceKind.ROOM, devices=(PROBE,)),
        _Spot(name="2 层档案室", kind=PlaceKind.ROOM, devices=("archive-climate",)),
        _Spot(name="1 号电梯", kind=PlaceKind.LIFT),
        _Spot(name="屋面", kind=PlaceKind.ROOF),
    ),
    BUILDING_2: (
        _Spot(name="1 层大堂", kind=PlaceKind.LOBBY),
        _Spot(name="1 号电梯", kind=PlaceKind.LIFT),
    ),
}
_OUTDOORS = (
    _Spot(name="东门", kind=PlaceKind.GATE),
    _Spot(name="地下车库", kind=PlaceKind.GARAGE),
    _Spot(name="中心花园", kind=PlaceKind.GROUNDS),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ruled:
    point: str
    draft: Draft


OFFICE_LIMITS = Limits(low=60, high=80, deadband=2)
"""Under which the temperature recording has its six episodes."""

_RULES = (
    _Ruled(
        point=f"{PROBE}/temperature",
        draft=Draft(
            terms=OFFICE_LIMITS,
            unit="[degF]",
            priority=Priority.HIGH,
            name=Words(zh="办公室温度异常", en="Office too cold or too warm"),
            consequence=Words(zh="人员无法办公，水管可能冻裂", en="Nobody can work there; pipes may freeze"),
            first_action=Words(zh="检查空调与门窗", en="Check the air conditioning, the door and the windows"),
        ),
    ),
    _Ruled(
        point=f"{LEAK}/water_leak",
        draft=Draft(
            terms=Equals(value=1),
            unit="1",
            priority=Priority.CRITICAL,
            name=Words(zh="水泵房漏水", en="Water on the pump room's floor"),
            consequence=Words(zh="水泵与配电设备可能被淹", en="Pumps and switchgear may be flooded"),
            first_action=Words(
                zh="关闭 B1 总阀，切断水泵电源", en="Shut the main valve on B1 and cut the pumps' power"
            ),
        ),
    ),
    _Ruled(
        point="riser-meter/voltage_l1",
        draft=Draft(
            terms=Limits(low=198, high=242, deadband=2, on_delay_s=60),
            unit="V",
            priority=Priority.MEDIUM,
            name=Words(zh="1 号楼供电电压异常", en="Building 1: supply voltage out of range"),
            consequence=Words(zh="住户电器可能损坏", en="Residents' appliances may be damaged"),
            first_action=Words(zh="联系供电公司", en="Call the grid operator"),
        ),
    ),
    _Ruled(
        point="archive-climate/humidity",
        draft=Draft(
            terms=Limits(low=35, high=65, deadband=3, on_delay_s=600),
            unit="%",
            priority=Priority.LOW,
            name=Words(zh="档案室湿度异常", en="Archive too dry or too damp"),
            consequence=Words(zh="档案受潮或变脆", en="Papers swell or turn brittle"),
            first_action=Words(zh="检查除湿机", en="Check the dehumidifier"),
        ),
    ),
    _Ruled(
        point="water-meters/volume_0",
        draft=Draft(
            terms=Rate(high=3, deadband=0.5, over_s=1_800),
            unit="m3",
            priority=Priority.HIGH,
            name=Words(zh="1 号楼用水过快", en="Building 1 draws water too fast"),
            consequence=Words(zh="可能有管道破裂", en="A pipe may have burst"),
            first_action=Words(zh="巡查管井", en="Walk along the riser shafts"),
        ),
    ),
)

_SHIFTS: Mapping[Role, Sequence[str]] = {
    Role.OPERATOR: ("08:00-20:00", "20:00-08:00"),
    Role.DESK: ("08:30-12:00, 13:00-18:00",),
    Role.WORKER: ("08:00-12:00, 13:00-18:00", "18:00-08:00"),
}
"""Hours of a role's first, second ... person, on every day: in a small estate somebody is always there."""

_DAY = timedelta(days=1)
_CERTIFIED = timedelta(days=400)


async def build(session: AsyncSession, clock: Clock, principal: Principal) -> None:
    """Put up the community with all that is in it, the types of its tickets, and the shifts of who works in it."""
    community_id = await properties.create_community(
        session, clock, principal, name=COMMUNITY, address="云杉路 1 号（练习用，并无此处）"
    )
    for spot in _OUTDOORS:
        await properties.create_place(
            session, clock, principal, community_id=community_id, name=spot.name, kind=spot.kind
        )
    for building, spots in _SPOTS.items():
        building_id = await properties.create_building(
            session, clock, principal, community_id=community_id, name=building
        )
        for flat in _FLATS:
            await properties.create_unit(session, clock, principal, building_id=building_id, name=flat)
        for spot in spots:
            await properties.create_place(
                session,
                clock,
                principal,
                community_id=community_id,
                building_id=building_id,
                name=spot.name,
                kind=spot.kind,
            )
    await calendars.seed(session, clock, principal)
    await types.seed_types(session, clock, principal)
    await _plan_shifts(session, clock, principal, community_id=community_id)
    await _certify(session, clock, principal)


async def _plan_shifts(session: AsyncSession, clock: Clock, principal: Principal, *, community_id: int) -> None:
    """Give everybody their shifts, last night's among them; the first worker has a free day and a leave ahead."""
    organisation = await organisations.find_organisation(session, principal)
    today = clock.now().astimezone(ZoneInfo(organisation.time_zone)).date()
    who = (session, clock, principal)
    for role, shifts in _SHIFTS.items():
        employed = sorted(await people.list_people(session, principal, role=role), key=lambda person: person.id)
        for person, written in zip(employed, shifts, strict=False):
            terms = ShiftTerms(
                weekdays=frozenset(range(7)),
                windows=hours.parse(written, field="hours"),
                community_id=community_id,
                since=today - _DAY,
            )
            await planning.add_shift(*who, person_id=person.id, terms=terms)
    worker = (await _workers(session, principal))[0]
    await planning.set_day(*who, person_id=worker.id, day=today + 3 * _DAY, windows=(), note="调休")
    await planning.grant_leave(
        *who, person_id=worker.id, kind=LeaveKind.ANNUAL, since=today + 21 * _DAY, until=today + 26 * _DAY
    )


async def _certify(session: AsyncSession, clock: Clock, principal: Principal) -> None:
    """Let every worker be able to do everything: the estate is small."""
    until = clock.now().date() + _CERTIFIED
    for worker in await _workers(session, principal):
        for skill in skills.SKILLS:
            await skills.give_skill(
                session,
                clock,
                principal,
                person_id=worker.id,
                skill=skill.code,
                certificate=f"练习-{worker.id}-{skill.code}" if skill.needs_certificate else "",
                valid_until=until if skill.needs_certificate else None,
            )


async def _workers(session: AsyncSession, principal: Principal) -> list[Person]:
    """Return who does repairs, in the order in which they were employed."""
    return sorted(await people.list_people(session, principal, role=Role.WORKER), key=lambda person: person.id)


async def issue_code(session: AsyncSession, clock: Clock, principal: Principal) -> str:
    """Return a one-time code for the building's box, which stands in the electrical room."""
    [community] = await properties.list_communities(session, principal)
    places = await _places(session, principal)
    issued = await claims.issue(
        session,
        clock,
        principal,
        community_id=community.id,
        place_id=places[BUILDING_1, _SPOTS[BUILDING_1][0].name],
        box_name=BOX,
    )
    return issued.code


async def is_ruled(session: AsyncSession, principal: Principal) -> bool:
    """Return whether the estate's points have their rules."""
    points = await fleet.points(session, principal)
    return any(point.watched for point in points)


async def rule(session: AsyncSession, clock: Clock, principal: Principal) -> None:
    """Bind the box's devices to the places that they measure, and say what is abnormal there.

    A rule whose point the box does not have is left out: a building without a broker has fewer devices.
    """
    points = {point.key: point for point in await fleet.points(session, principal)}
    devices = {key.partition("/")[0]: point.device_id for key, point in points.items()}
    places = await _places(session, principal)
    for building, spots in _SPOTS.items():
        for spot in spots:
            for device in spot.devices:
                if device in devices:
                    place_id = places[building, spot.name]
                    await bindings.bind_device(session, clock, principal, device_id=devices[device], place_id=place_id)
    for ruled in _RULES:
        if ruled.point in points:
            point_id = points[ruled.point].id
            await rules.create_rule(session, clock, principal, point_id=point_id, draft=ruled.draft)


async def _places(session: AsyncSession, principal: Principal) -> dict[tuple[str, str], int]:
    """Return the ids of the buildings' places, by the names of building and place."""
    [community] = await properties.list_communities(session, principal)
    tree = await read_tree(session, principal, community.id)
    return {(building.name, place.name): place.id for building in tree.buildings for place in building.places}

"""A counter for tests: two communities, who lives there, and a desk for each and for both."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from cloud.core.database import Database
from cloud.core.principal import Principal, Role
from cloud.properties import occupancies
from cloud.properties import service as properties
from cloud.properties.domain import OccupancyKind, PlaceKind
from cloud.reception.domain import Channel, Entry, Subject
from tests.clocks import FixedClock
from tests.cloud.estate import Estate, make_organisation

SINCE = date(2026, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """What the tests of the desk stand on.

    Attributes:
        unit_id: 云杉苑 · 1 号楼 · 302, where 陈十二 (138 0000 0001) lives.
        other_unit_id: 银杏苑 · 1 号楼 · 302, where 张十三 (138 0000 2222) lives alone.
    """

    database: Database
    clock: FixedClock
    estate: Estate
    community_id: int
    other_community_id: int
    unit_id: int
    other_unit_id: int
    place_id: int
    owner_id: int
    other_owner_id: int

    @property
    def desk(self) -> Principal:
        return self.estate.principals[Role.DESK]

    @property
    def limited(self) -> Principal:
        """The desk of the first community alone."""
        return replace(self.desk, communities=frozenset({self.community_id}))

    @property
    def manager(self) -> Principal:
        return self.estate.principals[Role.MANAGER]

    def entry(self, **changes: Any) -> Entry:
        """Return a call of 陈十二 about 302."""
        written: dict[str, Any] = {
            "channel": Channel.CALL,
            "subject": Subject.ENQUIRY,
            "begun_at": self.clock.now(),
            "key": "k1",
            "person_id": self.owner_id,
            "unit_id": self.unit_id,
            "text": "Where do I pay?",
        }
        return Entry(**{**written, **changes})

    def at(self, hour: int, minute: int = 0) -> datetime:
        """Return an instant of the clock's day, in UTC."""
        return self.clock.now().replace(hour=hour, minute=minute)


async def make_counter(database: Database, clock: FixedClock, estate: Estate | None = None) -> Counter:
    """Return the two communities with one flat and one owner each."""
    estate = estate or await make_organisation(database, clock)
    admin = estate.administrator
    async with database.transaction() as session:
        made: list[tuple[int, int, int]] = []
        for community in ("云杉苑", "银杏苑"):
            community_id = await properties.create_community(session, clock, admin, name=community)
            building_id = await properties.create_building(
                session, clock, admin, community_id=community_id, name="1 号楼"
            )
            await properties.create_unit(session, clock, admin, building_id=building_id, name="301")
            unit_id = await properties.create_unit(session, clock, admin, building_id=building_id, name="302")
            made.append((community_id, building_id, unit_id))
        place_id = await properties.create_place(
            session,
            clock,
            admin,
            community_id=made[0][0],
            building_id=made[0][1],
            name="1 层大堂",
            kind=PlaceKind.LOBBY,
        )
        people = []
        for (_community, _building, unit_id), name, phone in (
            (made[0], "陈十二", "13800000001"),
            (made[1], "张十三", "13800002222"),
        ):
            await occupancies.move_in(
                session, clock, admin, unit_id=unit_id, name=name, phone=phone, kind=OccupancyKind.OWNER, since=SINCE
            )
            people.append((await occupancies.occupants(session, admin, [unit_id]))[unit_id][0].person_id)
    return Counter(
        database=database,
        clock=clock,
        estate=estate,
        community_id=made[0][0],
        other_community_id=made[1][0],
        unit_id=made[0][2],
        other_unit_id=made[1][2],
        place_id=place_id,
        owner_id=people[0],
        other_owner_id=people[1],
    )

"""A building whose readings raise alarms: an organisation, a box, a probe in a room, a series, and the outbox."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import select

from cloud.alarms.domain import Priority
from cloud.alarms.evaluation import judge_due, judge_readings
from cloud.alarms.rules import Draft, create_rule
from cloud.alarms.service import Alarm, list_alarms
from cloud.alarms.terms import Limits, Terms
from cloud.core.clock import to_us
from cloud.core.database import Database
from cloud.core.listing import Ask
from cloud.core.outbox import OutboxEvent
from cloud.core.principal import Principal, Role
from cloud.core.words import Words
from cloud.fleet import bindings
from cloud.fleet import service as fleet
from cloud.fleet.domain import ReadingsTaken
from cloud.fleet.intake import Intake
from cloud.fleet.series import SeriesStore
from cloud.properties import service as properties
from cloud.properties.domain import PlaceKind
from protocols.wire import DeviceInfo, PointInfo
from tests.clocks import FixedClock
from tests.cloud.estate import Estate
from tests.cloud.fleet.boxes import ClaimedBox, batch, claim_box, list_devices

OFFICE = Limits(low=60.0, high=80.0, deadband=2.0)
POINTS = {"probe/temperature": ("[degF]", "gauge"), "probe/humidity": ("%", "gauge"), "leak/water": ("1", "state")}


def draft(terms: Terms = OFFICE, *, unit: str = "[degF]", **changes: Any) -> Draft:
    """Return a rule for the office's temperature."""
    written = {
        "priority": Priority.HIGH,
        "name": Words(zh="办公室温度异常", en="Office too warm or too cold"),
        "consequence": Words(zh="人员不适，设备可能停机", en="People suffer and machines may stop"),
        "first_action": Words(zh="检查空调", en="Look at the air conditioner"),
    }
    return Draft(terms=terms, unit=unit, **{**written, **changes})


@dataclass
class Site:
    """What the tests of alarms and tickets stand on; times are seconds from the clock's present."""

    database: Database
    clock: FixedClock
    series: SeriesStore
    estate: Estate
    community_id: int
    place_id: int
    box: ClaimedBox
    points: dict[str, int]

    @property
    def system(self) -> Principal:
        return Principal.system(self.estate.organisation_id)

    @property
    def box_id(self) -> int:
        return self.box.identity.box_id

    @property
    def operator(self) -> Principal:
        return self.estate.principals[Role.OPERATOR]

    def us(self, seconds: float) -> int:
        """Return an instant in microseconds, so many seconds from now."""
        return to_us(self.clock.now()) + round(seconds * 1_000_000)

    async def rule(self, terms: Terms = OFFICE, *, point: str = "probe/temperature", **changes: Any) -> int:
        """Make a rule at a point and return its id."""
        async with self.database.transaction() as session:
            return await create_rule(
                session,
                self.clock,
                self.estate.administrator,
                point_id=self.points[point],
                draft=draft(terms, **changes),
            )

    async def measure(
        self, *rows: tuple[float, float], point: str = "probe/temperature", pending: int = 0, flags: int = 0
    ) -> ReadingsTaken:
        """Let (seconds from now, value) rows be durable and judged, as intake and the outbox do; return the event."""
        taken = [(self.points[point], self.us(seconds), value, flags) for seconds, value in rows]
        await self.series.append(taken)
        event = ReadingsTaken(
            organisation_id=self.estate.organisation_id, box_id=self.box_id, rows=taken, pending=pending
        )
        await self.judge(event)
        return event

    async def send(self, *rows: tuple[float, float], point: str = "probe/temperature", watched: bool = True) -> None:
        """Let the box send (seconds from now, value) rows as its first batch, and what that emits be judged."""
        sent = batch([(1, len(rows))], [(point, self.us(seconds), value) for seconds, value in rows])
        await Intake(self.database, self.series, self.clock).take(self.box.identity, sent)
        if watched:
            (event,) = await self.emitted(ReadingsTaken.kind)
            await self.judge(msgspec.convert(event, ReadingsTaken))

    async def judge(self, event: ReadingsTaken) -> None:
        """Deliver an event to the alarms."""
        async with self.database.transaction() as session:
            await judge_readings(session, self.clock, event, series=self.series)

    async def look_at_the_clock(self) -> None:
        """Run the job of what falls due without a reading."""
        async with self.database.transaction() as session:
            await judge_due(session, self.clock, series=self.series)

    async def alarms(self) -> Sequence[Alarm]:
        """Return all alarms by their beginning."""
        async with self.database.reading() as session:
            found = await list_alarms(session, self.system, Ask(limit=None), only_current=False)
        return sorted(found.rows, key=lambda alarm: alarm.raised_at)

    async def emitted(self, kind: str) -> list[dict[str, Any]]:
        """Return what was told of a kind of event, oldest first."""
        async with self.database.reading() as session:
            payloads = await session.scalars(
                select(OutboxEvent.payload).where(OutboxEvent.kind == kind).order_by(OutboxEvent.id)
            )
            return [msgspec.json.decode(payload) for payload in payloads]


async def make_site(database: Database, clock: FixedClock, series: SeriesStore, estate: Estate) -> Site:
    """Return a building with a box whose probe measures a room."""
    administrator = estate.administrator
    async with database.transaction() as session:
        community_id = await properties.create_community(session, clock, administrator, name="云杉苑")
        building_id = await properties.create_building(
            session, clock, administrator, community_id=community_id, name="3 栋"
        )
        place_id = await properties.create_place(
            session,
            clock,
            administrator,
            community_id=community_id,
            building_id=building_id,
            name="办公室",
            kind=PlaceKind.ROOM,
        )
    box = await claim_box(database, clock, administrator, community_id=community_id, name="3 栋网关")
    await list_devices(database, clock, box, *_devices())
    async with database.transaction() as session:
        points = await fleet.points(session, administrator, box_id=box.identity.box_id)
        for device_id in {point.device_id for point in points}:
            await bindings.bind_device(session, clock, administrator, device_id=device_id, place_id=place_id)
    return Site(
        database=database,
        clock=clock,
        series=series,
        estate=estate,
        community_id=community_id,
        place_id=place_id,
        box=box,
        points={point.key: point.id for point in points},
    )


def _devices() -> list[DeviceInfo]:
    keys = sorted({key.split("/")[0] for key in POINTS})
    return [
        DeviceInfo(
            key=device,
            profile="practice-probe",
            name=device,
            points=[
                PointInfo(key=key, unit=unit, row_class="sample", kind=kind, period_s=60.0)
                for key, (unit, kind) in POINTS.items()
                if key.startswith(f"{device}/")
            ],
        )
        for device in keys
    ]

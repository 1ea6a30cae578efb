"""The whole way of a reading, in real processes: practice devices, broker, box and cloud, and eyes on all of it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text

from cloud.accounts.organisations import found_organisation
from cloud.alarms import rules
from cloud.alarms import service as alarms
from cloud.alarms.domain import Priority
from cloud.alarms.rules import Draft
from cloud.alarms.service import Alarm
from cloud.alarms.terms import Limits
from cloud.core.clock import SystemClock
from cloud.core.database import Database
from cloud.core.listing import Ask
from cloud.core.principal import Principal
from cloud.core.words import Words
from cloud.fleet import claims
from cloud.fleet import service as fleet
from cloud.fleet.series import SeriesStore
from cloud.fleet.series_url import open_series
from cloud.properties import service as properties
from cloud.tickets import reading as tickets
from cloud.tickets.reading import Ticket
from firmware_configs.profiles.loader import load_profile
from provisioning.demo.cloud import well
from provisioning.demo.estate import OFFICE_LIMITS
from provisioning.demo.programs import finish
from provisioning.practice.broker import Broker, running_broker
from provisioning.practice.modbus import Answer, PracticeDevice, serving
from provisioning.practice.ports import LOOPBACK, free_port
from provisioning.practice.quantities import SinglePhaseMeter
from provisioning.practice.recorded import RecordedDevice, meter_values
from provisioning.practice.recordings.electricity import MeterHour
from provisioning.waiting import until
from tests.replay.installation import Addresses, box_program, cloud_program, install_box
from tests.replay.lives import Lives
from tests.replay.recordings import Readings

METER = "practice-meter/energy_import"
PROBE = "office-probe/temperature"
VOLTAGE = "flat-meter/voltage"
LOGIN, PASSWORD = "zhangsan", "replay-and-crash"
"""Of the organisation's administrator."""

_END_OF_TIME_US = 253_000_000_000_000_000


@dataclass(kw_only=True)
class Flat:
    """A flat's meter, whose samples nobody replays; its voltage is the test's to set."""

    voltage_v: float = 230.0
    _meter: SinglePhaseMeter = field(default_factory=lambda: SinglePhaseMeter("flat", mean_w=400))

    def answer(self) -> Answer:
        """Return what it shows now."""
        return Answer(values={**self._meter.at(SystemClock().now()), "voltage": self.voltage_v})


@dataclass(kw_only=True)
class Rig:
    """Everything that is running."""

    folder: Path
    database: Database
    series: SeriesStore
    principal: Principal
    broker: Broker
    meter: RecordedDevice[MeterHour]
    flat: Flat
    cloud: Lives
    cloud_port: int
    box: Lives
    points: dict[str, int]
    """Ids in the cloud, by key."""

    @property
    def box_log(self) -> Path:
        """Where the box says what it does."""
        return self.box.child.program.log

    @property
    def url(self) -> str:
        """Where the cloud's pages are."""
        return f"http://{LOOPBACK}:{self.cloud_port}"

    async def rule(self, key: str, limits: Limits, *, unit: str) -> None:
        """Rule on a point from now on."""
        nothing = Words(zh="", en="")
        draft = Draft(
            terms=limits,
            unit=unit,
            priority=Priority.HIGH,
            name=Words(zh="数值异常", en="Abnormal value"),
            consequence=nothing,
            first_action=nothing,
        )
        async with self.database.transaction() as session:
            await rules.create_rule(session, SystemClock(), self.principal, point_id=self.points[key], draft=draft)

    async def readings(self, key: str, *, start_us: int = 0) -> Readings:
        """Return what the cloud holds of a point, by time."""
        found = await self.series.read(self.points[key], start_us=start_us, end_us=_END_OF_TIME_US)
        return [(reading.time_us, reading.value, reading.flags) for reading in found]

    async def newest_us(self, key: str) -> int:
        """Return the instant of the newest reading that the cloud has answered for; 0 where there is none.

        The series have a reading before that: they are durable first, and only then is it held and told of.
        """
        async with self.database.reading() as session:
            newest = await fleet.latest(session, self.principal, point_ids=[self.points[key]])
        return newest[self.points[key]].time_us if newest else 0

    async def is_quiet(self) -> bool:
        """Return whether the cloud holds all that the box has, knows it, and has carried every event to its end."""
        async with self.database.reading() as session:
            stores = (await session.execute(text("SELECT id, head, pending FROM box_stores"))).all()
            held = (await session.execute(text("SELECT store_id, first, last FROM held_ranges"))).all()
            waiting = await session.scalar(text("SELECT count(*) FROM outbox_deliveries"))
        return (
            bool(stores)
            and not waiting
            and all(
                store.pending == 0
                and [(row.first, row.last) for row in held if row.store_id == store.id] == [(1, store.head)]
                for store in stores
            )
        )

    async def set_aside(self) -> int:
        """Return how many rows the cloud could not take."""
        async with self.database.reading() as session:
            return await session.scalar(text("SELECT count(*) FROM set_aside_rows")) or 0

    async def held(self) -> list[tuple[int, int]]:
        """Return the ranges of the box's one store that the cloud holds."""
        async with self.database.reading() as session:
            rows = await session.execute(text("SELECT first, last FROM held_ranges ORDER BY first"))
            return [(row.first, row.last) for row in rows]

    async def alarms(self) -> list[Alarm]:
        """Return every alarm that was ever raised, the eldest first."""
        async with self.database.reading() as session:
            found = await alarms.list_alarms(session, self.principal, Ask(limit=None), only_current=False)
        return sorted(found.rows, key=lambda alarm: (alarm.raised_at, alarm.id))

    async def tickets(self) -> list[Ticket]:
        """Return every ticket that was ever opened, the eldest first."""
        async with self.database.reading() as session:
            found = await tickets.list_tickets(
                session, SystemClock(), self.principal, Ask(limit=None), only_undone=False
            )
        return sorted(found.rows, key=lambda ticket: ticket.id)


@asynccontextmanager
async def running_rig(folder: Path, addresses: Addresses, *, backlog_rows_per_s: int = 100_000) -> AsyncIterator[Rig]:
    """Yield a rig whose box is claimed and runs, with the office's rule in force and nothing played yet."""
    port = free_port()
    async with AsyncExitStack() as started:
        cloud = Lives(cloud_program(folder, addresses, port=port))
        started.push_async_callback(cloud.stop)
        await cloud.begin()
        database, series = Database(addresses.database), open_series(addresses.series)
        started.push_async_callback(database.close)
        started.push_async_callback(series.close)
        await well(f"http://{LOOPBACK}:{port}", cloud.child)
        principal, code = await _founded(database)
        broker = await started.enter_async_context(running_broker(folder / "broker"))
        meter = RecordedDevice(meter_values)
        flat = Flat()
        ports = {"cloud": port, "broker": broker.port}
        for name, device in (
            ("meter", _device("practice-hourly-meter", ask=meter.answer, connected=meter.connected)),
            ("flat", _device("eastron-sdm120", ask=flat.answer)),
        ):
            ports[name] = await started.enter_async_context(serving([device]))
        settings = install_box(folder / "box", ports, backlog_rows_per_s=backlog_rows_per_s)
        await finish(box_program(settings, "claim", code))
        box = Lives(box_program(settings, "run"))
        started.push_async_callback(box.stop)
        await box.begin()
        await broker.subscribed("practice/office")
        rig = Rig(
            folder=folder,
            database=database,
            series=series,
            principal=principal,
            broker=broker,
            meter=meter,
            flat=flat,
            cloud=cloud,
            cloud_port=port,
            box=box,
            points=await _introduced(box, database, principal),
        )
        await rig.rule(PROBE, OFFICE_LIMITS, unit="[degF]")
        yield rig


def _device(
    profile: str, *, ask: Callable[[], Answer | None], connected: Callable[[], None] = lambda: None
) -> PracticeDevice:
    return PracticeDevice(profile=load_profile(profile), unit=1, ask=ask, connected=connected)


async def _founded(database: Database) -> tuple[Principal, str]:
    """Return the administrator of a new organisation, and a claim code for its box."""
    clock = SystemClock()
    async with database.transaction() as session:
        founded = await found_organisation(session, clock, name="云杉物业", login=LOGIN, password=PASSWORD)
        principal = Principal.system(founded.organisation_id)
        community_id = await properties.create_community(session, clock, principal, name="云杉苑")
        issued = await claims.issue(session, clock, principal, community_id=community_id, box_name="1 号楼网关")
    return principal, issued.code


async def _introduced(box: Lives, database: Database, principal: Principal) -> dict[str, int]:
    """Return the ids of the box's points once it has said what hangs on it."""
    found: dict[str, int] = {}

    async def known() -> bool:
        await box.child.check()
        async with database.reading() as session:
            found.update({point.key: point.id for point in await fleet.points(session, principal)})
        return {METER, PROBE, VOLTAGE} <= found.keys()

    await until(known, "the box's inventory", within_s=200)
    return found

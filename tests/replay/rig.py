"""The whole way of a reading, in real processes: practice devices, broker, box and cloud, and eyes on all of it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from cloud.accounts.organisations import found_organisation
from cloud.alarms import rules
from cloud.alarms import service as alarms
from cloud.alarms.domain import Priority, Words
from cloud.alarms.rules import Draft
from cloud.alarms.service import Alarm
from cloud.core.clock import SystemClock
from cloud.core.database import Database
from cloud.core.listing import Ask
from cloud.core.principal import Principal
from cloud.fleet import claims
from cloud.fleet import service as fleet
from cloud.fleet.series import SeriesStore
from cloud.fleet.series_url import open_series
from cloud.properties import service as properties
from cloud.tickets import service as tickets
from cloud.tickets.service import Ticket
from firmware_configs.profiles.loader import load_profile
from provisioning.demo.cloud import well
from provisioning.demo.estate import OFFICE_LIMITS
from provisioning.demo.programs import Program, finish
from provisioning.demo.toml import to_toml
from provisioning.practice.broker import Broker, running_broker
from provisioning.practice.modbus import PracticeDevice, serving
from provisioning.practice.ports import LOOPBACK, free_port
from provisioning.practice.recorded import RecordedDevice, meter_values
from provisioning.practice.recordings.electricity import MeterHour
from provisioning.waiting import until
from tests.replay.lives import Lives
from tests.replay.recordings import Readings

METER = "practice-meter/energy_import"
PROBE = "office-probe/temperature"

_PROFILES = Path(__file__).parents[2] / "firmware_configs/profiles"
_METER_PERIOD_S = 0.01
"""A poll confirms a row, so this is how fast the register can be replayed."""

_END_OF_TIME_US = 253_000_000_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where a rig's cloud keeps its data; SQLAlchemy URLs."""

    database: str
    series: str


@dataclass(kw_only=True)
class Rig:
    """Everything that is running."""

    folder: Path
    database: Database
    series: SeriesStore
    principal: Principal
    broker: Broker
    meter: RecordedDevice[MeterHour]
    cloud: Lives
    box: Lives
    points: dict[str, int]
    """Ids in the cloud, by key."""

    @property
    def box_log(self) -> Path:
        """Where the box says what it does."""
        return self.box.child.program.log

    async def readings(self, key: str, *, start_us: int = 0) -> Readings:
        """Return what the cloud holds of a point, by time."""
        found = await self.series.read(self.points[key], start_us=start_us, end_us=_END_OF_TIME_US)
        return [(reading.time_us, reading.value, reading.flags) for reading in found]

    async def newest_us(self, key: str) -> int:
        """Return the instant of the newest reading that the cloud holds of a point; 0 where it has none."""
        newest = await self.series.newest([self.points[key]])
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
        cloud = Lives(_cloud_program(folder, addresses, port=port))
        started.push_async_callback(cloud.stop)
        await cloud.begin()
        database, series = Database(addresses.database), open_series(addresses.series)
        started.push_async_callback(database.close)
        started.push_async_callback(series.close)
        await well(f"http://{LOOPBACK}:{port}", cloud.child)
        principal, code = await _founded(database)
        broker = await started.enter_async_context(running_broker(folder / "broker"))
        meter = RecordedDevice(meter_values)
        device = PracticeDevice(
            profile=load_profile("practice-hourly-meter"), unit=1, ask=meter.answer, connected=meter.connected
        )
        meter_port = await started.enter_async_context(serving([device]))
        ports = {"cloud": port, "broker": broker.port, "meter": meter_port}
        settings = _install_box(folder / "box", ports, backlog_rows_per_s=backlog_rows_per_s)
        await finish(_box_program(settings, "claim", code))
        box = Lives(_box_program(settings, "run"))
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
            cloud=cloud,
            box=box,
            points=await _introduced(box, database, principal),
        )
        await _rule(rig)
        yield rig


def _cloud_program(folder: Path, addresses: Addresses, *, port: int) -> Program:
    settings = folder / "cloud.toml"
    told = {
        "data_folder": str(folder / "cloud"),
        "database_url": addresses.database,
        "series_url": addresses.series,
        "port": port,
        "log_level": "debug",
    }
    settings.write_text(to_toml(told))
    return Program(module="cloud", arguments=("run", "--settings", str(settings)), log=folder / "cloud.log")


def _box_program(settings: Path, *arguments: str) -> Program:
    return Program(
        module="edge", arguments=(*arguments, "--settings", str(settings)), log=settings.with_name("box.log")
    )


def _install_box(folder: Path, ports: Mapping[str, int], *, backlog_rows_per_s: int) -> Path:
    """Write the box's settings, and a profile of the practice meter that is asked often."""
    folder.mkdir()
    profile = (_PROFILES / "practice-hourly-meter.yaml").read_text()
    (folder / "practice-hourly-meter.yaml").write_text(
        profile.replace("period_s: 1\n", f"period_s: {_METER_PERIOD_S}\n")
    )
    settings = {
        "cloud": {"url": f"http://{LOOPBACK}:{ports['cloud']}"},
        "buffer": {"folder": str(folder)},
        "upload": {"flush_s": 0.2, "backlog_rows_per_s": backlog_rows_per_s},
        "log": {"level": "debug"},
        "profiles_folder": str(folder),
        "brokers": [{"key": "building", "port": ports["broker"]}],
        "devices": [
            {
                "key": "practice-meter",
                "profile": "practice-hourly-meter",
                "modbus": {"host": LOOPBACK, "port": ports["meter"], "timeout_s": 30.0},
            },
            {
                "key": "office-probe",
                "profile": "practice-office-probe",
                "mqtt": {"broker": "building", "device": "office"},
            },
        ],
    }
    file = folder / "edge.toml"
    file.write_text(to_toml(settings))
    return file


async def _founded(database: Database) -> tuple[Principal, str]:
    """Return the administrator of a new organisation, and a claim code for its box."""
    clock = SystemClock()
    async with database.transaction() as session:
        founded = await found_organisation(
            session, clock, name="云杉物业", login="zhangsan", password="replay-and-crash"
        )
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
        return {METER, PROBE} <= found.keys()

    await until(known, "the box's inventory", within_s=60)
    return found


async def _rule(rig: Rig) -> None:
    draft = Draft(
        terms=OFFICE_LIMITS,
        unit="[degF]",
        priority=Priority.HIGH,
        name=Words(zh="办公室温度异常", en="Office too cold or too warm"),
        consequence=Words(zh="", en=""),
        first_action=Words(zh="", en=""),
    )
    async with rig.database.transaction() as session:
        await rules.create_rule(session, SystemClock(), rig.principal, point_id=rig.points[PROBE], draft=draft)

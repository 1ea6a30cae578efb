"""The boxes' door in a process of its own, with a fleet that is claimed beforehand.

Run as a program: `python -m tests.benchmarks.intake_server FOLDER DATABASE_URL SERIES_URL BOXES POINTS` makes the
fleet, writes its keys to FOLDER/boxes.json, prints its port and serves until it is ended.
"""

import asyncio
import json
import resource
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from fastapi import FastAPI

from cloud.api.edge import EdgeDoor
from cloud.core.clock import SystemClock
from cloud.core.database import Base, Database
from cloud.core.principal import Principal
from cloud.fleet import claims, devices, service
from cloud.fleet.channel import Channels
from cloud.fleet.domain import BoxIdentity, ReadingsTaken
from cloud.fleet.intake import Intake
from cloud.fleet.series_url import open_series
from cloud.properties import service as properties
from protocols.wire import WIRE_VERSION, Claim, DeviceInfo, Inventory, PointInfo
from tests.cloud.estate import make_organisation
from tests.cloud.fleet.boxes import public_key

WATCHED_OF = 50
"""One point in so many has a rule."""


async def make_fleet(database: Database, folder: Path, *, boxes: int, points: int) -> None:
    """Claim boxes, each with as many points, and watch some of them."""
    clock = SystemClock()
    estate = await make_organisation(database, clock)
    async with database.transaction() as session:
        community_id = await properties.create_community(session, clock, estate.administrator, name="云杉苑")
    made = [await _make_box(database, estate.administrator, community_id, number, points) for number in range(boxes)]
    async with database.transaction() as session:
        all_points = await service.points(session, estate.administrator)
        watched = [point.id for point in all_points if int(point.key.removeprefix("m/p")) % WATCHED_OF == 0]
        await service.watch(session, clock, estate.administrator, point_ids=watched)
    (folder / "boxes.json").write_text(json.dumps(made))


async def _make_box(
    database: Database, principal: Principal, community_id: int, number: int, points: int
) -> dict[str, str | int]:
    clock = SystemClock()
    key = Ed25519PrivateKey.generate()
    async with database.transaction() as session:
        code = await claims.issue(session, clock, principal, community_id=community_id, box_name=f"box {number}")
        message = Claim(v=WIRE_VERSION, code=code.code, public_key=public_key(key))
        await session.flush()
        claimed = await claims.claim(session, clock, message=message)
        listed = [
            PointInfo(key=f"m/p{point}", unit="W", row_class="sample", kind="gauge", period_s=1.0)
            for point in range(points)
        ]
        device = DeviceInfo(key="m", profile="practice-meter", name="meter", points=listed)
        box = BoxIdentity(
            box_id=int(claimed.box_id),
            organisation_id=principal.organisation_id,
            name=claimed.name,
            key=public_key(key),
        )
        await devices.take_inventory(session, clock, box, inventory=Inventory(v=WIRE_VERSION, devices=[device]))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return {"box_id": int(claimed.box_id), "key": private}


async def serve(folder: Path, database_url: str, series_url: str, *, boxes: int, points: int) -> None:
    """Serve until the process is told to end; then print what it cost: CPU seconds and peak KiB."""
    database = Database(database_url, routes={ReadingsTaken.kind: ("alarms",)})
    if not (folder / "boxes.json").exists():
        async with database.engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        await make_fleet(database, folder, boxes=boxes, points=points)
    store = open_series(series_url)
    await store.prepare()
    clock = SystemClock()
    channels = Channels(database, clock)
    door = EdgeDoor(database=database, clock=clock, intake=Intake(database, store, clock), channels=channels)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            running = group.create_task(channels.run(), name="channels")
            yield
            running.cancel()
        used = resource.getrusage(resource.RUSAGE_SELF)
        spent_s = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
        await store.close()
        await database.close()
        sys.stdout.write(f"{spent_s} {used.ru_maxrss}\n")
        sys.stdout.flush()

    app = FastAPI(lifespan=lifespan)
    app.include_router(door.router())
    before = resource.getrusage(resource.RUSAGE_SELF)
    listener = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    config = uvicorn.Config(app, log_level="warning", access_log=False, loop="uvloop", http="httptools")
    await uvicorn.Server(config).serve(
        sockets=[listener]
    )  # ends the process by the signal that it was told to stop with


if __name__ == "__main__":
    folder, database_url, series_url, boxes, points = sys.argv[1:]
    uvicorn_loop = uvicorn.Config("", loop="uvloop").get_loop_factory()
    with asyncio.Runner(loop_factory=uvicorn_loop) as runner:
        runner.run(serve(Path(folder), database_url, series_url, boxes=int(boxes), points=int(points)))

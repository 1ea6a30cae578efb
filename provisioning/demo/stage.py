"""The demo from curtain to curtain: cloud, estate, building and box, started in order and stopped in reverse."""

import asyncio
import secrets
from collections.abc import Callable
from contextlib import AsyncExitStack, aclosing
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

from cloud.core.clock import Clock, SystemClock
from cloud.core.database import Database
from cloud.core.files import FileStore
from cloud.core.principal import Principal
from cloud.fleet import service as fleet
from cloud.fleet.devices import take_inventory
from cloud.fleet.domain import BoxIdentity
from cloud.fleet.series_url import open_series
from cloud.web.live import Hub
from cloud.wiring import wire
from provisioning.demo import estate, incident, people, reception, repairs, residents
from provisioning.demo.box import PracticeBox
from provisioning.demo.cloud import PracticeCloud, well
from provisioning.demo.memory import Memory
from provisioning.demo.notes import notes
from provisioning.demo.programs import Child, finish, running
from provisioning.demo.recordings import Recordings
from provisioning.errors import SiteError
from provisioning.practice.building import PROBE, PracticeBuilding
from provisioning.practice.ports import is_free
from provisioning.practice.sms import PracticeGateway
from provisioning.waiting import until

_TO_ALARM = timedelta(seconds=30)
_FULL_WITHIN_S = 180.0
_DRAINED_WITHIN_S = 180.0
_LOOK_EVERY_S = 1.0

Say = Callable[[str], None]


async def perform(folder: Path, *, port: int, say: Say, announce: Say) -> None:
    """Run the demo until it is cancelled; all that it started has ended then, the box first and the cloud last.

    Args:
        folder: of this demo alone.
        port: of the cloud's pages.
        say: told of progress, a sentence each.
        announce: called once with the cloud's address, when everything is ready to be looked at.

    Raises:
        SiteError: something is missing or broke that the person at the keyboard can mend.
    """
    try:
        await _perform(folder, port, say=say, announce=announce)
    except* SiteError as group:
        raise _first(group) from None


async def _perform(folder: Path, port: int, *, say: Say, announce: Say) -> None:
    if not is_free(port):
        raise SiteError(f"port {port} is in use; stop what listens there, or choose another with --port")
    clock = SystemClock()
    async with AsyncExitStack() as started:
        say("starting the cloud")
        gateway = await started.enter_async_context(PracticeGateway.opened(clock, token=secrets.token_urlsafe()))
        cloud = PracticeCloud(folder=folder / "cloud", port=port, gateway=gateway)
        cloud_child = await started.enter_async_context(running(await asyncio.to_thread(cloud.program)))
        await well(cloud.url, cloud_child)
        series = open_series(cloud.series_url)
        started.push_async_callback(series.close)
        # What is done here is told to the cloud, which hears it as its own.
        database = Database(cloud.database_url, routes=wire(series, Hub()).routes)
        started.push_async_callback(database.close)
        principal = await _founded(database, clock, cloud.files, say)
        say("opening the practice building")
        building = await started.enter_async_context(PracticeBuilding.opened(folder / "building", clock))
        if building.without:
            say(building.without)
        box = await asyncio.to_thread(PracticeBox.installed, folder / "box", building, cloud_url=cloud.url)
        async with asyncio.TaskGroup() as tasks:
            memory = Memory(folder)
            started.callback(memory.save)
            recordings = Recordings(building, memory, clock)
            if not box.is_claimed:
                say("filling the box with the building's history; nobody has claimed it yet, so it waits there")
                await _fill(box, building, recordings, tasks)
                say("claiming the box with a one-time code")
                await _claim(box, database, clock, principal)
            else:
                recordings.play(tasks)
            await _rule(box, database, clock, principal)
            say("starting the box; what it holds goes to the cloud as backlog")
            box_child = await started.enter_async_context(running(box.running()))
            tasks.create_task(_watch(cloud_child, box_child), name="children")
            await _drained(database, principal, recordings)
            await recordings.until_alarm_in(_TO_ALARM)
            announce(cloud.url)
            say(f"SMS go to {gateway.url}/ and to no telephone; sign-in codes are read there")
            say(f"an owner signs in at {cloud.url}/sign-in/phone with {residents.reporters_number()}")
            if recordings.alarm_in_s() > 0:
                say(f"in {recordings.alarm_in_s():.0f} s the office will be too cold")
            tasks.create_task(building.live(), name="sensors")
            async with aclosing(notes(database, clock, principal)) as told:
                async for note in told:
                    say(note)


async def _founded(database: Database, clock: Clock, store: FileStore, say: Say) -> Principal:
    # To sign in is to write, so it waits for the cloud's own writing; it is undone and leaves no session behind.
    async with database.transaction() as session:
        principal = await people.founder(session, clock)
        await session.rollback()
    if principal is None:
        say("founding the practice estate")
        picture = await residents.photo(store)
        async with database.transaction() as session:
            principal = await people.found(session, clock)
            await estate.build(session, clock, principal)
            await residents.move_in(session, clock, principal, picture)
            await reception.open_desk(session, clock, principal, picture)
            await repairs.stock_up(session, clock, principal)
            await repairs.repair(session, clock, principal)
            await incident.cut_water(session, clock, principal)
    return principal


async def _fill(box: PracticeBox, building: PracticeBuilding, recordings: Recordings, tasks: asyncio.TaskGroup) -> None:
    """Run the box without a cloud until it holds all that lies before the cold office's hour."""
    async with running(box.running()) as child:
        await building.listened_to()
        rows = recordings.play(tasks)

        async def full() -> bool:
            await child.check()
            return await box.values_taken(PROBE) >= rows

        await until(full, "the box to take the building's history", within_s=_FULL_WITHIN_S)


async def _claim(box: PracticeBox, database: Database, clock: Clock, principal: Principal) -> None:
    async with database.transaction() as session:
        code = await estate.issue_code(session, clock, principal)
    await finish(box.claiming(code))


async def _rule(box: PracticeBox, database: Database, clock: Clock, principal: Principal) -> None:
    """Say what is abnormal before the box sends its first reading, so that the history is judged too.

    A box says itself what hangs on it, but goes on to its readings at once: it is said for it once, beforehand.
    """
    identity = box.identity()
    async with database.transaction() as session:
        if identity.box_id is None or await estate.is_ruled(session, principal):
            return
        known = BoxIdentity(
            box_id=int(identity.box_id),
            organisation_id=principal.organisation_id,
            name=identity.name or "",
            key=identity.public_key,
        )
        await take_inventory(session, clock, known, inventory=box.inventory())
        await estate.rule(session, clock, principal)
        await repairs.plan_inspections(session, clock, principal)


async def _drained(database: Database, principal: Principal, recordings: Recordings) -> None:
    """Return once the cloud holds the building's history."""

    async def drained() -> bool:
        async with database.reading() as session:
            points = await fleet.points(session, principal)
            [probe] = [point for point in points if point.key == f"{PROBE}/temperature"]
            newest = (await fleet.latest(session, principal, point_ids=[probe.id])).get(probe.id)
        return newest is not None and newest.time >= recordings.history_ends_at

    await until(drained, "the box's backlog to reach the cloud", within_s=_DRAINED_WITHIN_S)


async def _watch(*children: Child) -> NoReturn:
    """Raise as soon as a program has ended that should not."""
    while True:
        for child in children:
            await child.check()
        await asyncio.sleep(_LOOK_EVERY_S)


def _first(group: BaseExceptionGroup[SiteError]) -> SiteError:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first

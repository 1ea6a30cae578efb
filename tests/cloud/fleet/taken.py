"""What an intake leaves behind: what it told and the newest values; and which points are watched."""

from typing import Any

import msgspec
from sqlalchemy import select

from cloud.core.database import Database
from cloud.core.outbox import OutboxEvent
from cloud.fleet import service
from cloud.fleet.domain import Reading
from tests.clocks import FixedClock
from tests.cloud.fleet.boxes import Yard


async def events_of(database: Database) -> list[tuple[str, dict[str, Any]]]:
    """Return what was told, without whose it is."""
    async with database.reading() as session:
        events = (await session.scalars(select(OutboxEvent).order_by(OutboxEvent.id))).all()
    payloads = [(event.kind, msgspec.json.decode(event.payload)) for event in events]
    return [
        (kind, {k: v for k, v in told.items() if k not in {"organisation_id", "box_id"}}) for kind, told in payloads
    ]


async def newest_values(database: Database, yard: Yard) -> dict[str, Reading]:
    async with database.reading() as session:
        latest = await service.latest(session, yard.administrator, point_ids=yard.points.values())
    return {key: latest[point_id] for key, point_id in yard.points.items() if point_id in latest}


async def watch(database: Database, clock: FixedClock, yard: Yard, *keys: str) -> None:
    async with database.transaction() as session:
        await service.watch(session, clock, yard.administrator, point_ids=[yard.points[key] for key in keys])

"""The cloud's pages in a process of their own, over an organisation with very many tickets.

Run as a program: `python -m tests.benchmarks.ticket_server FOLDER TICKETS` makes the tickets, prints its port and the
login of the front desk, and serves until it is ended. Of ten tickets nine are done; what they say is drawn from a few
dozen matters, so that some words stand in very many of them and some in hardly any.
"""

import asyncio
import random
import socket
import sqlite3
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import uvicorn

from cloud.app.application import create_app
from cloud.core.clock import SystemClock
from cloud.core.database import Database
from cloud.core.principal import Role
from cloud.core.words import Words
from cloud.migrations.upgrading import migrate
from cloud.properties import service as properties
from cloud.settings import Settings
from cloud.tickets.domain import State
from cloud.tickets.opening import Location, open_ticket
from tests.cloud.estate import make_organisation

_MATTERS = (
    "漏水", "停电", "电梯异响", "水泵房积水", "门禁失灵", "噪音扰民", "照明损坏", "空调不制冷", "消防通道堵塞",
    "下水道堵",
    "墙面开裂", "玻璃破损", "燃气异味", "对讲故障", "车库道闸", "绿化枯死",
)  # fmt: skip
_ROOMS = ("厨房", "卫生间", "客厅", "地下室", "楼道", "天台", "大堂", "配电间")
_OLDEST = datetime(2020, 1, 1, tzinfo=UTC)


async def make_estate(url: str) -> tuple[int, str]:
    """Return the id of the one ticket that all others are copied from, and the front desk's login."""
    clock = SystemClock()
    database = Database(url)
    estate = await make_organisation(database, clock)
    desk = estate.principals[Role.DESK]
    async with database.transaction() as session:
        community_id = await properties.create_community(session, clock, estate.administrator, name="云杉苑")
        location = Location(community_id=community_id, place_id=None, place="云杉苑")
        ticket_id = await open_ticket(
            session, clock, desk, type_code="repair", subject=Words(zh="漏水", en="漏水"), location=location
        )
    await database.close()
    return ticket_id, estate.login(Role.DESK)


def copy_tickets(file: Path, ticket_id: int, *, count: int) -> None:
    """Write so many tickets like the one that is there, each with a number, words, a place and times of its own."""
    connection = sqlite3.connect(file)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA synchronous=OFF")
    row = dict(connection.execute("SELECT * FROM tickets WHERE id = ?", [ticket_id]).fetchone())
    fields = ", ".join(row)
    places = ", ".join(f":{name}" for name in row)
    with connection:
        connection.executemany(f"INSERT INTO tickets ({fields}) VALUES ({places})", _copies(row, count))  # noqa: S608
    connection.close()


def _copies(row: dict[str, Any], count: int) -> Iterator[dict[str, Any]]:
    rng = random.Random(11)
    step = timedelta(days=6 * 365) / count
    for number in range(1, count + 1):
        opened = _OLDEST + number * step
        subject = f"{rng.choice(_ROOMS)}{rng.choice(_MATTERS)}"
        is_done = rng.random() < 0.9
        yield row | {
            "id": row["id"] + number,
            "number": f"9{number % 1000:03}-{number // 1000:06}",
            "subject_zh": subject,
            "subject_en": subject,
            "place": f"云杉苑 / {rng.randint(1, 40)} 栋 / {rng.randint(1, 33)}{rng.randint(1, 4):02}",
            "state": State.RESOLVED if is_done else row["state"],
            "opened_at": _stored(opened),
            "due_at": _stored(opened + timedelta(hours=rng.randint(1, 72))),
            "closed_at": _stored(opened + timedelta(hours=5)) if is_done else None,
        }


def _stored(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%d %H:%M:%S.%f")


def main(folder: Path, count: int) -> None:
    """Make the tickets and serve."""
    settings = Settings(data_folder=folder)
    asyncio.run(migrate(settings.database))
    ticket_id, login = asyncio.run(make_estate(settings.database))
    copy_tickets(folder / "gatehouse.db", ticket_id, count=count)
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], login, flush=True)
    config = uvicorn.Config(create_app(settings), log_level="warning", loop="uvloop", http="httptools")
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))

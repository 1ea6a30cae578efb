"""The cloud's pages in a process of their own, over an organisation with very many tickets.

Run as a program: `python -m tests.benchmarks.ticket_server FOLDER TICKETS` makes the tickets, prints its port and the
login of the front desk, and serves until it is ended. What the tickets say is drawn from a few dozen matters, so that
some words stand in very many of them and some in hardly any.
"""

import asyncio
import random
import socket
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import uvicorn

from cloud.app.application import create_app
from cloud.core.clock import SystemClock
from cloud.core.database import Database
from cloud.core.principal import Role
from cloud.core.search import removal, statements
from cloud.core.words import Words
from cloud.migrations.upgrading import migrate
from cloud.properties import service as properties
from cloud.settings import Settings
from cloud.tickets.domain import UNDONE, State
from cloud.tickets.opening import Location, open_ticket
from cloud.tickets.tables import TICKET_SEARCH
from tests.cloud.estate import make_organisation

_MATTERS = (
    "漏水", "停电", "电梯异响", "水泵房积水", "门禁失灵", "噪音扰民", "照明损坏", "空调不制冷", "消防通道堵塞",
    "下水道堵",
    "墙面开裂", "玻璃破损", "燃气异味", "对讲故障", "车库道闸", "绿化枯死",
)  # fmt: skip
_ROOMS = ("厨房", "卫生间", "客厅", "地下室", "楼道", "天台", "大堂", "配电间")
_OLDEST = datetime(2020, 1, 1, tzinfo=UTC)
_SAMPLES = 20


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
    """Write so many tickets like the one that is there, each with a number, words, a place and times of its own.

    Their words are indexed once all rows stand, with the statements by which a migration indexes a table that has
    rows already: the triggers would do it row by row, ten times as slowly.
    """
    connection = sqlite3.connect(file)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA cache_size=-200000")  # KiB: the rows' indexes are written in no order
    row = dict(connection.execute("SELECT * FROM tickets WHERE id = ?", [ticket_id]).fetchone())
    fields = ", ".join(row)
    places = ", ".join(f":{name}" for name in row)
    table = TICKET_SEARCH.table.name
    with connection:
        for statement in removal(table, dialect="sqlite"):
            connection.execute(statement)
        connection.executemany(f"INSERT INTO tickets ({fields}) VALUES ({places})", _copies(row, count))  # noqa: S608
        for statement in statements(table, TICKET_SEARCH.columns, dialect="sqlite"):
            connection.execute(statement)
    _check_index(connection, range(ticket_id + 1, ticket_id + 1 + count, max(count // _SAMPLES, 1)))
    connection.close()


def _check_index(connection: sqlite3.Connection, ticket_ids: Sequence[int]) -> None:
    """Look whether all runs that the triggers write of these tickets stand in the index."""
    places = ", ".join("?" for _ in ticket_ids)
    fields = ", ".join(("id", *TICKET_SEARCH.columns))
    rows = connection.execute(f"SELECT {fields} FROM tickets WHERE id IN ({places})", ticket_ids).fetchall()  # noqa: S608
    with closing(sqlite3.connect(":memory:")) as scratch:
        scratch.execute(f"CREATE TABLE tickets ({fields}, PRIMARY KEY (id))")
        for statement in statements("tickets", TICKET_SEARCH.columns, dialect="sqlite"):
            scratch.execute(statement)
        scratch.execute("CREATE VIRTUAL TABLE written USING fts5vocab(tickets_search, instance)")
        for row in rows:
            scratch.execute(f"INSERT INTO tickets ({fields}) VALUES ({', '.join('?' for _ in row)})", tuple(row))  # noqa: S608
            runs = scratch.execute("SELECT term FROM written WHERE doc = ?", [row["id"]]).fetchall()
            asked = [" ".join(run for (run,) in runs), row["id"]]
            found = "SELECT count(*) FROM tickets_search WHERE tickets_search MATCH ? AND rowid = ?"
            if not runs or connection.execute(found, asked).fetchone()[0] != 1:
                raise RuntimeError(
                    f"ticket {row['id']} is not indexed as its trigger would: this is no measure of search"
                )


def _copies(row: dict[str, Any], count: int) -> Iterator[dict[str, Any]]:
    """Yield the rows: nine of ten are done, the others stand anywhere between, due around today."""
    rng = random.Random(11)
    now = SystemClock().now()
    step = (now - _OLDEST) / count
    undone = sorted(UNDONE)
    for number in range(1, count + 1):
        opened = _OLDEST + number * step
        subject = f"{rng.choice(_ROOMS)}{rng.choice(_MATTERS)}"
        is_done = rng.random() < 0.9
        due = opened + timedelta(hours=rng.randint(1, 72)) if is_done else now + timedelta(hours=rng.randint(-240, 240))
        yield row | {
            "id": row["id"] + number,
            "number": f"9{number % 1000:03}-{number // 1000:06}",
            "subject_zh": subject,
            "subject_en": subject,
            "place": f"云杉苑 / {rng.randint(1, 40)} 栋 / {rng.randint(1, 33)}{rng.randint(1, 4):02}",
            "state": State.RESOLVED if is_done else rng.choice(undone),
            "opened_at": _stored(opened),
            "due_at": _stored(due),
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

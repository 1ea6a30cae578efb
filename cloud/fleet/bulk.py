"""Many rows as the source of one statement, on SQLite and on PostgreSQL.

`executemany` is no way to do it: Python's sqlite3 lets go of the interpreter's lock at every row, and a busy event
loop gives it back after 5 ms each.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.fleet.driver import change, fetch

# Each size is a statement of its own that SQLite's wrapper keeps prepared; a row's repetition fills up to the next.
_SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)

Source = tuple[str, tuple[Any, ...]]
"""SQL that yields the rows, for `WITH x(a, b) AS (...)` and `INSERT INTO x ...`, and its parameters."""


async def run(session: AsyncSession, sql: str, rows: Sequence[Sequence[Any]], types: Sequence[str]) -> None:
    """Run `sql` with `rows` in the place of its {source}; it must not mind that a row comes more than once.

    Args:
        session: whose transaction it belongs to.
        sql: a statement for both databases.
        rows: each with a value per type; without any, nothing is run.
        types: PostgreSQL's names of the columns' types.
    """
    connection = await session.connection()
    for source, values in sources(rows, types, is_sqlite=connection.dialect.name == "sqlite"):
        await change(connection, sql.format(source=source), values)


async def lock(session: AsyncSession, sql: str, rows: Sequence[Sequence[Any]], types: Sequence[str]) -> None:
    """Wait for the rows that a query locks; on SQLite, whose one writer holds everything already, nothing is run.

    What hangs on these rows must be read by a later statement: after a wait, PostgreSQL looks again at the locked
    rows alone, and takes all that is joined to them from before it.

    Args:
        session: whose transaction it belongs to.
        sql: a query for PostgreSQL that locks, in one order for everybody.
        rows: each with a value per type; without any, nothing is locked.
        types: PostgreSQL's names of the columns' types.
    """
    connection = await session.connection()
    if connection.dialect.name != "sqlite":
        for source, values in sources(rows, types, is_sqlite=False):
            await fetch(connection, sql.format(source=source), values)


async def find(
    session: AsyncSession, sql: str, rows: Sequence[Sequence[Any]], types: Sequence[str]
) -> list[tuple[Any, ...]]:
    """Return what a query finds with `rows` in the place of its {source}, of which one may come more than once.

    Args:
        session: whose transaction it belongs to.
        sql: a query for both databases.
        rows: each with a value per type; without any, nothing is found.
        types: PostgreSQL's names of the columns' types.
    """
    connection = await session.connection()
    is_sqlite = connection.dialect.name == "sqlite"
    found: list[tuple[Any, ...]] = []
    for source, values in sources(rows, types, is_sqlite=is_sqlite):
        found += await fetch(connection, sql.format(source=source), values)
    return found


def sources(rows: Sequence[Sequence[Any]], types: Sequence[str], *, is_sqlite: bool) -> Iterator[Source]:
    """Yield sources that together hold `rows` in their order; a row may come more than once within one source.

    Args:
        rows: each with a value per type.
        types: PostgreSQL's names of the columns' types.
        is_sqlite: False for PostgreSQL.
    """
    if not is_sqlite:
        if rows:
            arrays = ", ".join(f"%s::{name}[]" for name in types)
            yield f"SELECT * FROM unnest({arrays})", tuple(map(list, zip(*rows, strict=True)))  # noqa: S608  types are ours
        return
    place = f"({', '.join('?' * len(types))})"
    for start in range(0, len(rows), _SIZES[-1]):
        part = rows[start : start + _SIZES[-1]]
        size = _SIZES[bisect_left(_SIZES, len(part))]
        values = tuple(chain.from_iterable(part)) + tuple(part[-1]) * (size - len(part))
        yield f"VALUES {', '.join([place] * size)}", values

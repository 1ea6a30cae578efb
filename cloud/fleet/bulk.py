"""Many rows as the source of one statement, on SQLite and on PostgreSQL.

`executemany` is no way to do it: Python's sqlite3 lets go of the interpreter's lock at every row, and a busy event
loop gives it back after 5 ms each.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

# Each size is a statement of its own that SQLite's wrapper keeps prepared; a row's repetition fills up to the next.
_SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)

Source = tuple[str, tuple[Any, ...]]
"""SQL that yields the rows, for `WITH x(a, b) AS (...)` and `INSERT INTO x ...`, and its parameters."""


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

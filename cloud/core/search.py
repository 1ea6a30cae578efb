"""Words found anywhere in a table's texts without reading them all: an index that the database itself keeps.

Every run of one, two or three characters of a row's texts is a word of the index, so that two Chinese characters are
found like any part of a number. SQLite keeps them in an FTS5 table by triggers, PostgreSQL in a GIN index over a
function; both follow every change of a row in its own transaction. The index only names candidates, what is found is
what `containing` finds: a longer search asks for some of its runs, and its rows are then looked at exactly.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    DDL,
    ColumnElement,
    Select,
    Table,
    Text,
    cast,
    column,
    event,
    func,
    literal,
    literal_column,
    or_,
    select,
    table,
)
from sqlalchemy.dialects.postgresql import ARRAY, array

RUN_LENGTH = 3
_RUNS_ASKED = 10
"""Runs of one search that the index is asked for: they cover 30 characters without a gap, and each more costs."""

SUFFIX = "_search"
"""How the name of whatever belongs to an index ends, or begins its ending: `people_search`, `people_search_data`."""

_SQLITE_RUNS = """\
SELECT group_concat(hex(substr(words, at, 1)) || ' ' || hex(substr(words, at, 2)) || ' ' || hex(substr(words, at, 3)), \
' ') FROM (WITH RECURSIVE place(words, at) AS \
(SELECT {words}, 1 UNION ALL SELECT words, at + 1 FROM place WHERE at < length(words)) SELECT words, at FROM place)"""

_POSTGRESQL_FUNCTION = """\
CREATE OR REPLACE FUNCTION search_runs(words text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$SELECT coalesce(array_agg(DISTINCT substr(words, at, size)), '{}')
FROM generate_series(1, length(words)) AS at, generate_series(1, 3) AS size$$"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchIndex:
    """What a `Listing` takes as its search: called with words, it is the condition that `containing` makes."""

    table: Table
    columns: tuple[str, ...]

    def __call__(self, words: str) -> ColumnElement[bool]:
        """Return the exact condition, which every row that is found fulfils."""
        return or_(*(self.table.c[name].icontains(words, autoescape=True) for name in self.columns))

    def candidates(self, words: str, *, dialect: str) -> Select[Any]:
        """Return the ids of all rows that may hold the words, of whichever organisation, and of a few that don't."""
        runs = _runs_of(words)
        if dialect == "postgresql":
            held = func.search_runs(literal_column(f"lower({_joined(self.columns, self.table.name)})"))
            asked = cast(array([func.lower(literal(run, Text)) for run in runs]), ARRAY(Text))
            return select(self.table.c.id).where(held.op("@>")(asked))
        index = table(f"{self.table.name}{SUFFIX}", column("rowid"))
        asked_for = " ".join(_ascii_lower(run).encode().hex() for run in runs)
        return select(index.c.rowid).where(literal_column(index.name).op("MATCH")(asked_for))


def search_index(of: Table, *columns: str) -> SearchIndex:
    """Return an index over a table's text columns, made with the table; a migration writes `statements` out.

    The table's primary key is its integer `id`.
    """
    for dialect in ("sqlite", "postgresql"):
        for statement in statements(of.name, columns, dialect=dialect):
            ddl = DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]  # SQLAlchemy gives it no types
            event.listen(of, "after_create", ddl.execute_if(dialect=dialect))
    return SearchIndex(table=of, columns=columns)


def statements(name: str, columns: tuple[str, ...], *, dialect: str) -> list[str]:
    """Return what makes the index of a table that may hold rows already."""
    if dialect == "postgresql":
        words = f"lower({_joined(columns)})"
        return [_POSTGRESQL_FUNCTION, f"CREATE INDEX ix_{name}{SUFFIX} ON {name} USING gin (search_runs({words}))"]
    index = f"{name}{SUFFIX}"
    add = f"INSERT INTO {index}(rowid, runs) SELECT new.id, ({_runs(columns, 'new')})"
    drop = f"INSERT INTO {index}({index}, rowid, runs) SELECT 'delete', old.id, ({_runs(columns, 'old')})"
    return [
        f"CREATE VIRTUAL TABLE {index} USING fts5(runs, content='', detail=none, tokenize='ascii')",
        f"CREATE TRIGGER {index}_insert AFTER INSERT ON {name} BEGIN {add}; END",
        f"CREATE TRIGGER {index}_delete AFTER DELETE ON {name} BEGIN {drop}; END",
        f"CREATE TRIGGER {index}_update AFTER UPDATE OF {', '.join(columns)} ON {name} BEGIN {drop}; {add}; END",
        f"INSERT INTO {index}(rowid, runs) SELECT id, ({_runs(columns, name)}) FROM {name}",  # noqa: S608  our own names
    ]


def removal(name: str, *, dialect: str) -> list[str]:
    """Return what takes the index of a table away."""
    index = f"{name}{SUFFIX}"
    if dialect == "postgresql":
        return [f"DROP INDEX ix_{index}"]
    return [*(f"DROP TRIGGER {index}_{what}" for what in ("insert", "delete", "update")), f"DROP TABLE {index}"]


def is_part_of_an_index(name: str) -> bool:
    """Return whether a table or an index of this name belongs to a search index, which no model describes."""
    return name.endswith(SUFFIX) or name.rpartition("_")[0].endswith(SUFFIX)


def _runs(columns: tuple[str, ...], of: str) -> str:
    return _SQLITE_RUNS.format(words=f"lower({_joined(columns, of, separator='char(31)')})")


def _joined(columns: tuple[str, ...], of: str = "", *, separator: str = "chr(31)") -> str:
    """Return the texts as one in SQL, with a character between them that nobody types."""
    prefix = f"{of}." if of else ""
    return f" || {separator} || ".join(f"coalesce({prefix}{name}, '')" for name in columns)


def _runs_of(words: str) -> list[str]:
    """Return runs that stand in every text that holds `words`: the longest there are, spread over all of it."""
    length = min(len(words), RUN_LENGTH)
    runs = list(dict.fromkeys(words[at : at + length] for at in range(len(words) - length + 1)))
    step = max(len(runs) / _RUNS_ASKED, 1)
    return [runs[int(number * step)] for number in range(min(len(runs), _RUNS_ASKED))]


def _ascii_lower(text: str) -> str:
    """Return the text as SQLite's own `lower` leaves it: other letters keep their case, as they do in its LIKE."""
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)

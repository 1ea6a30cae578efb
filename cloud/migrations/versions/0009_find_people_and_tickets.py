"""Find people and tickets by any part of their texts."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SEARCHED = {
    "people": ("name", "login"),
    "tickets": ("number", "subject_zh", "subject_en", "place", "assignee_name"),
}

RUNS = """\
SELECT group_concat(hex(substr(words, at, 1)) || ' ' || hex(substr(words, at, 2)) || ' ' || hex(substr(words, at, 3)), \
' ') FROM (WITH RECURSIVE place(words, at) AS \
(SELECT lower({words}), 1 UNION ALL SELECT words, at + 1 FROM place WHERE at < length(words)) \
SELECT words, at FROM place)"""


def upgrade() -> None:
    for name, columns in SEARCHED.items():
        if op.get_bind().dialect.name == "sqlite":
            for statement in sqlite(name, columns):
                op.execute(sa.text(statement))
        else:
            words = " || chr(31) || ".join(f"coalesce({column}, '')" for column in columns)
            op.execute(f"CREATE INDEX ix_{name}_search ON {name} USING gin (search_runs(lower({words})))")


def downgrade() -> None:
    for name in SEARCHED:
        if op.get_bind().dialect.name == "sqlite":
            for what in ("insert", "delete", "update"):
                op.execute(f"DROP TRIGGER {name}_search_{what}")
            op.execute(f"DROP TABLE {name}_search")
        else:
            op.execute(f"DROP INDEX ix_{name}_search")


def sqlite(name: str, columns: tuple[str, ...]) -> list[str]:
    index = f"{name}_search"
    add = f"INSERT INTO {index}(rowid, runs) SELECT new.id, ({runs(columns, 'new')})"
    drop = f"INSERT INTO {index}({index}, rowid, runs) SELECT 'delete', old.id, ({runs(columns, 'old')})"
    return [
        f"CREATE VIRTUAL TABLE {index} USING fts5(runs, content='', detail=none, tokenize='ascii')",
        f"CREATE TRIGGER {index}_insert AFTER INSERT ON {name} BEGIN {add}; END",
        f"CREATE TRIGGER {index}_delete AFTER DELETE ON {name} BEGIN {drop}; END",
        f"CREATE TRIGGER {index}_update AFTER UPDATE OF {', '.join(columns)} ON {name} BEGIN {drop}; {add}; END",
        f"INSERT INTO {index}(rowid, runs) SELECT id, ({runs(columns, name)}) FROM {name}",
    ]


def runs(columns: tuple[str, ...], row: str) -> str:
    return RUNS.format(words=" || char(31) || ".join(f"coalesce({row}.{column}, '')" for column in columns))

"""The buffer's SQLite file: opened, brought to the present schema, or put aside when it is damaged."""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.errors import BufferUnusable

BUSY_TIMEOUT_S = 5.0
"""A box that is started again may still be closing the file it held before."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE store (store_id TEXT NOT NULL)",
        "CREATE TABLE points (number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE)",
        # an anchor's four columns are null together: the boot's offset is not known yet
        """CREATE TABLE stretches (
            first_seq INTEGER PRIMARY KEY, boot TEXT NOT NULL,
            mono_us INTEGER, wall_us INTEGER, rate REAL, estimated INTEGER
        )""",
        # kind is held, gone or declared
        """CREATE TABLE coverage (
            kind TEXT NOT NULL, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL, PRIMARY KEY (kind, first_seq)
        ) WITHOUT ROWID""",
        # first_us and last_us are monotonic; the blob stands last so that the rest is read without it
        """CREATE TABLE chunks (
            first_seq INTEGER PRIMARY KEY, last_seq INTEGER NOT NULL, row_class TEXT NOT NULL,
            first_us INTEGER NOT NULL, last_us INTEGER NOT NULL, packed BLOB NOT NULL
        )""",
    ),
)
"""Statements that lead from schema version i to i + 1; user_version says where a file stands."""

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def connect(path: Path) -> sqlite3.Connection:
    """Return a connection to the file in the present schema, made if it is not there.

    The file is locked for this process alone, which also spares it the shared memory file beside it.

    Raises:
        BufferUnusable: the file can't be opened, is held by another process, or was made by a newer version.
        sqlite3.DatabaseError: the file is damaged.
    """
    try:
        connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT_S)
    except sqlite3.OperationalError as error:
        raise BufferUnusable(f"{path}: {error}; check that the folder is there and can be written") from error
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        _migrate(connection, path)
    except sqlite3.OperationalError as error:
        connection.close()
        raise BufferUnusable(f"{path}: {error}; another process may hold it, or its disk takes no more") from error
    except BaseException:
        connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise BufferUnusable(
            f"{path}: schema version {version} was made by a newer gatehouse-edge, this one knows {len(MIGRATIONS)}; "
            "install the newer one again"
        )
    if version == len(MIGRATIONS):
        return
    with transaction(connection):
        for statement in (statement for step in MIGRATIONS[version:] for statement in step):
            connection.execute(statement)
        if version == 0:
            connection.execute("INSERT INTO store VALUES (?)", (secrets.token_hex(16),))
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit what is done inside, or none of it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # some errors have rolled back by themselves
            connection.execute("ROLLBACK")
        raise


def is_damage(error: sqlite3.DatabaseError) -> bool:
    """Return whether the error says that the file's content is not what SQLite wrote."""
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _DAMAGED


def put_aside(path: Path) -> Path:
    """Rename the file and its write-ahead log out of the way, and return the new name.

    Raises:
        BufferUnusable: the folder can't be written.
    """
    aside = path.with_name(f"{path.name}.corrupt-{secrets.token_hex(4)}")
    try:
        for suffix in ("", "-wal"):
            source = path.with_name(path.name + suffix)
            if source.exists():
                source.rename(aside.with_name(aside.name + suffix))
    except OSError as error:
        raise BufferUnusable(f"{path} is damaged and can't be put aside: {error}") from error
    return aside

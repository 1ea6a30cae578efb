"""A PostgreSQL of the tests' own: started in a temporary folder, reached over its Unix socket, ended with the tests."""

import itertools
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg import sql

_OPTIONS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")


@dataclass
class PostgreSQL:
    """A running cluster; each test asks for a database of its own."""

    folder: Path
    _names: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def create_database(self, *, template: str = "template0") -> str:
        """Return the SQLAlchemy URL of a new database."""
        name = f"gatehouse_{next(self._names)}"
        self._execute("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, template)
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    def drop_database(self, url: str) -> None:
        """Remove the database behind a URL of create_database, whoever is still connected."""
        self._execute("DROP DATABASE {} WITH (FORCE)", self.name_of(url))

    @staticmethod
    def name_of(url: str) -> str:
        """Return the name of the database behind a URL of create_database."""
        return url.split("@/")[1].split("?", maxsplit=1)[0]

    def _execute(self, statement: LiteralString, *names: str) -> None:
        # A connection costs a tenth of the programs createdb and dropdb, a thousand times a run.
        with psycopg.connect(host=str(self.folder), user="postgres", dbname="postgres", autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def find_binaries() -> Path:
    """Return the folder that holds initdb and postgres.

    Raises:
        FileNotFoundError: PostgreSQL is not installed; says how to mend it.
    """
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if debian or on_path:
        return (debian[-1] if debian else Path(str(on_path)).resolve()).parent
    raise FileNotFoundError("no PostgreSQL server found: run `make setup-system`, or install postgresql")


@contextmanager
def running_postgresql(folder: Path) -> Iterator[PostgreSQL]:
    """Yield a cluster in `folder`, whose path must be short enough for a Unix socket."""
    binaries = find_binaries()
    user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None  # postgres refuses to run as root
    as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    if user:
        os.chown(folder, user.pw_uid, user.pw_gid)
    data = folder / "data"
    initdb = [binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N", "--locale=C.UTF-8"]
    subprocess.run(initdb, check=True, capture_output=True, cwd=folder, **as_user)  # type: ignore[call-overload]  # as_user is one of two literal shapes
    settings = [part for option in _OPTIONS for part in ("-c", option)]
    command = [binaries / "postgres", "-D", data, "-k", folder, "-h", "", *settings]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, **as_user)  # type: ignore[call-overload]  # as above
        try:
            ready = [binaries / "pg_isready", "-h", folder, "-q"]
            while subprocess.run(ready, check=False).returncode:
                if server.poll() is not None:
                    raise RuntimeError((folder / "log").read_text())
            yield PostgreSQL(folder)
        finally:
            server.send_signal(signal.SIGINT)  # whoever is still connected is not waited for
            server.wait(120)

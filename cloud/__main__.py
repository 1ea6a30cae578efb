"""gatehouse-cloud: run the cloud, migrate its database, found an organisation."""

import asyncio
import sys
from contextlib import suppress
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated

import typer

from cloud.accounts.organisations import DEFAULT_TIME_ZONE, Founded, found_organisation
from cloud.app.logs import configure_logs
from cloud.app.reference import settings_table
from cloud.app.server import Server
from cloud.core.clock import SystemClock
from cloud.core.database import Database
from cloud.core.errors import GatehouseError
from cloud.migrations.upgrading import migrate as migrate_database
from cloud.settings import FILE_VARIABLE, LogLevel, Settings, SettingsRefused, load

_FAILED_STATUS = 1
_SETTINGS_STATUS = 78
"""EX_CONFIG of sysexits.h: starting again won't help, so systemd is told not to (RestartPreventExitStatus)."""

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="The cloud of Gatehouse."
)

SettingsFile = Annotated[
    Path | None,
    typer.Option("--settings", envvar=FILE_VARIABLE, help="The cloud's settings, TOML; see docs/cloud.md."),
]


@app.command()
def run(settings: SettingsFile = None) -> None:
    """Migrate the database, then serve people and boxes until told to stop."""
    loaded = _load(settings)
    _migrate(loaded)
    server = Server(loaded)
    with suppress(KeyboardInterrupt):  # which comes again once all is closed
        server.run()
    if server.has_failed:
        raise typer.Exit(_FAILED_STATUS)


@app.command()
def migrate(settings: SettingsFile = None) -> None:
    """Bring the database to this program's version."""
    _migrate(_load(settings))


@app.command("create-organisation")
def create_organisation(
    name: Annotated[str, typer.Argument(help="What the organisation is called.")],
    admin: Annotated[str, typer.Option(help="The login of its first administrator.")],
    admin_name: Annotated[str | None, typer.Option(help="Their name; without it their login.")] = None,
    time_zone: Annotated[str, typer.Option(help="IANA name of its local time.")] = DEFAULT_TIME_ZONE,
    settings: SettingsFile = None,
) -> None:
    """Found an organisation; its administrator's password is asked for, or read from a pipe."""
    loaded = _load(settings, log_level="warning")
    password = _password()
    _migrate(loaded)

    async def found() -> Founded:
        database = Database(loaded.database)
        try:
            async with database.transaction() as session:
                return await found_organisation(
                    session,
                    SystemClock(),
                    name=name,
                    login=admin,
                    password=password,
                    administrator=admin_name,
                    time_zone=time_zone,
                )
        finally:
            await database.close()

    try:
        founded = asyncio.run(found())
    except GatehouseError as error:
        typer.echo(f"{error.field or 'refused'}: {error}", err=True)
        raise typer.Exit(_FAILED_STATUS) from None
    typer.echo(f"{name} is organisation {founded.organisation_id}; {admin} signs in at {loaded.address}/sign-in")


@app.command()
def settings() -> None:
    """Show every setting with its default, its bounds and its meaning."""
    typer.echo(settings_table(), nl=False)


@app.command()
def version() -> None:
    """Show which program this is."""
    typer.echo(f"gatehouse-cloud {installed_version('gatehouse')}")


def main() -> None:
    """Do what the command line asks for."""
    app()


def _load(file: Path | None, *, log_level: LogLevel | None = None) -> Settings:
    try:
        loaded = load(file)
        loaded.data_folder.mkdir(parents=True, exist_ok=True)
    except (SettingsRefused, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(_SETTINGS_STATUS) from None
    configure_logs(log_level or loaded.log_level)
    return loaded


def _migrate(settings: Settings) -> None:
    asyncio.run(migrate_database(settings.database))


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return password


if __name__ == "__main__":
    main()

"""gatehouse-edge: run the box, check it, probe a device, claim it."""

import asyncio
from collections.abc import Coroutine
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from edge.app.cloud import SOFTWARE
from edge.app.logs import configure_logs
from edge.app.settings_file import DEFAULT_FILE, FILE_VARIABLE, load
from edge.errors import EdgeError, SettingsRefused
from edge.settings.sections import LogLevel, Settings

_FAILED_STATUS = 1
_SETTINGS_STATUS = 78
"""EX_CONFIG of sysexits.h: starting again won't help, so systemd is told not to (RestartPreventExitStatus)."""

_T = TypeVar("_T")

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="The box in the building."
)

SettingsFile = Annotated[Path, typer.Option("--settings", envvar=FILE_VARIABLE, help="The box's settings, TOML.")]
Level = Annotated[LogLevel | None, typer.Option("--log-level", help="In place of the settings' log.level.")]


@app.command()
def run(settings: SettingsFile = DEFAULT_FILE, log_level: Level = None) -> None:
    """Read the devices, keep what they say and send it, until told to stop."""
    _do(_command("run").run_until_stopped(_load(settings, log_level)))


@app.command()
def check(settings: SettingsFile = DEFAULT_FILE, log_level: Level = "error") -> None:
    """Say of all that the box needs whether it is there, and what to do where it is not."""
    if _do(_say_findings(_load(settings, log_level))):
        raise typer.Exit(_FAILED_STATUS)


@app.command()
def probe(
    device: Annotated[str, typer.Argument(help="Key of a device of the settings.")],
    save: Annotated[
        Path | None, typer.Option(help="Where to write what it said, as the example of its profile, names masked.")
    ] = None,
    wait_s: Annotated[float, typer.Option(help="Seconds to listen to a device that speaks by itself.")] = 60.0,
    settings: SettingsFile = DEFAULT_FILE,
    log_level: Level = "error",
) -> None:
    """Read one device once by its profile and show its values."""
    command = _command("probe")
    said = _do(command.probe_device(_load(settings, log_level), device, wait_s=wait_s))
    command.show(said)
    if save:
        save.write_bytes(said.capture)


@app.command()
def claim(
    code: Annotated[str, typer.Argument(help="The one-time code that the cloud gave out.")],
    settings: SettingsFile = DEFAULT_FILE,
    log_level: Level = "error",
) -> None:
    """Join the organisation that gave out the code."""
    claimed = _do(_command("claim").claim_box(_load(settings, log_level), code))
    typer.echo(f"this box is {claimed.name} ({claimed.box_id})")


@app.command()
def version() -> None:
    """Show which program this is."""
    typer.echo(SOFTWARE)


def main() -> None:
    """Run the command line."""
    app()


def _command(name: str) -> Any:
    """Load what one command needs: a running box has no use for the libraries of the others."""
    return import_module(f"edge.app.{name}")


def _load(file: Path, level: LogLevel | None) -> Settings:
    try:
        settings = load(file)
    except SettingsRefused as error:
        typer.echo(error, err=True)
        raise typer.Exit(_SETTINGS_STATUS) from error
    configure_logs(level or settings.log.level)
    return settings


def _do(work: Coroutine[Any, Any, _T]) -> _T:
    try:
        return asyncio.run(work)
    except EdgeError as error:
        typer.echo(error, err=True)
        raise typer.Exit(_SETTINGS_STATUS if isinstance(error, SettingsRefused) else _FAILED_STATUS) from error


async def _say_findings(settings: Settings) -> int:
    """Print each finding as it comes, and return how many want mending."""
    failed = 0
    async for finding in _command("check").check_all(settings):
        failed += finding.mend is not None
        mark = typer.style("ok  ", fg="green") if finding.mend is None else typer.style("fail", fg="red")
        typer.echo(f"{mark} {finding.subject}: {finding.seen}" + (f"; {finding.mend}" if finding.mend else ""))
    return failed


if __name__ == "__main__":
    main()

"""gatehouse-site: the demo, and the practice building by itself."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from edge.settings.sections import DeviceSettings
from provisioning.demo.memory import folder_for_one
from provisioning.demo.people import ADMINISTRATOR, EMPLOYEES, PASSWORD
from provisioning.demo.stage import perform
from provisioning.errors import SiteError
from provisioning.practice.alone import run_building
from provisioning.practice.building import PracticeBuilding
from provisioning.stopping import until_stopped

_FAILED_STATUS = 1

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="What happens before and around a box: the demo and the practice building.",
)
console = Console(highlight=False, soft_wrap=True, markup=False)  # a unit like [degF] is no markup

Folder = Annotated[Path, typer.Option(help="Where everything is kept; it is made if it is not there.")]


@app.command()
def demo(
    folder: Folder = Path("var/demo"),
    port: Annotated[int, typer.Option(min=1, max=65_535, help="TCP port of the pages, on this machine only.")] = 8000,
) -> None:
    """Run a cloud, a practice estate, a practice building and a box; Ctrl-C stops them all.

    Started again in the same folder, it goes on where it was.
    """
    try:
        with folder_for_one(folder) as own:
            asyncio.run(until_stopped(perform(own, port=port, say=console.print, announce=_announce)))
    except SiteError as error:
        _fail(error)
    console.print("stopped; the same command goes on from here")


@app.command()
def building(
    folder: Folder = Path("var/building"),
    speed: Annotated[float, typer.Option(min=1, help="Recorded seconds that pass in one second.")] = 3600,
) -> None:
    """Run the practice building alone, for a box of one's own; Ctrl-C stops it."""
    try:
        with folder_for_one(folder) as own:
            asyncio.run(until_stopped(run_building(own, speed=speed, opened=_show)))
    except SiteError as error:
        _fail(error)


def main() -> None:
    """Do what the command line asks for."""
    app()


def _announce(url: str) -> None:
    table = Table(title=f"ready: {url}/", title_justify="left", title_style="bold")
    for column in ("sign in as", "password", "who", "sees"):
        table.add_column(column)
    for employee in (*EMPLOYEES, ADMINISTRATOR):
        table.add_row(employee.login, PASSWORD, f"{employee.name} ({employee.role})", employee.sees)
    console.print(table)
    console.print("Ctrl-C stops everything")


def _show(opened: PracticeBuilding) -> None:
    if opened.without:
        console.print(opened.without)
    table = Table(title="the practice building answers", title_justify="left", title_style="bold")
    for column in ("device", "profile", "address", "unit or name"):
        table.add_column(column)
    for device in opened.devices:
        table.add_row(device.key, device.profile, *_address(device, opened))
    console.print(table)
    console.print("the recordings begin when a box listens; Ctrl-C stops everything")


def _address(device: DeviceSettings, opened: PracticeBuilding) -> tuple[str, str]:
    if device.modbus:
        return f"modbus {device.modbus.host}:{device.modbus.port}", f"{device.modbus.unit}"
    brokers = ", ".join(f"mqtt {broker.host}:{broker.port}" for broker in opened.brokers)
    return brokers, device.mqtt.device if device.mqtt else ""


def _fail(error: SiteError) -> None:
    console.print(f"{error}", style="red")
    raise typer.Exit(_FAILED_STATUS) from error


if __name__ == "__main__":
    main()

"""The practice building's MQTT broker: a Mosquitto of its own, with its files in one folder, on loopback only."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from provisioning.errors import BrokerMissing, SiteError
from provisioning.practice.ports import LOOPBACK, free_port
from provisioning.waiting import until

_READY_WITHIN_S = 10.0
_STOPPED_WITHIN_S = 10.0

# A box acknowledges a message once it is committed, up to a second later: limits on messages in flight or in the
# queue would turn that second into a crawl, or into a loss while the box is away.
_CONFIGURATION = """\
listener {port} {host}
allow_anonymous true
persistence true
persistence_location {folder}/
max_inflight_messages 0
max_queued_messages 0
log_dest file {log}
log_type error
log_type warning
log_type notice
log_type subscribe
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """A running broker."""

    port: int
    log: Path

    async def subscribed(self, topic: str, *, within_s: float | None = 60.0) -> None:
        """Return once a client has subscribed to exactly `topic`: what is published before then goes nowhere.

        Raises:
            SiteError: nobody did within the time.
        """

        async def seen() -> bool:
            # Mosquitto logs a subscription as `<seconds>: <client> <qos> <topic>`.
            lines = await asyncio.to_thread(self.log.read_text)
            return any(line.endswith(f" {topic}") for line in lines.splitlines())

        await until(seen, f"a subscription to {topic}", within_s=within_s)


def find_mosquitto() -> Path:
    """Return the program.

    Raises:
        BrokerMissing: it is not installed; says how to mend it.
    """
    # Debian puts it where only root's PATH looks.
    found = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise BrokerMissing(
            "Mosquitto is not installed, so the building goes on with its Modbus devices alone; "
            "for the MQTT devices run: sudo apt-get install mosquitto"
        )
    return Path(found)


@asynccontextmanager
async def running_broker(folder: Path, *, port: int | None = None) -> AsyncIterator[Broker]:
    """Yield a broker that keeps its queues in `folder`, on `port` or a free one; it ends with the block.

    Raises:
        BrokerMissing: Mosquitto is not installed.
        SiteError: it did not come up; shows what it said.
    """
    program = find_mosquitto()
    broker = Broker(port=port or free_port(), log=folder / "mosquitto.log")
    configuration = await asyncio.to_thread(_prepare, folder, broker)
    # A session of its own keeps the terminal's Ctrl-C away from it: the box that speaks to it ends first.
    process = await asyncio.create_subprocess_exec(
        program, "-c", configuration, start_new_session=True, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await _ready(process, broker)
        yield broker
    finally:
        await _stop(process)


def _prepare(folder: Path, broker: Broker) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    broker.log.write_text("")
    configuration = folder / "mosquitto.conf"
    text = _CONFIGURATION.format(port=broker.port, host=LOOPBACK, folder=folder, log=broker.log)
    # Started by root it would become the user mosquitto, who may not write into the folder.
    configuration.write_text(text + ("user root\n" if os.geteuid() == 0 else ""))
    return configuration


async def _ready(process: asyncio.subprocess.Process, broker: Broker) -> None:
    async def up_or_gone() -> bool:
        return process.returncode is not None or await _listens(broker.port)

    await until(up_or_gone, f"Mosquitto on port {broker.port}", within_s=_READY_WITHIN_S)
    if process.returncode is not None:
        said = await asyncio.to_thread(broker.log.read_text)
        raise SiteError(
            f"Mosquitto did not start on port {broker.port}: {said.strip() or f'it ended with {process.returncode}'}"
        )


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    writer.close()
    return True


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(_STOPPED_WITHIN_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()

"""The demo as people run it, and its faults."""

import asyncio
import os
import signal
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from provisioning.demo.stage import perform
from provisioning.errors import BrokerMissing, SiteError
from provisioning.practice import broker
from provisioning.practice.ports import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_500)]

_READY_WITHIN_S = 400.0
_ALARM_WITHIN_S = 200.0
_STOPPED_WITHIN_S = 120.0


class _Demo:
    """A running `gatehouse-site demo`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def says(self, words: str, *, within_s: float) -> str:
        """Return the line that holds the words."""
        assert self.process.stdout is not None
        async with asyncio.timeout(within_s):
            async for line in self.process.stdout:
                if words in line.decode():
                    return line.decode()
        raise AssertionError(f"the demo ended without saying {words!r}")

    async def interrupted(self) -> int:
        """Press Ctrl-C and return the exit status."""
        self.process.send_signal(signal.SIGINT)
        async with asyncio.timeout(_STOPPED_WITHIN_S):
            return await self.process.wait()


@asynccontextmanager
async def _demo(folder: Path, port: int) -> AsyncIterator[_Demo]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "provisioning", "demo", "--folder", folder, "--port", f"{port}"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "COLUMNS": "200"},
    )
    try:
        yield _Demo(process)
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


def _left_over(folder: Path) -> list[str]:
    """Return the command lines of programs that still work in the folder."""
    commands = [_command(process) for process in Path("/proc").glob("[0-9]*")]
    return [command for command in commands if str(folder) in command]


def _command(process: Path) -> str:
    """Return a process's command line; empty once it has ended."""
    try:
        return (process / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
    except OSError:
        return ""


_FOUNDED = {
    "organisations": "SELECT count(*) FROM organisations",
    "people": "SELECT count(*) FROM people",
    "communities": "SELECT count(*) FROM communities",
    "boxes": "SELECT count(*) FROM boxes",
    "alarm rules": "SELECT count(*) FROM alarm_rules",
    "alarms of the office": "SELECT count(*) FROM alarms WHERE rule_id = 1",
    "tickets of people": "SELECT count(*) FROM tickets WHERE origin NOT IN ('alarm', 'plan')",
    "tickets of the office": "SELECT count(*) FROM tickets WHERE origin = 'alarm' AND subject_zh = '办公室温度异常'",
}
"""What does not depend on how long the demo runs: the pump room's alarm and inspection come in their time."""


def _counts(folder: Path) -> dict[str, int]:
    database = sqlite3.connect(folder / "cloud/gatehouse.db")
    try:
        return {noun: database.execute(query).fetchone()[0] for noun, query in _FOUNDED.items()}
    finally:
        database.close()


async def test_the_demo_raises_the_cold_office_and_goes_on_where_it_was(tmp_path: Path) -> None:
    port = free_port()
    async with _demo(tmp_path, port) as first:
        await first.says(f"ready: http://127.0.0.1:{port}/", within_s=_READY_WITHIN_S)
        await first.says("SMS go to http://127.0.0.1:", within_s=_ALARM_WITHIN_S)
        alarm = await first.says("alarm raised: 办公室温度异常", within_s=_ALARM_WITHIN_S)
        assert "2 层物业办公室" in alarm
        assert "ticket" in alarm
        assert await first.interrupted() == 0
    assert _left_over(tmp_path) == []
    before = _counts(tmp_path)
    assert before == {
        "organisations": 1,
        "people": 11,  # who works there, and who lives there
        "communities": 1,
        "boxes": 1,
        "alarm rules": 5,
        "alarms of the office": 4,  # the recording's first three are history, which nobody was told of
        "tickets of people": 4,
        "tickets of the office": 1,
    }

    async with _demo(tmp_path, port) as second:
        await second.says("ready:", within_s=_READY_WITHIN_S)
        await second.says("alarm raised: 办公室温度异常", within_s=_ALARM_WITHIN_S)
        assert await second.interrupted() == 0
    assert _left_over(tmp_path) == []
    assert _counts(tmp_path) == before


async def test_without_mosquitto_the_demo_goes_on_with_modbus_and_raises_the_same_alarm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> Path:
        raise BrokerMissing("Mosquitto is not installed")

    monkeypatch.setattr(broker, "find_mosquitto", missing)
    told: asyncio.Queue[str] = asyncio.Queue()

    async def until_told(words: str) -> list[str]:
        heard = [await told.get()]
        while words not in heard[-1]:
            heard.append(await told.get())
        return heard

    performing = asyncio.create_task(
        perform(tmp_path, port=free_port(), say=told.put_nowait, announce=lambda url: told.put_nowait(f"ready: {url}"))
    )
    try:
        async with asyncio.timeout(_READY_WITHIN_S):
            assert "Mosquitto is not installed" in await until_told("ready")
        async with asyncio.timeout(_ALARM_WITHIN_S):
            await until_told("alarm raised: 办公室温度异常")
    finally:
        performing.cancel()
        await asyncio.wait([performing])
    assert _left_over(tmp_path) == []


async def test_a_port_in_use_is_an_error_that_names_the_option(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(SiteError, match=f"port {port} is in use.*--port"):
            await perform(tmp_path, port=port, say=print, announce=print)
    assert _left_over(tmp_path) == []


async def test_the_command_says_its_errors_in_a_sentence_and_fails(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    async with _demo(tmp_path / "file/demo", free_port()) as demo:
        await demo.says("can't be written", within_s=120)
        assert await demo.process.wait() == 1

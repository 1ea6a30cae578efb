"""The cloud as people start it: a process of its own on a free port of loopback, stopped with the test."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue

_START_S = 120.0
_STOP_S = 60.0
_RUNNING = "Uvicorn running on "


@dataclass
class RunningCloud:
    """A started `gatehouse-cloud run`."""

    address: str
    process: subprocess.Popen[str]
    log: list[str] = field(default_factory=list)

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.kill()
        self.process.wait(_STOP_S)

    def stop(self) -> int:
        """Ask it to end, and return its exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(_STOP_S)


def call_cloud(*arguments: str, environment: Mapping[str, str], stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command of the cloud to its end."""
    command = [sys.executable, "-m", "cloud", *arguments]
    return subprocess.run(
        command,
        input=stdin,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@contextmanager
def running_cloud(*, environment: Mapping[str, str]) -> Iterator[RunningCloud]:
    """Yield a cloud with these GATEHOUSE_CLOUD_ variables, once it answers.

    Raises:
        RuntimeError: it did not start; shows its log.
    """
    variables = {**os.environ, "GATEHOUSE_CLOUD_PORT": "0", **environment}
    process = subprocess.Popen(
        [sys.executable, "-m", "cloud", "run"], env=variables, stderr=subprocess.PIPE, text=True, cwd=Path("/")
    )
    lines: Queue[str | None] = Queue()
    cloud = RunningCloud(address="", process=process)
    reader = threading.Thread(target=_read, args=(process, lines, cloud.log), name="cloud-log")
    reader.start()
    try:
        cloud.address = _address(lines, cloud)
        yield cloud
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        reader.join(_STOP_S)


def _read(process: subprocess.Popen[str], lines: "Queue[str | None]", log: list[str]) -> None:
    assert process.stderr is not None
    with process.stderr:
        for line in process.stderr:
            log.append(line)
            lines.put(line)
    lines.put(None)


def _address(lines: "Queue[str | None]", cloud: RunningCloud) -> str:
    while True:
        try:
            line = lines.get(timeout=_START_S)
        except Empty:
            line = None
        if line is None:
            raise RuntimeError("".join(cloud.log))
        if _RUNNING in line:
            event: str = json.loads(line)["event"]
            return event.removeprefix(_RUNNING).split(" ")[0]

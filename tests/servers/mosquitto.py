"""A Mosquitto of the tests' own, on loopback, whose sessions survive its stop and start."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from provisioning.practice.ports import free_port

_READY_S = 60.0


@dataclass
class Mosquitto:
    """A broker that a test may stop and start again on the same port and the same sessions."""

    folder: Path
    port: int
    options: str
    """Further lines of its configuration."""
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        configuration = self.folder / "mosquitto.conf"
        user = "user root\n" if os.geteuid() == 0 else ""  # else it becomes a user who can't write to the folder
        configuration.write_text(
            f"listener {self.port} 127.0.0.1\npersistence true\npersistence_location {self.folder}/\n"
            f"max_queued_messages 0\n{user}{self.options or 'allow_anonymous true'}\n"
        )
        with (self.folder / "mosquitto.log").open("ab") as log:
            command = [_program(), "-c", str(configuration)]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        self._wait_until_ready()

    def stop(self) -> None:
        """Stop it as a system does that goes down."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_READY_S)
            self._process = None

    def _wait_until_ready(self) -> None:
        deadline_s = time.monotonic() + _READY_S
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if time.monotonic() > deadline_s or (self._process and self._process.poll() is not None):
                raise RuntimeError((self.folder / "mosquitto.log").read_text())
            time.sleep(0.02)


@contextmanager
def running_mosquitto(folder: Path, *, options: str = "") -> Iterator[Mosquitto]:
    """Yield a running broker that keeps its sessions in `folder`."""
    broker = Mosquitto(folder, free_port(), options)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


def _program() -> str:
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        raise FileNotFoundError("no Mosquitto found: run `make setup-system`, or install mosquitto")
    return program

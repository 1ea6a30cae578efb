"""The demo's box: `gatehouse-edge` with the practice building's devices, in the demo's folder."""

from dataclasses import dataclass
from pathlib import Path

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from edge.app.devices import bind_all
from edge.app.identity import inventory
from edge.app.settings_file import load
from edge.sync.identity import Identity
from protocols.wire import WIRE_VERSION, Inventory
from provisioning.demo.programs import Program
from provisioning.demo.toml import to_toml
from provisioning.practice.building import PracticeBuilding
from provisioning.practice.ports import LOOPBACK, free_port

_ANSWER_WITHIN = aiohttp.ClientTimeout(total=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeBox:
    """Where the demo's box keeps its things."""

    folder: Path
    metrics_port: int

    @classmethod
    def installed(cls, folder: Path, building: PracticeBuilding, *, cloud_url: str) -> "PracticeBox":
        """Return a box in `folder` that is told of the building's devices and of its cloud."""
        folder.mkdir(exist_ok=True)
        box = cls(folder=folder, metrics_port=free_port())
        settings = {
            "cloud": {"url": cloud_url},
            "buffer": {"folder": str(folder)},
            "metrics": {"port": box.metrics_port},
            "brokers": [broker.model_dump(exclude_defaults=True) for broker in building.brokers],
            "devices": [device.model_dump(exclude_defaults=True) for device in building.devices],
        }
        box._settings.write_text(to_toml(settings), encoding="utf-8")
        return box

    @property
    def is_claimed(self) -> bool:
        """Whether it belongs to somebody."""
        return self.identity().box_id is not None

    def identity(self) -> Identity:
        """Return who it is; its key is made if it has none."""
        return Identity.load(self.folder)

    def inventory(self) -> Inventory:
        """Return what it will say that hangs on it."""
        devices = inventory(self.identity(), bind_all(load(self._settings)))
        return Inventory(v=WIRE_VERSION, devices=devices)

    def running(self) -> Program:
        """Return what runs it."""
        return self._program("run")

    def claiming(self, code: str) -> Program:
        """Return what claims it with a one-time code."""
        return self._program("claim", code)

    async def values_taken(self, device: str) -> int:
        """Return how many values of a device it has committed since its start; 0 while it does not answer."""
        try:
            async with (
                aiohttp.ClientSession(timeout=_ANSWER_WITHIN) as session,
                session.get(f"http://{LOOPBACK}:{self.metrics_port}/metrics") as answer,
            ):
                page = await answer.text()
        except (aiohttp.ClientError, TimeoutError):
            return 0
        samples = [sample for family in text_string_to_metric_families(page) for sample in family.samples]
        taken = [
            sample.value
            for sample in samples
            if sample.name == "gatehouse_edge_values_taken_total" and sample.labels == {"device": device}
        ]
        return int(sum(taken))

    @property
    def _settings(self) -> Path:
        return self.folder / "edge.toml"

    def _program(self, *arguments: str) -> Program:
        command = (*arguments, "--settings", str(self._settings))
        return Program(module="edge", arguments=command, log=self.folder / "box.log")

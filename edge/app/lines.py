"""The Modbus lines of the box's devices, each shared by all who hang on it."""

from edge.app.devices import BoundDevice
from edge.drivers.modbus.device import ModbusDevice, ReadPlans
from edge.drivers.modbus.line import Line
from edge.settings.sections import ModbusSettings


class Lines:
    """One Modbus connection for each address, whoever asks for it; one set of reads for each model."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, int], Line] = {}
        self._plans: dict[str, ReadPlans] = {}

    def line(self, settings: ModbusSettings) -> Line:
        """Return the line that a device hangs on."""
        return self._lines.setdefault((settings.host, settings.port), Line(settings.host, settings.port))

    def device(self, device: BoundDevice, settings: ModbusSettings) -> ModbusDevice:
        """Return what reads the device."""
        plans = self._plans.setdefault(device.profile.key, ReadPlans(device.profile))
        return ModbusDevice(self.line(settings), settings, plans)

    def close(self) -> None:
        """Let go of all connections."""
        for line in self._lines.values():
            line.close()

"""What the practice building's devices measure: electricity, water and air that fit together, at any instant."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from provisioning.practice.waves import Wave

Values = Mapping[str, float]
"""By point of the device's profile, in the point's unit."""

_KWH_WS = 3_600_000.0
_DEMAND_OVER = timedelta(minutes=15)
_MAINS_V = 230.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A phase whose power moves and whose power factor stays, so that all its energies have closed forms."""

    power_w: Wave
    voltage_v: Wave
    power_factor: float

    @classmethod
    def of(cls, name: str, *, mean_w: float, power_factor: float, seed: int) -> "Phase":
        """Return a phase whose load swings around `mean_w` and never turns."""
        return cls(
            power_w=Wave(f"{name}/power", mean=mean_w, daily=0.35 * mean_w, restless=0.4 * mean_w, seed=seed),
            voltage_v=Wave(f"{name}/voltage", mean=_MAINS_V, daily=-1.5, restless=3.0, seed=seed),
            power_factor=power_factor,
        )

    @property
    def reactive_share(self) -> float:
        """Reactive power for each watt."""
        return math.tan(math.acos(self.power_factor))

    def at(self, instant: datetime) -> Values:
        """Return what a meter shows of this phase alone."""
        power_w, voltage_v = self.power_w.at(instant), self.voltage_v.at(instant)
        apparent_va = power_w / self.power_factor
        return {
            "voltage": voltage_v,
            "current": apparent_va / voltage_v,
            "active_power": power_w,
            "apparent_power": apparent_va,
            "reactive_power": power_w * self.reactive_share,
            "power_factor": self.power_factor,
        }

    def energy_kwh(self, instant: datetime) -> float:
        """Return what it took since the meter was put in."""
        return self.power_w.total(instant) / _KWH_WS


class SinglePhaseMeter:
    """An Eastron SDM120 on one load."""

    def __init__(self, name: str, *, mean_w: float, seed: int = 1) -> None:
        self._phase = Phase.of(name, mean_w=mean_w, power_factor=0.96, seed=seed)
        self._frequency_hz = _mains_frequency(seed)

    def at(self, instant: datetime) -> Values:
        """Return the values of all the meter's points."""
        energies = _energies(self._phase.energy_kwh(instant), self._phase.reactive_share)
        return {**self._phase.at(instant), "frequency": self._frequency_hz.at(instant), **energies}


class ThreePhaseMeter:
    """An Eastron SDM630 on a building's riser."""

    def __init__(self, name: str, *, mean_w: float, seed: int = 1) -> None:
        shares = {"l1": (0.40, 0.95), "l2": (0.33, 0.93), "l3": (0.27, 0.97)}
        self._phases = {
            phase: Phase.of(f"{name}/{phase}", mean_w=share * mean_w, power_factor=power_factor, seed=seed)
            for phase, (share, power_factor) in shares.items()
        }
        self._peak_w = 1.75 * mean_w  # mean, daily swing and restlessness of Phase.of together
        self._frequency_hz = _mains_frequency(seed)

    def at(self, instant: datetime) -> Values:
        """Return the values of all the meter's points."""
        shown = {phase: line.at(instant) for phase, line in self._phases.items()}
        by_phase = {f"{point}_{phase}": value for phase, values in shown.items() for point, value in values.items()}
        active_w = sum(values["active_power"] for values in shown.values())
        reactive_var = sum(values["reactive_power"] for values in shown.values())
        apparent_va = sum(values["apparent_power"] for values in shown.values())
        current_a = sum(values["current"] for values in shown.values())
        energy_kwh = sum(line.energy_kwh(instant) for line in self._phases.values())
        reactive_kvarh = sum(line.energy_kwh(instant) * line.reactive_share for line in self._phases.values())
        return {
            **by_phase,
            "voltage_average": sum(values["voltage"] for values in shown.values()) / len(shown),
            "current_average": current_a / len(shown),
            "current_sum": current_a,
            "active_power": active_w,
            "apparent_power": apparent_va,
            "reactive_power": reactive_var,
            "power_factor": active_w / apparent_va,
            "frequency": self._frequency_hz.at(instant),
            **_energies(energy_kwh, reactive_kvarh / energy_kwh),
            "power_demand": self._demand_w(instant),
            "power_demand_maximum": self._peak_w,
        }

    def _demand_w(self, instant: datetime) -> float:
        before = instant - _DEMAND_OVER
        taken_ws = sum(line.power_w.total(instant) - line.power_w.total(before) for line in self._phases.values())
        return taken_ws / _DEMAND_OVER.total_seconds()


class WaterMeters:
    """Two water meters' pulses on the inputs 0 and 1 of an ADAM-6051; nothing on the others."""

    def __init__(self, *, mean_m3_per_h: tuple[float, float], seed: int = 1) -> None:
        self._flows_m3_per_s = [
            Wave(f"water/{place}", mean=mean / 3_600, daily=0.5 * mean / 3_600, restless=0.4 * mean / 3_600, seed=seed)
            for place, mean in enumerate(mean_m3_per_h)
        ]

    def at(self, instant: datetime) -> Values:
        """Return the values of all the module's points."""
        volumes = [flow.total(instant) for flow in self._flows_m3_per_s]
        return {f"volume_{place}": volume for place, volume in enumerate([*volumes, 0.0, 0.0])}


class Air:
    """The air of a room."""

    def __init__(self, name: str, *, mean_cel: float, seed: int = 1) -> None:
        self._temperature_cel = Wave(f"{name}/temperature", mean=mean_cel, daily=1.6, restless=0.5, seed=seed)
        self._humidity_percent = Wave(f"{name}/humidity", mean=52.0, daily=-6.0, restless=2.0, seed=seed)
        self._pressure_hpa = Wave("pressure", mean=1_013.0, daily=1.2, restless=1.0, seed=seed)

    def transmitter(self, instant: datetime) -> Values:
        """Return the values of all points of an XY-MD02."""
        return {"temperature": self._temperature_cel.at(instant), "humidity": self._humidity_percent.at(instant)}

    def sensor(self, instant: datetime) -> Values:
        """Return the values of all points of an Aqara WSDCGQ11LM, rounded as it rounds them."""
        return {
            "temperature": round(self._temperature_cel.at(instant), 2),
            "humidity": round(self._humidity_percent.at(instant), 2),
            "pressure": round(self._pressure_hpa.at(instant), 1),
            "battery": 86,
            "battery_voltage": 2_985,
            "link_quality": 97,
        }


def leak_sensor(*, wet: bool) -> Values:
    """Return the values of all points of an Aqara SJCGQ11LM."""
    return {"water_leak": float(wet), "battery_low": 0.0, "battery": 100, "battery_voltage": 3_015, "link_quality": 131}


def _mains_frequency(seed: int) -> Wave:
    return Wave("frequency", mean=50.0, daily=0.0, restless=0.05, seed=seed)


def _energies(energy_kwh: float, reactive_share: float) -> Values:
    return {
        "energy_import": energy_kwh,
        "energy_export": 0.0,
        "reactive_energy_import": energy_kwh * reactive_share,
        "reactive_energy_export": 0.0,
        "energy_total": energy_kwh,
        "reactive_energy_total": energy_kwh * reactive_share,
    }

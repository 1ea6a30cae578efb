"""The whole practice building: which device hangs on which bus, and how a box is told of it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from cloud.core.clock import Clock
from edge.settings.sections import BrokerSettings, DeviceSettings, ModbusSettings, MqttSettings
from firmware_configs.profiles.loader import load_profile
from provisioning.errors import BrokerMissing
from provisioning.practice.broker import Broker, running_broker
from provisioning.practice.modbus import Answer, PracticeDevice, serving
from provisioning.practice.ports import LOOPBACK
from provisioning.practice.quantities import Air, SinglePhaseMeter, ThreePhaseMeter, Values, WaterMeters, leak_sensor
from provisioning.practice.recorded import RecordedDevice, meter_values, probe_values
from provisioning.practice.recordings.electricity import MeterHour
from provisioning.practice.recordings.temperature import Temperature
from provisioning.practice.replay import Hold, ReplayClock
from provisioning.practice.sensors import publish_for_ever, publish_recording

METER = "practice-meter"
PROBE = "office-probe"
LEAK = "pump-room-leak"

_BROKER = "building"
_LOBBY, _PUMP_ROOM, _OFFICE = "lobby", "pump-room", "office"
"""Names under which sensors publish."""

_LEAK_AFTER, _LEAK_FOR = timedelta(minutes=3), timedelta(minutes=2)
"""A pipe drips once in every run, so that whoever watches sees an alarm rise and return."""

_CLIMATE_EVERY_S, _LEAK_EVERY_S = 30.0, 20.0


class PracticeBuilding:
    """Devices that are being served; enter with `PracticeBuilding.opened`."""

    def __init__(self, clock: Clock, *, seed: int) -> None:
        self.devices: list[DeviceSettings] = []
        """As a box's settings name them."""
        self.brokers: list[BrokerSettings] = []
        self.without: str | None = None
        """Why the building has no MQTT devices, as a sentence; None where it has."""
        self._broker: Broker | None = None
        self._clock = clock
        self._seed = seed
        self._meter = RecordedDevice(meter_values)
        self._probe = RecordedDevice(probe_values)

    @classmethod
    @asynccontextmanager
    async def opened(cls, folder: Path, clock: Clock, *, seed: int = 1) -> AsyncIterator[Self]:
        """Yield the building with all its devices on free loopback ports; they are gone when the block ends.

        Args:
            folder: where the broker keeps its files.
            clock: the world's; what moves by itself moves with it.
            seed: another one tells another story.
        """
        building = cls(clock, seed=seed)
        async with AsyncExitStack() as opened:
            await building._open(folder, opened)
            yield building

    async def listened_to(self, *, within_s: float | None = 60.0) -> None:
        """Return once a box listens to the office's probe, whose messages would otherwise go nowhere.

        Raises:
            SiteError: none did within the time, which None makes endless.
        """
        if self._broker:
            await self._broker.subscribed(f"practice/{_OFFICE}", within_s=within_s)

    async def play_meter(
        self,
        rows: Sequence[MeterHour],
        replay: ReplayClock,
        *,
        kept: int = 0,
        on_kept: Callable[[int], None] = lambda _kept: None,
    ) -> None:
        """Let the meter show the rows, an hour at every confirmed read."""
        await self._meter.play(rows, replay, kept=kept, on_kept=on_kept)

    async def play_probe(
        self,
        rows: Sequence[Temperature],
        replay: ReplayClock,
        *,
        kept: int = 0,
        hold: Hold | None = None,
        on_kept: Callable[[int], None] = lambda _kept: None,
    ) -> None:
        """Let the office's probe tell the rows, over MQTT or, in a building without a broker, over Modbus."""
        if self._broker is None:
            await self._probe.play(rows, replay, kept=kept, hold=hold, on_kept=on_kept)
            return
        profile = load_profile("practice-office-probe")
        await publish_recording(
            self._broker.port, profile, _OFFICE, rows=rows, replay=replay, kept=kept, hold=hold, on_kept=on_kept
        )

    async def live(self) -> None:
        """Let the sensors behind Zigbee2MQTT speak for ever; returns at once where there is no broker."""
        if self._broker is None:
            return
        lobby = Air(_LOBBY, mean_cel=20.5, seed=self._seed)
        drips_at = self._clock.now() + _LEAK_AFTER

        def floor(now: datetime) -> Values:
            return leak_sensor(wet=drips_at <= now < drips_at + _LEAK_FOR)

        async with asyncio.TaskGroup() as tasks:
            for profile, device, values, period_s in (
                ("aqara-wsdcgq11lm", _LOBBY, lobby.sensor, _CLIMATE_EVERY_S),
                ("aqara-sjcgq11lm", _PUMP_ROOM, floor, _LEAK_EVERY_S),
            ):
                speaking = publish_for_ever(
                    self._broker.port,
                    load_profile(profile),
                    device,
                    values=values,
                    period_s=period_s,
                    clock=self._clock,
                )
                tasks.create_task(speaking, name=f"sensor-{device}")

    async def _open(self, folder: Path, opened: AsyncExitStack) -> None:
        try:
            self._broker = await opened.enter_async_context(running_broker(folder))
        except BrokerMissing as missing:
            self.without = str(missing)
        await self._open_risers(opened)
        await self._open_recorded(opened)
        if self._broker:
            self.brokers.append(BrokerSettings(key=_BROKER, host=LOOPBACK, port=self._broker.port))
            self._hear(PROBE, "办公室温度探头", profile="practice-office-probe", device=_OFFICE)
            self._hear("lobby-climate", "大堂温湿度", profile="aqara-wsdcgq11lm", device=_LOBBY)
            self._hear(LEAK, "水泵房水浸", profile="aqara-sjcgq11lm", device=_PUMP_ROOM)

    async def _open_risers(self, opened: AsyncExitStack) -> None:
        """Serve what moves by itself: three units behind a gateway, and the water meters' module."""
        riser = ThreePhaseMeter("riser", mean_w=6_200, seed=self._seed)
        corridor = SinglePhaseMeter("corridor", mean_w=420, seed=self._seed)
        archive = Air("archive", mean_cel=19.0, seed=self._seed)
        water = WaterMeters(mean_m3_per_h=(0.62, 0.18), seed=self._seed)
        gateway = [
            self._moving("eastron-sdm630", riser.at, unit=1),
            self._moving("eastron-sdm120", corridor.at, unit=2),
            self._moving("xy-md02", archive.transmitter, unit=3),
        ]
        port = await opened.enter_async_context(serving(gateway))
        self._ask("riser-meter", "1号楼总电表", device=gateway[0], port=port)
        self._ask("corridor-meter", "走廊照明电表", device=gateway[1], port=port)
        self._ask("archive-climate", "档案室温湿度", device=gateway[2], port=port)
        module = self._moving("advantech-adam-6051-water", water.at, unit=1)
        port = await opened.enter_async_context(serving([module]))
        self._ask("water-meters", "1号楼水表", device=module, port=port)

    async def _open_recorded(self, opened: AsyncExitStack) -> None:
        """Serve what plays a recording, each on a line of its own: its connection tells what is confirmed."""
        meter = _recorded("practice-hourly-meter", self._meter)
        port = await opened.enter_async_context(serving([meter]))
        self._ask(METER, "101室电表", device=meter, port=port)
        if self._broker is None:
            probe = _recorded("practice-office-probe-modbus", self._probe)
            port = await opened.enter_async_context(serving([probe]))
            self._ask(PROBE, "办公室温度探头", device=probe, port=port)

    def _moving(self, profile: str, values: Callable[[datetime], Values], *, unit: int) -> PracticeDevice:
        def answer() -> Answer:
            return Answer(values=values(self._clock.now()))

        return PracticeDevice(profile=load_profile(profile), unit=unit, ask=answer)

    def _ask(self, key: str, name: str, *, device: PracticeDevice, port: int) -> None:
        modbus = ModbusSettings(host=LOOPBACK, port=port, unit=device.unit)
        self.devices.append(DeviceSettings(key=key, name=name, profile=device.profile.key, modbus=modbus))

    def _hear(self, key: str, name: str, *, profile: str, device: str) -> None:
        mqtt = MqttSettings(broker=_BROKER, device=device)
        self.devices.append(DeviceSettings(key=key, name=name, profile=profile, mqtt=mqtt))


def _recorded(profile: str, device: RecordedDevice[MeterHour] | RecordedDevice[Temperature]) -> PracticeDevice:
    return PracticeDevice(profile=load_profile(profile), unit=1, ask=device.answer, connected=device.connected)

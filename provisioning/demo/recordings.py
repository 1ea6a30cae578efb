"""The demo's two recordings on the practice building's devices, laid onto the world's time once for ever."""

import asyncio
from datetime import UTC, datetime, timedelta

from cloud.core.clock import Clock
from provisioning.demo.memory import Memory, Progress
from provisioning.practice.building import PracticeBuilding
from provisioning.practice.recordings.electricity import meter_hours
from provisioning.practice.recordings.temperature import temperatures
from provisioning.practice.replay import ReplayClock

COLD_OFFICE = datetime(2014, 4, 12, 23, tzinfo=UTC)
"""The recording's hour in which the fourth episode begins: 30 s after the addresses it happens here and now."""

_TO_ALARM = timedelta(seconds=45)
"""From the moment the history begins to flow: 15 s for filling, claiming and draining, and 30 s of watching."""

_METER_MOMENT = datetime(2012, 3, 3, 5, tzinfo=UTC)
"""The meter's recorded hour that falls into the hour of the first start; two weeks of it lie ahead."""
_METER_HISTORY = timedelta(days=5)

_MODBUS_HISTORY_ROWS = 24
"""A probe that is asked once a second shows no whole recording in a demo's time."""


class Recordings:
    """Both recordings, and how far they are."""

    def __init__(self, building: PracticeBuilding, memory: Memory, clock: Clock) -> None:
        self._building = building
        self._memory = memory
        self._clock = clock
        self._temperatures = temperatures()
        self._hours = meter_hours()

    @property
    def history_rows(self) -> int:
        """How many of the probe's rows lie before the cold office's hour."""
        return sum(row.at < COLD_OFFICE for row in self._temperatures)

    @property
    def history_ends_at(self) -> datetime:
        """The stamp of the last of them."""
        return self._temperatures[self.history_rows - 1].at + self._shift

    def play(self, tasks: asyncio.TaskGroup) -> int:
        """Let both recordings go on, and return how many rows of the probe's history are still to come."""
        progress = self._memory.progress or self._begun()
        alarm_hour = progress.alarm_at.replace(minute=0, second=0, microsecond=0)
        meter = ReplayClock.shifted(self._clock, alarm_hour - _METER_MOMENT)
        probe = ReplayClock.shifted(self._clock, progress.alarm_at - COLD_OFFICE)
        tasks.create_task(
            self._building.play_meter(self._hours, meter, kept=progress.meter_kept, on_kept=self._memory.meter_kept),
            name="meter",
        )
        tasks.create_task(
            self._building.play_probe(
                self._temperatures, probe, kept=progress.probe_kept, on_kept=self._memory.probe_kept
            ),
            name="probe",
        )
        return max(0, self.history_rows - progress.probe_kept)

    async def until_alarm_in(self, ahead: timedelta) -> None:
        """Return so long before the cold office's hour, or at once when that is past."""
        await ReplayClock.shifted(self._clock, self._shift).until(COLD_OFFICE - ahead)

    def alarm_in_s(self) -> float:
        """Return the seconds until the cold office's hour; below 0 when it is past."""
        return (COLD_OFFICE + self._shift - self._clock.now()).total_seconds()

    @property
    def _shift(self) -> timedelta:
        return (self._memory.progress or self._begun()).alarm_at - COLD_OFFICE

    def _begun(self) -> Progress:
        """Begin: the cold office's hour comes when everything is prepared, and 30 s more have passed."""
        probe_from = 0 if self._building.without is None else self.history_rows - _MODBUS_HISTORY_ROWS
        return self._memory.begin(
            alarm_at=self._clock.now() + _TO_ALARM,
            meter_kept=sum(hour.at < _METER_MOMENT - _METER_HISTORY for hour in self._hours),
            probe_kept=probe_from,
        )

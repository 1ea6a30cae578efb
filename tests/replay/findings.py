"""What must be true of a cloud once both recordings have gone the whole way, whatever happened on it."""

from decimal import Decimal
from itertools import pairwise

from tests.replay.recordings import EPISODES, Episode, register_readings, temperature_readings
from tests.replay.rig import METER, PROBE, Rig

_STEP_KWH = Decimal("0.01")


async def assert_nothing_is_lost_or_counted_twice(rig: Rig) -> None:
    """All temperatures with exact times and bits, all hours of the register, each once, none set aside."""
    assert await rig.readings(PROBE) == temperature_readings()
    meter = await rig.readings(METER)
    assert meter == register_readings()
    register = [Decimal(value).quantize(_STEP_KWH) for _, value, _ in meter]
    consumed = [after - before for before, after in pairwise([Decimal(0), *register])]
    assert len(consumed) == 2_712
    assert sum(consumed) == Decimal("1209.42")
    assert await rig.set_aside() == 0
    assert len(await rig.held()) == 1


async def assert_six_episodes_with_an_alarm_and_a_ticket_each(rig: Rig) -> None:
    """Exactly the recording's episodes, from the first value past the limit to the first back past the deadband."""
    alarms = await rig.alarms()
    raised = [
        Episode(start=alarm.raised_at, end=alarm.returned_at, side=f"{alarm.side}")
        for alarm in alarms
        if alarm.returned_at is not None
    ]
    assert raised == list(EPISODES)
    assert len(alarms) == 6
    assert [alarm.id for alarm in alarms if alarm.announced_at is None] == []
    tickets = await rig.tickets()
    assert sorted(ticket.alarm_id or 0 for ticket in tickets) == sorted(alarm.id for alarm in alarms)

"""Sensors that publish: the office's probe, which plays the recording, and what stands behind Zigbee2MQTT."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import NoReturn

from cloud.core.clock import Clock
from protocols.profiles.schema import Profile
from provisioning.practice.messages import messages
from provisioning.practice.publisher import Publisher
from provisioning.practice.quantities import Values
from provisioning.practice.recordings.temperature import Temperature
from provisioning.practice.replay import Hold, ReplayClock


async def publish_recording(
    port: int,
    profile: Profile,
    device: str,
    *,
    rows: Sequence[Temperature],
    replay: ReplayClock,
    kept: int = 0,
    hold: Hold | None = None,
    on_kept: Callable[[int], None] = lambda _kept: None,
) -> None:
    """Publish each row with the replay's stamp when it is due; return when the broker has taken the last.

    `kept`, `hold` and `on_kept` are as for provisioning.practice.recorded; a row is kept once the broker has it.
    """
    async with aclosing(Publisher(port)) as publisher:
        async for row in replay.rows(rows[kept:], hold=hold):
            await publisher.say(messages(profile, device, {"temperature": row.degf}, at=replay.stamp(row.at)))
            kept += 1
            on_kept(kept)


async def publish_for_ever(
    port: int,
    profile: Profile,
    device: str,
    *,
    values: Callable[[datetime], Values],
    period_s: float,
    clock: Clock,
) -> NoReturn:
    """Publish what a sensor measures now, again and again."""
    async with aclosing(Publisher(port)) as publisher:
        while True:
            now = clock.now()
            await publisher.say(messages(profile, device, values(now), at=now))
            await asyncio.sleep(period_s)

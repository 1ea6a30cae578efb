"""What a driver is to the poller, and what it hands over."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from protocols.readings import Quality


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """What a device said of one of its points, in the point's declared unit."""

    point: str
    """The point's name in the device's profile, without the device."""
    value: float
    quality: Quality = Quality.GOOD
    time_us: int | None = None
    """The device's own timestamp in microseconds since 1970; None where it sends none."""


class PolledDriver(Protocol):
    """A device that answers when asked.

    A driver turns its library's errors into DeviceUnreachable and DeviceRefused, and nothing else; it never logs
    an outage, never retries and never sleeps: the poller does.
    """

    async def read(self, points: Sequence[str]) -> Sequence[Value]:
        """Return the values that the device has for `points`; one it says it has none for is left out.

        Raises:
            DeviceUnreachable: no answer within the device's timeout.
            DeviceRefused: an answer that is an error or does not fit the question.
        """

    async def close(self) -> None:
        """Let go of the line; safe to call twice."""


class Push(Protocol):
    """Values that came by themselves, with the promise to be kept about them."""

    @property
    def device(self) -> str: ...
    @property
    def values(self) -> Sequence[Value]: ...

    def confirm(self) -> None:
        """Say that the values are committed; the source may forget them (an MQTT PUBACK)."""


class PushedDriver(Protocol):
    """A source that speaks by itself."""

    def pushes(self) -> AsyncIterator[Push]:
        """Yield what comes, for ever; raises DeviceUnreachable when the source is gone."""

    async def close(self) -> None:
        """Let go of the source; safe to call twice."""

"""What a driver is to the poller, and what it hands over."""

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from protocols.readings import Decoded

ONLINE = "online"
"""The point that every device has besides its profile's: 1 while it gives values, 0 while it is silent."""


class PolledDriver(Protocol):
    """A device that answers when asked.

    A driver turns its library's errors into DeviceUnreachable and DeviceRefused, and nothing else; it never logs
    an outage and never retries: the poller does.
    """

    async def read(self, points: Sequence[str]) -> Sequence[Decoded]:
        """Return the values that the device has for `points`; one it says it has none for is left out.

        Raises:
            DeviceUnreachable: no answer within the device's timeout.
            DeviceRefused: an answer that is an error or does not fit the question.
        """


class Push(Protocol):
    """What came by itself from one device, with the promise to be kept about it."""

    @property
    def device(self) -> str:
        """The device's key on the box."""

    @property
    def values(self) -> Sequence[Decoded]:
        """What the device said of its points."""

    @property
    def problems(self) -> Sequence[str]:
        """A sentence for each part that could not be understood."""

    def confirm(self) -> None:
        """Say that the values are committed; the source may forget them (an MQTT PUBACK)."""


class PushedDriver(Protocol):
    """A source that speaks by itself, for one or many devices."""

    def pushes(self) -> AsyncGenerator[Sequence[Push], None]:
        """Connect, and yield for ever what has come since the last time, in the order in which it came.

        The first yield may be empty: it says that the source is there.

        Raises:
            DeviceUnreachable: the source is gone.
            DeviceRefused: it won't have us.
        """

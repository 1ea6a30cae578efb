"""The cloud's time on the box. It is the only authority: a box's own wall clock may be years off."""

from collections.abc import Awaitable, Callable

from edge.clock import Clock

STEP_US = 1_000_000
"""Smaller differences are the line's jitter and the crystal's drift; readings are not worth a step for them."""


class CloudTime:
    """The offset between the box's monotonic time and the cloud's time.

    An answer that holds the cloud's time places it at half the round trip, and is wrong by half of it at most. The
    first answer is taken; a later one only when the offset in force must be wrong by more than STEP_US.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        offset_us: int | None = None,
        learn: Callable[[int], Awaitable[None]] | None = None,
    ) -> None:
        """Begin with what the buffer knows of this boot.

        Args:
            clock: The box's clocks.
            offset_us: Buffer.offset_us, or None.
            learn: Buffer.learn_offset, called with each offset that is taken.
        """
        self._clock = clock
        self._learn = learn
        self.offset_us = offset_us
        """Cloud time minus monotonic time, in microseconds; None before the first answer."""

    def monotonic_us(self) -> int:
        """Return the box's monotonic time, to be noted before a question."""
        return self._clock.monotonic_us()

    def now_us(self) -> int | None:
        """Return the cloud's time in microseconds since 1970; None before the first answer."""
        return None if self.offset_us is None else self._clock.monotonic_us() + self.offset_us

    async def look(self, time_us: int, *, asked_us: int) -> None:
        """Take an answer that has just come.

        Args:
            time_us: The cloud's time in it.
            asked_us: Monotonic time when the question left.
        """
        answered_us = self._clock.monotonic_us()
        offset_us = time_us - (asked_us + answered_us) // 2
        doubt_us = (answered_us - asked_us) // 2
        if self.offset_us is None or abs(offset_us - self.offset_us) > STEP_US + doubt_us:
            if self._learn:
                await self._learn(offset_us)  # first, so that it is learnt again if it fails
            self.offset_us = offset_us

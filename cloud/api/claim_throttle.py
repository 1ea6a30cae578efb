"""How often one address may try claim codes."""

from collections import OrderedDict, deque
from datetime import datetime, timedelta

from cloud.core.errors import TooMany

FAILURES = 10
WITHIN = timedelta(minutes=10)
"""A technician mistypes a few times; ten tries in ten minutes of 55 bits would need longer than the universe has."""

_ADDRESSES_REMEMBERED = 10_000


class ClaimThrottle:
    """Counts failed claims by address, in this process."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, deque[datetime]] = OrderedDict()

    def check(self, address: str, now: datetime) -> None:
        """Let pass an address that may try again.

        Raises:
            TooMany: it has failed too often of late.
        """
        failures = self._failures.get(address, deque())
        while failures and failures[0] <= now - WITHIN:
            failures.popleft()
        if len(failures) >= FAILURES:
            wait = failures[0] + WITHIN - now
            raise TooMany(
                "Too many claims failed from here: wait, then look at the code again.",
                retry_after_s=max(1, -(-wait // timedelta(seconds=1))),
            )

    def note_failure(self, address: str, now: datetime) -> None:
        """Count a claim that failed."""
        self._failures.setdefault(address, deque(maxlen=FAILURES)).append(now)
        self._failures.move_to_end(address)
        if len(self._failures) > _ADDRESSES_REMEMBERED:
            self._failures.popitem(last=False)

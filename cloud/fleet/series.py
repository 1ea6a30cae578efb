"""What every series store promises, whichever database holds it."""

from collections.abc import Collection, Sequence
from enum import Enum, auto
from typing import Protocol

from cloud.fleet.domain import FirstAndLast, Hour, Reading, SeriesRow

HOUR_US = 3_600_000_000


class SeriesUnavailable(Exception):
    """The store's database did not do what it was asked: nothing is known to be durable, so ask again later."""


class Held(Enum):
    """What the series says of a row."""

    ABSENT = auto()  # it has nothing at this point and instant
    EQUAL = auto()  # it has the same value and flags
    DIFFERENT = auto()  # it has another value or other flags


HeldValues = dict[tuple[int, int], tuple[float, int]]
"""Value and flags by point id and microseconds since 1970."""


def compare(held: HeldValues, row: SeriesRow) -> Held:
    """Return what `held` says of a row."""
    found = held.get(row[:2])
    if found is None:
        return Held.ABSENT
    return Held.EQUAL if found == row[2:] else Held.DIFFERENT


class SeriesStore(Protocol):
    """One value per (point, instant), durable before a call returns.

    Values are finite floats and come back bit for bit; a zero has no sign. Periods are half open: `start_us` belongs
    to them, `end_us` does not.
    """

    async def prepare(self) -> None:
        """Make what the store needs in its database; safe to call again."""

    async def append(self, rows: Sequence[SeriesRow]) -> list[int]:
        """Make `rows` durable and return the positions of those that the series already holds differently.

        A held instant keeps what it has: the same row again is no change, a different one is left out and returned.
        Two rows of one instant in `rows` count in their order.
        """

    async def holds(self, rows: Sequence[SeriesRow]) -> list[Held]:
        """Return what the series says of each of `rows`."""

    async def read(
        self, point_id: int, *, start_us: int, end_us: int, limit: int | None = None, newest_first: bool = False
    ) -> list[Reading]:
        """Return the point's readings of the period by time, at most `limit`."""

    async def hourly(self, point_id: int, *, start_us: int, end_us: int) -> list[Hour]:
        """Return the period's hours that have readings, by time; what lies outside the period counts in none."""

    async def last_minus_first(
        self, point_ids: Collection[int], *, start_us: int, end_us: int
    ) -> dict[int, FirstAndLast]:
        """Return the first and last reading of the period by point; a point without readings in it is left out."""

    async def newest(self, point_ids: Collection[int]) -> dict[int, Reading]:
        """Return the newest reading by point; a point without readings is left out."""

    async def close(self) -> None:
        """Let go of the database."""

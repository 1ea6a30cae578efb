"""The newest value of every point, kept beside the series so that a page of values is one query."""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.fleet import bulk
from cloud.fleet.domain import SeriesRow

_TYPES = ("bigint", "bigint", "bigint", "double precision", "bigint", "bigint")
_REPLACE = """
    INSERT INTO latest_values (point_id, organisation_id, time_us, value, flags, received_us) {source}
    ON CONFLICT (point_id) DO UPDATE
    SET time_us = excluded.time_us, value = excluded.value, flags = excluded.flags, received_us = excluded.received_us
    WHERE excluded.time_us > latest_values.time_us"""


def keep_newest(newest: dict[int, SeriesRow], rows: list[SeriesRow], *, by_time: bool) -> None:
    """Put into `newest` each point's newest row of `rows`; of one instant, the one that came first.

    Args:
        newest: by point id.
        rows: in the order of their coming.
        by_time: no row is older than one before it, which makes this fast.
    """
    candidates = {row[0]: row for row in rows}.values() if by_time else rows
    for row in candidates:
        before = newest.get(row[0])
        if before is None or before[1] < row[1]:
            newest[row[0]] = row


async def replace_older(
    session: AsyncSession, newest: Mapping[int, SeriesRow], *, organisations: Mapping[int, int], received_us: int
) -> None:
    """Make `newest` the latest values of those points whose latest value is older.

    Args:
        session: of the transaction.
        newest: by point id.
        organisations: whose each point is.
        received_us: the cloud's clock.
    """
    # In the order of their ids, so that two workers never wait for each other's rows.
    rows = [(row[0], organisations[row[0]], *row[1:], received_us) for _, row in sorted(newest.items())]
    await bulk.run(session, _REPLACE, rows, _TYPES)

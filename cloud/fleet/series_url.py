"""Which store a URL means."""

from cloud.fleet.series import SeriesStore
from cloud.fleet.series_influx import InfluxSeries
from cloud.fleet.series_sql import SqlSeries


def open_series(url: str) -> SeriesStore:
    """Return the store behind `url`, which `prepare` must make ready before its first use.

    Raises:
        ValueError: the URL's scheme names no store.
    """
    scheme = url.partition("://")[0]
    match scheme:
        case "sqlite+aiosqlite" | "postgresql+psycopg":
            return SqlSeries(url)
        case "influxdb" | "influxdbs":
            return InfluxSeries(url)
        case _:
            raise ValueError(
                f"series store {scheme}://...: begin with sqlite+aiosqlite://, postgresql+psycopg:// or influxdb://"
            )

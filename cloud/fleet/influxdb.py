"""One InfluxDB database over HTTP: influxdb-client writes, InfluxQL over /query reads.

InfluxQL is what versions 1.8, 2 and 3 all answer; Flux is in maintenance, and version 3 has none.
"""

import asyncio
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec
import urllib3
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.domain.write_precision import WritePrecision
from influxdb_client.rest import ApiException

from cloud.fleet.series import SeriesUnavailable

Values = TypeVar("Values", bound=msgspec.Struct)
"""One line of an answer: a struct that is written as an array and begins with a time in microseconds."""

_TIMEOUT_S = 30
_CONNECTIONS = 8
_PRECISION: Any = WritePrecision.US  # its class declares a member of itself as a str


class _Name(msgspec.Struct, array_like=True):
    name: str


class Series(msgspec.Struct, Generic[Values]):
    """The part of an answer that belongs to one set of tags."""

    values: list[Values] = []
    tags: dict[str, str] = {}


class _Result(msgspec.Struct, Generic[Values]):
    series: list[Series[Values]] = []
    error: str | None = None


class _Answer(msgspec.Struct, Generic[Values]):
    results: list[_Result[Values]] = []
    error: str | None = None


class InfluxDatabase:
    """The database behind `influxdb://[user:password@]host[:port]/database[?org=...]`, `influxdbs` for TLS.

    Versions 2 and 3 take their token in the place of the password, with no user before it.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._name = parts.path.strip("/")
        if not parts.hostname or not self._name:
            raise ValueError(f"series store {parts.scheme}://...: write it as influxdb://host:8086/database")
        scheme = "https" if parts.scheme == "influxdbs" else "http"
        address = f"{scheme}://{parts.hostname}:{parts.port or 8086}"
        token = ":".join(unquote(part) for part in (parts.username, parts.password) if part)
        organisation = parse_qs(parts.query).get("org", ["-"])[0]
        self._client = InfluxDBClient(address, token=token, org=organisation, timeout=_TIMEOUT_S * 1000)
        self._writer = self._client.write_api(write_options=SYNCHRONOUS)
        self._query_url = f"{address}/query"
        headers = {"Authorization": f"Token {token}"} if token else {}
        self._http = urllib3.PoolManager(maxsize=_CONNECTIONS, timeout=_TIMEOUT_S, retries=False, headers=headers)

    async def prepare(self) -> None:
        """Make the database where the server lets a client do so (version 1); elsewhere it must be there."""
        (databases,) = await self.query("SHOW DATABASES", values=_Name)
        if self._name not in [row.name for series in databases for row in series.values]:
            await self.query(f'CREATE DATABASE "{self._name}"', values=_Name)

    async def write(self, lines: str) -> None:
        """Make `lines` of the line protocol durable; their times are microseconds.

        Raises:
            SeriesUnavailable: InfluxDB said no, or nothing.
        """
        try:
            await asyncio.to_thread(self._writer.write, self._name, record=lines, write_precision=_PRECISION)
        except (ApiException, urllib3.exceptions.HTTPError) as error:
            raise SeriesUnavailable(f"InfluxDB did not write: {error}") from error

    async def query(self, statements: str, *, values: type[Values]) -> list[list[Series[Values]]]:
        """Return the series of each of the statements, which `;` separates; times are microseconds.

        Raises:
            SeriesUnavailable: InfluxDB said no, or nothing, or not rows of `values`.
        """
        fields = {"db": self._name, "epoch": "u", "q": statements}
        try:
            response = await asyncio.to_thread(
                self._http.request, "POST", self._query_url, fields=fields, encode_multipart=False
            )
            answer = msgspec.json.decode(response.data, type=_Answer[values])  # type: ignore[valid-type]  # a type at run time
        except (urllib3.exceptions.HTTPError, msgspec.DecodeError) as error:
            raise SeriesUnavailable(f"InfluxDB did not answer a query: {error}") from error
        errors = [answer.error, *(result.error for result in answer.results)]
        for told in filter(None, errors):
            raise SeriesUnavailable(f"InfluxDB refused a query: {told}")
        return [result.series for result in answer.results]

    async def close(self) -> None:
        """Let go of all connections."""
        await asyncio.to_thread(self._client.close)
        self._http.clear()

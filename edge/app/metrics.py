"""The program's own figures for Prometheus, on loopback only."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from edge.buffer.buffer import Buffer
from edge.errors import SettingsRefused
from edge.poller.polled import PolledDevice
from edge.poller.pushed import PushedDevice

_ADDRESS = "127.0.0.1"
_ANSWER_S = 5.0


class _BoxCollector(Collector):
    """Reads the figures when they are asked for, in the page's own thread."""

    def __init__(
        self,
        buffer: Buffer,
        polled: Sequence[PolledDevice],
        pushed: Sequence[PushedDevice],
        *,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._buffer = buffer
        self._polled = polled
        self._pushed = pushed
        self._loop = loop

    def collect(self) -> Iterator[Metric]:
        """Yield every figure."""
        statistics = asyncio.run_coroutine_threadsafe(self._buffer.statistics(), self._loop).result(_ANSWER_S)
        yield _gauge("buffer_rows", "Rows in the buffer", statistics.rows)
        yield _gauge("buffer_rows_unsent", "Rows that the cloud does not hold yet", statistics.unsent_rows)
        yield _gauge("buffer_bytes", "Size of what the buffer holds", statistics.used_bytes)
        yield CounterMetricFamily(
            "gatehouse_edge_samples_not_taken", "Samples there was no room for", value=self._buffer.samples_not_taken
        )
        yield _by_device("values_taken", "Values taken", [(each.key, each.values_taken) for each in self._all()])
        yield _by_device(
            "tries_failed", "Reads without an answer", [(each.key, each.tries_failed) for each in self._polled]
        )
        yield _by_device(
            "messages_refused", "Messages not understood", [(each.key, each.messages_refused) for each in self._pushed]
        )

    def _all(self) -> Iterator[PolledDevice | PushedDevice]:
        yield from self._polled
        yield from self._pushed


@contextmanager
def metrics_page(
    port: int, *, buffer: Buffer, polled: Sequence[PolledDevice], pushed: Sequence[PushedDevice]
) -> Iterator[None]:
    """Show the figures on loopback while the block runs.

    Raises:
        SettingsRefused: the port is taken.
    """
    registry = CollectorRegistry()
    registry.register(_BoxCollector(buffer, polled, pushed, loop=asyncio.get_running_loop()))
    ProcessCollector(registry=registry)
    try:
        server, thread = start_http_server(port, addr=_ADDRESS, registry=registry)
    except OSError as error:
        raise SettingsRefused(f"metrics.port = {port}: {error.strerror}; choose another or leave it out") from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(_ANSWER_S)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"gatehouse_edge_{name}", text, value=value)


def _by_device(name: str, text: str, values: Sequence[tuple[str, int]]) -> Metric:
    family = CounterMetricFamily(f"gatehouse_edge_{name}", text, labels=["device"])
    for device, value in values:
        family.add_metric([device], value)
    return family

"""Trying again for ever, at a pace that fits what went wrong: the one place where the way to the cloud retries."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from edge.backoff import delays_s
from edge.errors import BufferFull, CloudBusy, CloudRefused, CloudUnreachable, EdgeError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait before the next try."""

    start_jitter_s: float = 3.0
    """A start is put off by a random part of this, so that boxes that lost power together do not come back in step."""
    first_s: float = 1.0
    """Ceiling of the first pause after a failure; it doubles up to `longest_s`."""
    longest_s: float = 60.0
    refused_s: float = 300.0
    """When the cloud says no: somebody has to mend something, and nobody is to be flooded until then."""


class Persistence:
    """Keeps one thing going that is meant never to end."""

    def __init__(self, what: str, *, patience: Patience, rng: random.Random) -> None:
        """Name the thing as the log's reader knows it."""
        self._what = what
        self._patience = patience
        self._rng = rng
        self._delays = self._fresh_delays()
        self._refusals = 0
        self._trouble: str | None = None

    @property
    def is_down(self) -> bool:
        """Whether the last try has failed and nothing has worked since."""
        return self._trouble is not None

    async def keep(self, attempt: Callable[[], Awaitable[None]]) -> None:
        """Await `attempt` again and again; end it by cancelling."""
        await asyncio.sleep(self._rng.uniform(0, self._patience.start_jitter_s))
        while True:
            pause_s = self._patience.longest_s
            try:
                await attempt()
            except* EdgeError as group:
                pause_s = self._failed(_first_leaf(group))
            except* Exception:  # the outermost loop: what nobody foresaw must not end it, nor the box with it
                log.exception("%s failed; next try in %.1f s", self._what, pause_s)
            await asyncio.sleep(pause_s)

    def worked(self) -> None:
        """Note that the other side has taken something: the next failure is the first again."""
        self._delays = self._fresh_delays()
        self._refusals = 0
        if self._trouble is not None:
            log.info("%s goes on", self._what)
        self._trouble = None

    def _failed(self, error: EdgeError) -> float:
        pause_s = self._pause_s(error)
        trouble = f"{type(error).__name__} {error.code if isinstance(error, CloudRefused) else ''}"
        if trouble != self._trouble:
            log.warning("%s stopped: %s; next try in %.1f s", self._what, error, pause_s)
        self._trouble = trouble
        return pause_s

    def _pause_s(self, error: EdgeError) -> float:
        match error:
            case CloudBusy():
                return error.retry_after_s * self._rng.uniform(1.0, 1.2)
            case CloudUnreachable() | BufferFull():
                return next(self._delays)
            case _:
                self._refusals += 1
                # the first time the box's idea of the cloud's time may be to blame, and is learnt again
                if self._refusals == 1:
                    return next(self._delays)
                return self._patience.refused_s * self._rng.uniform(0.8, 1.2)

    def _fresh_delays(self) -> Iterator[float]:
        return delays_s(first_s=self._patience.first_s, cap_s=self._patience.longest_s, rng=self._rng)


def _first_leaf(group: BaseExceptionGroup[EdgeError]) -> EdgeError:
    first = group.exceptions[0]
    return _first_leaf(first) if isinstance(first, BaseExceptionGroup) else first

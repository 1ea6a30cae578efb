import asyncio
import logging
import random
from collections.abc import Sequence

import pytest

from edge.errors import BufferUnusable, CloudBusy, CloudRefused, CloudUnreachable
from edge.sync.persistence import Patience, Persistence

PATIENCE = Patience(start_jitter_s=3, first_s=1, longest_s=60, refused_s=300)

pytestmark = pytest.mark.looptime

_UNREACHABLE = CloudUnreachable("no line")
_REFUSED = CloudRefused("no such box", code="unknown_box")


class Attempts:
    """Raises one outcome after another, and notes when; None is a success, after which it works on for a second."""

    def __init__(self, outcomes: Sequence[Exception | None]) -> None:
        self.persistence = Persistence("upload", patience=PATIENCE, rng=random.Random(7))
        self.begun_s: list[float] = []
        self._outcomes = list(outcomes)

    async def attempt(self) -> None:
        self.begun_s.append(asyncio.get_running_loop().time())
        if not self._outcomes:
            raise asyncio.CancelledError
        outcome = self._outcomes.pop(0)
        if outcome is None:
            self.persistence.worked()
            await asyncio.sleep(1)
            raise _UNREACHABLE
        raise outcome

    async def pauses_s(self) -> list[float]:
        """Return the pauses between the attempts."""
        with pytest.raises(asyncio.CancelledError):
            await self.persistence.keep(self.attempt)
        return [later - earlier for earlier, later in zip(self.begun_s, self.begun_s[1:], strict=False)]


async def test_the_start_is_put_off_by_a_random_moment() -> None:
    attempts = Attempts([])
    await attempts.pauses_s()
    assert 0 < attempts.begun_s[0] < 3


async def test_pauses_grow_with_jitter_up_to_their_cap() -> None:
    pauses = await Attempts([_UNREACHABLE] * 40).pauses_s()
    ceilings = [min(2.0**at, 60.0) for at in range(40)]
    assert all(ceiling / 20 <= pause <= ceiling for pause, ceiling in zip(pauses, ceilings, strict=True))
    assert len({round(pause, 3) for pause in pauses}) == 40
    assert max(pauses) > 45


async def test_after_a_success_the_next_failure_is_the_first_again() -> None:
    pauses = await Attempts([*[_UNREACHABLE] * 10, None]).pauses_s()
    assert pauses[-1] <= 1 + 1  # its second of work, and the first ceiling


async def test_a_busy_cloud_is_left_alone_as_long_as_it_asks() -> None:
    (pause,) = await Attempts([CloudBusy("busy", retry_after_s=40)]).pauses_s()
    assert 40 <= pause <= 48


async def test_a_cloud_that_says_no_is_asked_again_soon_and_then_rarely() -> None:
    first, second, third = await Attempts([_REFUSED] * 3).pauses_s()
    assert first <= 1
    assert 240 <= second <= 360
    assert 240 <= third <= 360


async def test_errors_of_parallel_flows_are_errors_all_the_same() -> None:
    group = ExceptionGroup("two flows", [ExceptionGroup("one", [CloudBusy("busy", retry_after_s=40)]), _UNREACHABLE])
    (pause,) = await Attempts([group]).pauses_s()
    assert 40 <= pause <= 48


async def test_a_buffer_that_cannot_be_read_is_tried_again() -> None:
    (pause,) = await Attempts([BufferUnusable("no disk")]).pauses_s()
    assert pause <= 1


async def test_what_nobody_foresaw_is_logged_with_its_trace_and_ends_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert await Attempts([RuntimeError("a bug")]).pauses_s() == [60]
    assert "upload failed" in caplog.text
    assert "RuntimeError: a bug" in caplog.text


@pytest.mark.parametrize(
    ("outcomes", "logged"),
    [
        ([_UNREACHABLE] * 5, ["upload stopped: no line"]),
        ([_UNREACHABLE, None, _UNREACHABLE], ["upload stopped: no line", "upload goes on", "upload stopped: no line"]),
        ([_UNREACHABLE, _REFUSED, _REFUSED], ["upload stopped: no line", "upload stopped: no such box"]),
    ],
    ids=["an outage", "an outage, a success, an outage", "an outage that turns into a refusal"],
)
async def test_trouble_is_logged_once_down_and_once_up(
    caplog: pytest.LogCaptureFixture, outcomes: Sequence[Exception | None], logged: list[str]
) -> None:
    with caplog.at_level(logging.INFO, "edge.sync"):
        await Attempts(outcomes).pauses_s()
    assert [message.partition(";")[0] for message in caplog.messages] == logged


@pytest.mark.parametrize(
    ("outcomes", "is_down"), [([_UNREACHABLE], True), ([], False)], ids=["after a failure", "before the first try"]
)
async def test_it_knows_whether_it_is_down(outcomes: Sequence[Exception | None], is_down: bool) -> None:
    attempts = Attempts(outcomes)
    await attempts.pauses_s()
    assert attempts.persistence.is_down is is_down

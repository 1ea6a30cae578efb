from datetime import timedelta

import pytest

from cloud.api.claim_throttle import FAILURES, WITHIN, ClaimThrottle
from cloud.core.errors import TooMany
from tests.clocks import FixedClock


def _failed(throttle: ClaimThrottle, clock: FixedClock, address: str = "198.51.100.7") -> None:
    for _ in range(FAILURES):
        throttle.check(address, clock.now())
        throttle.note_failure(address, clock.now())
        clock.advance(seconds=1)


def test_an_address_waits_until_its_oldest_failure_is_old_enough(clock: FixedClock) -> None:
    throttle = ClaimThrottle()
    began = clock.now()
    _failed(throttle, clock)
    with pytest.raises(TooMany) as refused:
        throttle.check("198.51.100.7", clock.now())
    assert clock.now() + timedelta(seconds=refused.value.retry_after_s) == began + WITHIN
    clock.set(began + WITHIN)
    throttle.check("198.51.100.7", clock.now())


def test_another_address_does_not_wait_with_it(clock: FixedClock) -> None:
    throttle = ClaimThrottle()
    _failed(throttle, clock)
    throttle.check("203.0.113.9", clock.now())

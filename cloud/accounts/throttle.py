"""Waiting after failed sign-ins, counted per login and per address in rows, so that a restart forgives nobody."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts.domain import FAILURES_REMEMBERED, Throttled, address_key, login_key, wait_after
from cloud.accounts.tables import SignInFailureRow
from cloud.core.database import hold
from cloud.core.errors import TooMany
from firmware_configs.look.words import _


@dataclass(frozen=True, slots=True)
class Counter:
    """Where failures of one login or one address are counted."""

    throttled: Throttled
    key: str

    @classmethod
    def of_login(cls, login: str) -> "Counter":
        return cls(Throttled.LOGIN, _key(f"login {login_key(login)}"))

    @classmethod
    def of_address(cls, address: str) -> "Counter":
        return cls(Throttled.ADDRESS, _key(f"address {address_key(address)}"))


async def must_wait(session: AsyncSession, counters: Sequence[Counter], now: datetime) -> TooMany | None:
    """Return why a try is too early; None when it may be made.

    The counters are held until the transaction ends, so that many tries at once are counted one by one. Callers
    name them in one order: logins before addresses.
    """
    longest = timedelta(0)
    for counter in counters:
        await hold(session, f"sign-in {counter.key}")
        row = await session.get(SignInFailureRow, counter.key)
        if row is not None:
            longest = max(longest, row.failed_at + wait_after(row.failures, counter.throttled) - now)
    if not longest:
        return None
    seconds = math.ceil(longest.total_seconds())
    sentence = _("Too many tries: wait %(minutes)s min, then try again.")
    return TooMany(sentence, retry_after_s=seconds, minutes=math.ceil(seconds / 60))


async def note_failure(session: AsyncSession, counters: Sequence[Counter], now: datetime) -> None:
    """Count a failed try; a day without one starts anew."""
    for counter in counters:
        row = await session.get(SignInFailureRow, counter.key)
        if row is None:
            session.add(SignInFailureRow(key=counter.key, failures=1, failed_at=now))
            continue
        is_old = now - row.failed_at > FAILURES_REMEMBERED
        row.failures = 1 if is_old else row.failures + 1
        row.failed_at = now


async def forgive(session: AsyncSession, counter: Counter) -> None:
    """Forget a counter's failures."""
    row = await session.get(SignInFailureRow, counter.key)
    if row is not None:
        await session.delete(row)


def _key(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()

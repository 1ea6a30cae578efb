"""Carries deliveries out by their channels: claimed in one transaction, sent in none, settled in another.

A delivery is sent at least once. A try whose end is never noted, since the program died or the database was away, is
made again when its lease runs out; the gateway is given the delivery's `uid` each time, to drop what it has.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import organisations
from cloud.core.clock import Clock
from cloud.core.database import Database
from cloud.core.errors import first_line
from cloud.core.principal import Principal
from cloud.notifications import tables
from cloud.notifications.channels import Gateways, Parcel, Receipt, SendDelayed, SendRefused
from cloud.notifications.domain import (
    CODE_GOOD,
    MAXIMUM_ATTEMPTS,
    Channel,
    DeliveryState,
    Language,
    asked_again_after,
    delay_after,
)
from cloud.notifications.preferences import preferences_of
from cloud.notifications.tables import DeliveryRow, MessageRow

_AT_ONCE = 8
_CLAIMED = 16  # little, so that an urgent one that comes meanwhile is among the next
_ROUNDS = 10  # a job ends now and then, so that its runs are noted
_TRY_S = 30.0
_LEASE = timedelta(minutes=5)
"""Longer than _CLAIMED tries of _TRY_S take, _AT_ONCE at a time, so that nobody tries what is still being tried."""

_ERROR_LENGTH = 300

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Try:
    """A claimed delivery; `attempts` tells this try from a later one."""

    id: int
    attempts: int
    parcel: Parcel


async def send_due(database: Database, clock: Clock, *, channel: Channel, gateways: Gateways, base_url: str) -> None:
    """Send what is due on a channel, the urgent first; a job with its own transactions."""
    for _round in range(_ROUNDS):
        async with database.transaction() as session:
            now = clock.now()
            rows = await tables.due(session, channel=channel, state=DeliveryState.WAITING, now=now, limit=_CLAIMED)
            tries = await _claim(session, rows, now=now, base_url=base_url)
        gate = asyncio.Semaphore(_AT_ONCE)
        async with asyncio.TaskGroup() as group:
            for claimed in tries:
                carried = _carry_out(database, clock, gate, claimed, channel=channel, gateways=gateways)
                group.create_task(carried, name=f"delivery-{claimed.id}")
        if len(rows) < _CLAIMED:
            return


async def _claim(session: AsyncSession, rows: Sequence[DeliveryRow], *, now: datetime, base_url: str) -> list[_Try]:
    """Lease the rows that are still to be sent, and end the others."""
    tries = []
    by_organisation: dict[int, list[DeliveryRow]] = {}
    for row in rows:
        by_organisation.setdefault(row.organisation_id, []).append(row)
    for organisation_id, theirs in by_organisation.items():
        principal = Principal.system(organisation_id)
        sender = (await organisations.find_organisation(session, principal)).name
        messages = await tables.messages(session, organisation_id, {row.message_id or 0 for row in theirs})
        chosen = await preferences_of(session, principal, {row.person_id or 0 for row in theirs})
        for row in theirs:
            message = messages.get(row.message_id or 0)
            if _ends_unsent(row, message, now=now):
                continue
            row.attempts += 1
            row.due_at = now + _LEASE
            language = chosen[row.person_id or 0].language
            parcel = _parcel(row, message, sender=sender, language=language, base_url=base_url)
            tries.append(_Try(id=row.id, attempts=row.attempts, parcel=parcel))
    return tries


def _ends_unsent(row: DeliveryRow, message: MessageRow | None, *, now: datetime) -> bool:
    """End what nobody waits for any more, and return whether it was so."""
    if message is not None and message.read_at is not None:
        row.state, row.due_at = DeliveryState.UNNEEDED, None
        return True
    if message is None and now - row.written_at > CODE_GOOD:
        _give_up(row, row.error or "it could not be sent while the code was good")
        return True
    return False


def _parcel(row: DeliveryRow, message: MessageRow | None, *, sender: str, language: Language, base_url: str) -> Parcel:
    def said(zh: str, en: str) -> str:
        return (zh or en) if language is Language.ZH_HANS else (en or zh)

    return Parcel(
        uid=row.uid,
        address=row.address,
        sender=sender,
        language=language,
        subject=said(message.subject_zh, message.subject_en) if message else "",
        text=said(message.text_zh, message.text_en) if message else row.text or "",
        link=f"{base_url}{message.link}" if message and message.link else "",
        topic=f"{row.organisation_id} {message.link or message.key}" if message else row.uid,
    )


async def _carry_out(
    database: Database, clock: Clock, gate: asyncio.Semaphore, claimed: _Try, *, channel: Channel, gateways: Gateways
) -> None:
    """Send one and note how it went. A cancelled try is noted by nobody: its lease runs out."""
    async with gate:
        outcome = await _send(claimed.parcel, channel=channel, gateways=gateways)
    async with database.transaction() as session:
        row = await tables.tried(session, claimed.id, attempts=claimed.attempts)
        if row is not None:
            _settle(row, outcome, now=clock.now())


async def _send(parcel: Parcel, *, channel: Channel, gateways: Gateways) -> Receipt | SendDelayed | SendRefused:
    gateway = gateways.get(channel)
    if gateway is None:
        return SendRefused(f"no gateway is set up for {channel}: see docs/cloud.md")
    try:
        async with asyncio.timeout(_TRY_S):
            return await gateway.send(parcel)
    except (SendDelayed, SendRefused) as outcome:
        return outcome
    except TimeoutError:
        return SendDelayed(f"no answer within {_TRY_S:.0f} s")
    except Exception as error:  # noqa: BLE001  the outermost loop: one parcel that breaks must not stop the others
        _log.exception("delivery by %s broke", channel)
        return SendDelayed(first_line(error))


def _settle(row: DeliveryRow, outcome: Receipt | SendDelayed | SendRefused, *, now: datetime) -> None:
    match outcome:
        case Receipt():
            row.state, row.error, row.text = DeliveryState.ACCEPTED, None, None
            row.accepted_at, row.gateway_id = now, outcome.gateway_id[:200]
            row.due_at = now + asked_again_after(timedelta()) if outcome.is_reported else None
        case SendDelayed() if row.attempts < MAXIMUM_ATTEMPTS:
            wait = max(delay_after(row.attempts), outcome.retry_after or timedelta())
            row.error, row.due_at = f"{outcome}"[:_ERROR_LENGTH], now + wait
        case SendDelayed() | SendRefused():
            _give_up(row, f"{outcome}")


def _give_up(row: DeliveryRow, reason: str) -> None:
    row.state, row.due_at, row.text = DeliveryState.DEAD, None, None
    row.error = reason[:_ERROR_LENGTH]
    _log.warning("delivery %s by %s was given up after %s tries", row.id, row.channel, row.attempts)

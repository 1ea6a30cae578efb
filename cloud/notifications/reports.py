"""Asks the gateways what became of what they took."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from cloud.core.clock import Clock
from cloud.core.database import Database
from cloud.notifications import tables
from cloud.notifications.channels import Fate, Gateway, Gateways, Report, SendDelayed
from cloud.notifications.domain import REPORTED_WITHIN, DeliveryState, asked_again_after
from cloud.notifications.tables import DeliveryRow

_ASKED_AT_ONCE = 16
_LEASE = timedelta(minutes=10)
"""Longer than asking about _ASKED_AT_ONCE takes; who is asked about twice is told the same."""

_ERROR_LENGTH = 300

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    id: int
    attempts: int
    gateway_id: str


async def ask_due(database: Database, clock: Clock, *, gateways: Gateways) -> None:
    """Ask about what the gateways took, ever more rarely, and note what they say; a job with its own transactions."""
    for channel, gateway in gateways.items():
        async with database.transaction() as session:
            now = clock.now()
            rows = await tables.due(
                session, channel=channel, state=DeliveryState.ACCEPTED, now=now, limit=_ASKED_AT_ONCE
            )
            questions = [_Question(id=row.id, attempts=row.attempts, gateway_id=row.gateway_id or "") for row in rows]
            for row in rows:
                row.due_at = now + _LEASE
        for question in questions:
            report = await _ask(gateway, question.gateway_id)
            async with database.transaction() as session:
                asked = await tables.tried(session, question.id, attempts=question.attempts)
                if asked is not None:
                    _note(asked, report, now=clock.now())


async def _ask(gateway: Gateway, gateway_id: str) -> Report:
    try:
        return await gateway.report(gateway_id)
    except SendDelayed as error:
        _log.debug("no report of %s: %s", gateway_id, error)
        return Report(fate=Fate.UNKNOWN)


def _note(row: DeliveryRow, report: Report, *, now: datetime) -> None:
    match report.fate:
        case Fate.SENT:
            row.state, row.sent_at, row.due_at = DeliveryState.SENT, now, None
        case Fate.FAILED:
            row.state, row.due_at = DeliveryState.DEAD, None
            row.error = (report.reason or "the gateway says that it failed")[:_ERROR_LENGTH]
        case Fate.UNKNOWN:
            age = now - (row.accepted_at or now)
            row.due_at = now + asked_again_after(age) if age < REPORTED_WITHIN else None

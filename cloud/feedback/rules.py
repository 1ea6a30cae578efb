"""How an organisation asks for opinions, and what a poor one does there."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core import audit
from cloud.core.clock import Clock
from cloud.core.database import hold
from cloud.core.errors import Conflict
from cloud.core.principal import Principal, Role
from cloud.feedback import tables
from cloud.feedback.domain import FeedbackRules, Rating
from cloud.feedback.tables import FeedbackRulesRow
from firmware_configs.look.words import _


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesVersion:
    """Rules as they are kept; version 0 are those of an organisation that never chose."""

    version: int
    rules: FeedbackRules


async def find_rules(session: AsyncSession, principal: Principal) -> RulesVersion:
    """Return how the organisation asks."""
    row = await tables.rules_of(session, principal.organisation_id)
    if row is None:
        return RulesVersion(version=0, rules=FeedbackRules())
    return RulesVersion(version=row.version, rules=_rules(row))


async def define_rules(
    session: AsyncSession, clock: Clock, principal: Principal, rules: FeedbackRules, *, version: int
) -> None:
    """Let the organisation ask otherwise from now on.

    Raises:
        Refused: a number is out of its bounds.
        Conflict: somebody changed them since `version` was read.
    """
    principal.require(Role.MANAGER)
    rules.check()
    await hold(session, f"feedback rules {principal.organisation_id}")
    row = await tables.rules_of(session, principal.organisation_id)
    if (row.version if row is not None else 0) != version:
        raise Conflict(_("Somebody else has changed these rules meanwhile. Look at them again before you go on."))
    before = _state(_rules(row) if row is not None else FeedbackRules())
    if row is None:
        row = FeedbackRulesRow(organisation_id=principal.organisation_id, version=0)
        session.add(row)
    row.cap_days, row.poor_at, row.on_poor = rules.cap_days, int(rules.poor_at), rules.on_poor
    row.change_hours, row.open_days, row.version = rules.change_hours, rules.open_days, version + 1
    await session.flush()
    was, is_now = audit.changed(before, _state(rules))
    subject = f"organisation:{principal.organisation_id}"
    audit.record(session, clock, principal, action="feedback.rules_changed", subject=subject, before=was, after=is_now)


def _rules(row: FeedbackRulesRow) -> FeedbackRules:
    return FeedbackRules(
        cap_days=row.cap_days,
        poor_at=Rating(row.poor_at),
        on_poor=row.on_poor,
        change_hours=row.change_hours,
        open_days=row.open_days,
    )


def _state(rules: FeedbackRules) -> dict[str, object]:
    return {
        "cap_days": rules.cap_days,
        "poor_at": int(rules.poor_at),
        "on_poor": str(rules.on_poor),
        "change_hours": rules.change_hours,
        "open_days": rules.open_days,
    }

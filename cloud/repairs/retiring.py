"""Types of tickets that preventive plans use: they stay while a plan does."""

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.clock import Clock
from cloud.core.errors import Conflict
from cloud.core.principal import Principal
from cloud.repairs import maintenance_tables as tables
from cloud.tickets import types
from firmware_configs.look.words import _


async def retire_type(session: AsyncSession, clock: Clock, principal: Principal, *, code: str) -> None:
    """Let no ticket be opened with a type any more, unless a preventive plan opens its repairs with it.

    Raises:
        Forbidden, NotFound, Conflict: as `tickets.types.retire_type` says.
        Conflict: a preventive plan uses it; the error names one.
    """
    plan = await tables.plan_with_type(session, principal.organisation_id, code)
    if plan is not None:
        raise Conflict(
            _("The preventive plan “%(plan)s” opens repairs of this type. Choose another type there first."),
            plan=plan.name_zh or plan.name_en,
        )
    await types.retire_type(session, clock, principal, code=code)

from typing import Any

import pytest

from cloud.alarms.domain import Priority
from cloud.core.errors import Conflict, Forbidden, Refused
from cloud.core.principal import Principal, Role
from cloud.tickets.dispatch_rules import DispatchRules, RulesVersion, define_rules, rules_in_force
from cloud.tickets.ladder import Rung, Whom
from tests.cloud.alarms.site import Site
from tests.cloud.estate import make_organisation


async def define(site: Site, *, by: Principal | None = None, version: int = 0, **changes: Any) -> None:
    manager = by or site.estate.principals[Role.MANAGER]
    async with site.database.transaction() as session:
        await define_rules(session, site.clock, manager, DispatchRules(**changes), version=version)


async def in_force(site: Site) -> RulesVersion:
    async with site.database.reading() as session:
        return await rules_in_force(session, site.system)


async def test_an_organisation_begins_with_rules(site: Site) -> None:
    assert await in_force(site) == RulesVersion(version=0, rules=DispatchRules())


async def test_rules_are_kept_as_they_were_written(site: Site) -> None:
    lead = site.estate.principals[Role.OPERATOR].person_id or 0
    rules = {"cap": 2, "lead_ids": (lead,), "ladder": (Rung(percent=120, whom=Whom.AREA, only_emergency=True),)}
    await define(site, **rules)
    assert await in_force(site) == RulesVersion(version=1, rules=DispatchRules(**rules))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"cap": 0}, "cap"),
        ({"cap": 51}, "cap"),
        ({"asked_at_most": 0}, "asked_at_most"),
        ({"queue_min": 0}, "queue_min"),
        ({"accept_min": {Priority.CRITICAL: 0, Priority.HIGH: 1, Priority.MEDIUM: 1, Priority.LOW: 1}}, "accept_1"),
        ({"accept_min": {Priority.CRITICAL: 1, Priority.HIGH: 1, Priority.MEDIUM: 1}}, "accept_4"),
        ({"ladder": (Rung(percent=60, whom=Whom.LEAD),)}, "ladder"),
    ],
)
async def test_rules_that_do_not_work_are_refused(site: Site, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refused:
        await define(site, **changes)
    assert refused.value.field == field


async def test_a_lead_works_here(site: Site) -> None:
    neighbour = await make_organisation(site.database, site.clock, name="隔壁物业")
    with pytest.raises(Refused) as refused:
        await define(site, lead_ids=(neighbour.administrator.person_id or 0,))
    assert refused.value.field == "lead_ids"


async def test_of_two_who_write_rules_the_second_looks_again(site: Site) -> None:
    await define(site, cap=2)
    with pytest.raises(Conflict):
        await define(site, cap=3)
    assert (await in_force(site)).rules.cap == 2


async def test_only_managers_write_rules(site: Site) -> None:
    with pytest.raises(Forbidden):
        await define(site, by=site.estate.principals[Role.DESK], cap=2)

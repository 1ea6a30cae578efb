from datetime import date, timedelta

import pytest
from sqlalchemy import select

from cloud.core.audit import AuditEntry
from cloud.core.errors import Forbidden, NotFound, Refused
from cloud.core.principal import Principal, Role
from cloud.tickets.skills import EXPIRES_SOON, Certified, count_expiring, give_skill, skills_of, take_skill
from tests.cloud.alarms.site import Site
from tests.cloud.estate import make_organisation

TODAY = date(2026, 3, 2)


async def give(site: Site, *, by: Principal | None = None, person: Role = Role.WORKER, **what: object) -> None:
    person_id = site.estate.principals[person].person_id or 0
    async with site.database.transaction() as session:
        await give_skill(session, site.clock, by or site.estate.administrator, person_id=person_id, **what)


async def known(site: Site) -> list[Certified]:
    async with site.database.reading() as session:
        person_id = site.estate.principals[Role.WORKER].person_id or 0
        return list(await skills_of(session, site.system, person_id=person_id))


async def test_a_skill_is_given_with_its_certificate_and_renewed(site: Site) -> None:
    await give(site, skill="electrical", certificate="T320102", valid_until=date(2027, 1, 1))
    await give(site, skill="electrical", certificate="T320103", valid_until=date(2030, 1, 1))
    (found,) = await known(site)
    assert (found.skill, found.certificate, found.valid_until) == ("electrical", "T320103", date(2030, 1, 1))


@pytest.mark.parametrize(
    ("what", "field"),
    [
        ({"skill": "electrical", "valid_until": date(2027, 1, 1)}, "certificate"),
        ({"skill": "electrical", "certificate": "T1"}, "valid_until"),
        ({"skill": "plumbing", "valid_until": TODAY - timedelta(days=1)}, "valid_until"),
        ({"skill": "juggling"}, "skill"),
        ({"skill": "plumbing", "certificate": "1" * 41}, "certificate"),
        ({"skill": "plumbing", "person": Role.OFFICE}, "person_id"),
    ],
)
async def test_a_skill_that_cannot_be_is_refused_at_its_field(site: Site, what: dict[str, object], field: str) -> None:
    with pytest.raises(Refused) as refused:
        await give(site, **what)
    assert refused.value.field == field
    assert await known(site) == []


async def test_giving_and_taking_are_audited(site: Site) -> None:
    await give(site, skill="plumbing")
    (found,) = await known(site)
    async with site.database.transaction() as session:
        who = site.estate.administrator
        await take_skill(session, site.clock, who, person_id=found.person_id, skill_id=found.id)
    async with site.database.reading() as session:
        rows = await session.scalars(
            select(AuditEntry).where(AuditEntry.action.in_(["tickets.skill_given", "tickets.skill_taken"]))
        )
        entries = [(row.action, row.before, row.after) for row in rows]
    plumbing = {"skill": "plumbing", "certificate": "", "valid_until": None}
    assert entries == [("tickets.skill_given", None, plumbing), ("tickets.skill_taken", plumbing, None)]
    assert await known(site) == []


async def test_only_administrators_give_skills_and_only_to_their_own(site: Site) -> None:
    with pytest.raises(Forbidden):
        await give(site, by=site.estate.principals[Role.MANAGER], skill="plumbing")
    neighbour = await make_organisation(site.database, site.clock, name="隔壁物业")
    with pytest.raises(NotFound):
        await give(site, by=neighbour.administrator, skill="plumbing")


async def test_certificates_that_end_soon_are_counted(site: Site) -> None:
    last_day = TODAY + EXPIRES_SOON
    await give(site, skill="electrical", certificate="T1", valid_until=last_day)
    await give(site, skill="lift", certificate="T2", valid_until=last_day + timedelta(days=1))
    await give(site, skill="plumbing")
    async with site.database.reading() as session:
        assert await count_expiring(session, site.clock, site.system) == 1


@pytest.mark.parametrize(
    ("until", "has_expired", "expires_soon"),
    [
        (None, False, False),
        (TODAY - timedelta(days=1), True, False),
        (TODAY, False, True),
        (TODAY + EXPIRES_SOON, False, True),
        (TODAY + EXPIRES_SOON + timedelta(days=1), False, False),
    ],
)
def test_a_certificate_is_good_with_its_last_day(until: date | None, has_expired: bool, expires_soon: bool) -> None:
    certified = Certified(id=1, person_id=1, skill="electrical", certificate="T1", valid_until=until)
    assert (certified.has_expired(TODAY), certified.expires_soon(TODAY)) == (has_expired, expires_soon)

import pytest

from cloud.accounts import organisations, service
from cloud.accounts.domain import Organisation, SignedIn
from cloud.core.database import Database
from cloud.core.errors import Conflict, Forbidden, Refused
from cloud.core.principal import Role
from tests.clocks import FixedClock
from tests.cloud.estate import PASSWORD, Estate


async def _found(database: Database, clock: FixedClock, **details: str) -> organisations.Founded:
    given = {"name": "云杉物业", "login": "chief", "password": PASSWORD} | details
    async with database.transaction() as session:
        return await organisations.found_organisation(session, clock, **given)


async def test_a_founded_organisation_has_an_administrator_who_signs_in(database: Database, clock: FixedClock) -> None:
    founded = await _found(database, clock, administrator="赵一")
    async with database.transaction() as session:
        outcome = await service.sign_in(session, clock, login="chief", password=PASSWORD, address="::1", agent="")
    assert isinstance(outcome, SignedIn)
    assert not outcome.must_change_password
    assert outcome.principal.organisation_id == founded.organisation_id
    assert (outcome.principal.name, outcome.principal.roles) == ("赵一", {Role.ADMINISTRATOR})
    async with database.reading() as session:
        found = await organisations.find_organisation(session, outcome.principal)
    assert found == Organisation(id=founded.organisation_id, name="云杉物业", time_zone="Asia/Shanghai")


@pytest.mark.parametrize(
    ("details", "field"),
    [
        pytest.param({"name": ""}, "name", id="no name"),
        pytest.param({"password": "short"}, "password", id="weak password"),
        pytest.param({"time_zone": "Asia/Atlantis"}, "time_zone", id="unknown zone"),
        pytest.param({"time_zone": "../etc/passwd"}, "time_zone", id="a path for a zone"),
    ],
)
async def test_what_cannot_be_is_refused_by_its_field(
    database: Database, clock: FixedClock, details: dict[str, str], field: str
) -> None:
    with pytest.raises(Refused) as refused:
        await _found(database, clock, **details)
    assert refused.value.field == field


async def test_a_login_that_is_taken_founds_nothing(database: Database, clock: FixedClock) -> None:
    await _found(database, clock)
    with pytest.raises(Conflict, match="chief is taken"):
        await _found(database, clock, name="银杏物业")


async def test_an_administrator_changes_the_organisation_and_nobody_else(
    database: Database, clock: FixedClock, estate: Estate
) -> None:
    async with database.transaction() as session:
        await organisations.change_organisation(
            session, clock, estate.administrator, name="新名物业", time_zone="Asia/Urumqi"
        )
    async with database.reading() as session:
        found = await organisations.find_organisation(session, estate.administrator)
    assert (found.name, found.time_zone) == ("新名物业", "Asia/Urumqi")
    with pytest.raises(Forbidden):
        async with database.transaction() as session:
            await organisations.change_organisation(
                session, clock, estate.principals[Role.MANAGER], name="x", time_zone="Asia/Urumqi"
            )

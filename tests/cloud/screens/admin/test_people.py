import re

import pytest

from cloud.accounts import people, service
from cloud.accounts.domain import Person, SignedIn
from cloud.core.database import Database
from cloud.core.principal import STAFF, Role
from cloud.properties import service as properties
from tests.clocks import FixedClock
from tests.cloud.estate import Estate
from tests.cloud.web.conftest import Browser

NEW = "/admin/people/new"


async def _people(database: Database, estate: Estate) -> dict[str, Person]:
    async with database.reading() as session:
        return {person.login: person for person in await people.list_people(session, estate.administrator)}


async def _add(administrator: Browser, **fields: object) -> tuple[int, str]:
    form = {"csrf": await administrator.token(NEW), "login": "zheng.qi", "name": "郑七", "roles": ["worker", "desk"]}
    answer = await administrator.post(NEW, data={**form, **fields})
    return answer.status_code, answer.text


def _password(page: str) -> str:
    found = re.search(r"<dd>([a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4})</dd>", page)
    assert found is not None
    return found[1]


async def test_a_new_person_gets_a_one_time_password_that_is_shown_once(
    administrator: Browser, database: Database, clock: FixedClock, estate: Estate
) -> None:
    status, page = await _add(administrator)
    assert status == 200
    added = (await _people(database, estate))["zheng.qi"]
    assert (added.name, added.roles, added.communities) == ("郑七", {Role.WORKER, Role.DESK}, None)
    async with database.transaction() as session:
        outcome = await service.sign_in(
            session, clock, login="zheng.qi", password=_password(page), address="::1", agent=""
        )
    assert isinstance(outcome, SignedIn)
    assert _password(page) not in (await administrator.get(f"/admin/people/{added.id}")).text


async def test_the_page_with_the_password_is_kept_by_no_cache(administrator: Browser) -> None:
    form = {"csrf": await administrator.token(NEW), "login": "zheng.qi", "name": "郑七", "roles": "desk"}
    assert (await administrator.post(NEW, data=form)).headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        pytest.param({"login": "a b c"}, "A login has 3 to 64 letters", id="no login"),
        pytest.param({"roles": []}, "Fill this in.", id="no role"),
        pytest.param({"roles": ["king"]}, "Choose one of the values offered.", id="no such role"),
        pytest.param({"name": ""}, "Fill this in.", id="no name"),
    ],
)
async def test_what_cannot_be_is_shown_at_its_field_over_what_was_typed(
    administrator: Browser, database: Database, estate: Estate, fields: dict[str, object], sentence: str
) -> None:
    status, page = await _add(administrator, **fields)
    assert status == 422
    assert sentence in page
    assert ("郑七" in page) is ("name" not in fields)
    assert "zheng.qi" not in await _people(database, estate)


async def test_a_neighbours_community_can_not_be_chosen(
    administrator: Browser, database: Database, clock: FixedClock, estate: Estate, neighbour: Estate
) -> None:
    async with database.transaction() as session:
        await properties.create_community(session, clock, estate.administrator, name="云杉苑")
        theirs = await properties.create_community(session, clock, neighbour.administrator, name="银杏苑")
    status, page = await _add(administrator, communities=[str(theirs)])
    assert status == 422
    assert "Choose among the communities that are offered." in page
    assert "银杏苑" not in page


async def test_a_login_that_is_taken_is_a_conflict(administrator: Browser, estate: Estate) -> None:
    status, page = await _add(administrator, login=estate.login(Role.DESK).upper())
    assert status == 409
    assert "is taken. Choose another." in page


async def test_a_person_is_limited_to_communities_and_freed_again(
    administrator: Browser, database: Database, clock: FixedClock, estate: Estate
) -> None:
    async with database.transaction() as session:
        community = await properties.create_community(session, clock, estate.administrator, name="云杉苑")
    desk = estate.principals[Role.DESK]
    path = f"/admin/people/{desk.person_id}"
    form = {"name": "孙三", "roles": "manager", "communities": str(community)}
    assert (await administrator.send_form(path, page=path, **form)).headers["location"] == path
    changed = (await _people(database, estate))[estate.login(Role.DESK)]
    assert (changed.roles, changed.communities) == ({Role.MANAGER}, {community})
    page = (await administrator.get(path)).text
    assert re.search(rf'value="{community}" checked', page)
    await administrator.send_form(path, page=path, name="孙三", roles="manager")
    assert (await _people(database, estate))[estate.login(Role.DESK)].communities is None


async def test_somebody_is_let_go_and_taken_back(administrator: Browser, database: Database, estate: Estate) -> None:
    path = f"/admin/people/{estate.principals[Role.DESK].person_id}"
    assert "孙三" in (await administrator.get(f"{path}/deactivate")).text
    await administrator.send_form(f"{path}/deactivate", page=path)
    assert not (await _people(database, estate))[estate.login(Role.DESK)].is_active
    answer = await administrator.send_form(f"{path}/reactivate", page=path)
    assert _password(answer.text)
    assert (await _people(database, estate))[estate.login(Role.DESK)].is_active


async def test_the_last_administrator_stays(administrator: Browser, estate: Estate) -> None:
    path = f"/admin/people/{estate.administrator.person_id}"
    answer = await administrator.send_form(f"{path}/deactivate", page=path)
    assert answer.status_code == 422
    assert re.search(r'role="alert">.*needs an administrator', answer.text)
    answer = await administrator.send_form(path, page=path, name="赵一", roles="desk")
    assert answer.status_code == 422
    assert "needs an administrator" in answer.text


async def test_a_reset_password_is_shown_and_works(
    administrator: Browser, database: Database, clock: FixedClock, estate: Estate
) -> None:
    path = f"/admin/people/{estate.principals[Role.DESK].person_id}"
    answer = await administrator.send_form(f"{path}/password", page=path)
    async with database.transaction() as session:
        outcome = await service.sign_in(
            session, clock, login=estate.login(Role.DESK), password=_password(answer.text), address="::1", agent=""
        )
    assert isinstance(outcome, SignedIn)


async def test_the_list_is_searched_filtered_by_role_and_exported(
    administrator: Browser, neighbour: Estate, estate: Estate
) -> None:
    found = (await administrator.get("/admin/people?q=孙三")).text
    assert estate.login(Role.DESK) in found
    assert estate.login(Role.WORKER) not in found
    export = (await administrator.get("/admin/people?roles=worker&format=csv")).text.lstrip("\ufeff").splitlines()
    assert export == [
        "Name,Login,Roles,Signs in,Last sign-in",
        f"李四,{estate.login(Role.WORKER)},Repair worker,Yes,",
    ]
    whole = (await administrator.get("/admin/people?format=csv")).text
    assert neighbour.login(Role.WORKER) not in whole
    assert len(whole.splitlines()) == 1 + len(STAFF)


async def test_a_neighbours_person_is_not_there(administrator: Browser, neighbour: Estate) -> None:
    path = f"/admin/people/{neighbour.principals[Role.DESK].person_id}"
    csrf = await administrator.token("/admin/people")
    for answer in (
        await administrator.get(path),
        await administrator.get(f"{path}/deactivate"),
        await administrator.post(path, data={"csrf": csrf, "name": "x", "roles": "desk"}),
        await administrator.post(f"{path}/deactivate", data={"csrf": csrf}),
        await administrator.post(f"{path}/reactivate", data={"csrf": csrf}),
        await administrator.post(f"{path}/password", data={"csrf": csrf}),
    ):
        assert answer.status_code == 404

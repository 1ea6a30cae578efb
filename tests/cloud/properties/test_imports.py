from collections.abc import Sequence

import pytest

from cloud.accounts import people, telephones
from cloud.core import audit
from cloud.core.database import Database
from cloud.core.errors import Conflict, Forbidden, NotFound, Refused
from cloud.core.listing import Ask
from cloud.core.principal import Principal, Role
from cloud.core.sheets import Sheet, SheetRow
from cloud.properties import imports, occupancies
from cloud.properties import service as properties
from cloud.properties.import_lines import COLUMNS, ImportKind
from cloud.properties.import_tables import ImportState, Noun
from cloud.properties.tree import read_tree
from tests.clocks import FixedClock
from tests.cloud.estate import Estate

ESTATE = (("云杉苑", "云杉路 1 号", "1 号楼", "101"), ("云杉苑", "", "1 号楼", "102"), ("银杏苑", "", "1 号楼", "101"))
OCCUPANTS = (
    ("云杉苑", "1 号楼", "101", "张三", "13800000001", "业主", "2024-03-01"),
    ("云杉苑", "1 号楼", "102", "张三", "13800000001", "业主", "2024-03-01"),
    ("云杉苑", "1 号楼", "102", "李四", "", "租户", "2024-03-01"),
)
STAFF = (("wang.wu", "王五", "客服前台、维修", "13800000003", "云杉苑"),)


class Office:
    """An administrator who imports."""

    def __init__(self, database: Database, clock: FixedClock, principal: Principal) -> None:
        self.database = database
        self.clock = clock
        self.principal = principal

    async def send(self, kind: ImportKind, rows: Sequence[Sequence[str]]) -> int:
        header = SheetRow(number=1, cells=[column.zh for column in COLUMNS[kind]])
        below = [SheetRow(number=number, cells=list(cells)) for number, cells in enumerate(rows, 2)]
        async with self.database.transaction() as session:
            return await imports.send(
                session,
                self.clock,
                self.principal,
                kind=kind,
                file="表.xlsx",
                sheet=Sheet(header=header, rows=below),
            )

    async def apply(self, import_id: int) -> None:
        drawn = await imports.draw_passwords(self.database, self.principal, import_id)
        async with self.database.transaction() as session:
            verdict = await imports.judge(session, self.principal, import_id)
            await imports.apply(session, self.clock, self.principal, import_id, news=verdict.news, drawn=drawn)

    async def take(self, kind: ImportKind, rows: Sequence[Sequence[str]]) -> int:
        import_id = await self.send(kind, rows)
        await self.apply(import_id)
        return import_id

    async def undo(self, import_id: int) -> None:
        async with self.database.transaction() as session:
            await imports.undo(session, self.clock, self.principal, import_id)

    async def tree(self) -> list[str]:
        """The units by their whole names."""
        async with self.database.reading() as session:
            found = []
            for community in await properties.list_communities(session, self.principal):
                tree = await read_tree(session, self.principal, community.id)
                found += [
                    f"{tree.name} {building.name} {unit.name}" for building in tree.buildings for unit in building.units
                ]
            return sorted(found)


@pytest.fixture
def office(database: Database, clock: FixedClock, estate: Estate) -> Office:
    return Office(database, clock, estate.administrator)


async def test_nothing_is_made_before_it_is_applied(office: Office) -> None:
    import_id = await office.send(ImportKind.ESTATE, ESTATE)
    async with office.database.reading() as session:
        verdict = await imports.judge(session, office.principal, import_id)
    assert (verdict.rows, verdict.news, verdict.known, verdict.faulty) == (3, 3, 0, 0)
    assert verdict.makes == {"communities": 2, "buildings": 2, "units": 3}
    assert await office.tree() == []


async def test_an_estate_is_made_undone_and_made_again(office: Office) -> None:
    import_id = await office.take(ImportKind.ESTATE, ESTATE)
    assert await office.tree() == ["云杉苑 1 号楼 101", "云杉苑 1 号楼 102", "银杏苑 1 号楼 101"]
    async with office.database.reading() as session:
        found = await imports.find(session, office.principal, import_id)
    assert found.made == {Noun.COMMUNITY: 2, Noun.BUILDING: 2, Noun.UNIT: 3}
    await office.undo(import_id)
    assert await office.tree() == []
    await office.take(ImportKind.ESTATE, ESTATE)
    assert len(await office.tree()) == 3


async def test_the_same_table_again_makes_nothing(office: Office) -> None:
    await office.take(ImportKind.ESTATE, ESTATE)
    again = await office.send(ImportKind.ESTATE, ESTATE)
    with pytest.raises(Refused, match="there already"):
        await office.apply(again)


async def test_a_table_with_one_wrong_cell_makes_nothing(office: Office) -> None:
    import_id = await office.send(ImportKind.ESTATE, [*ESTATE, ("云杉苑", "", "", "103")])
    with pytest.raises(Refused, match="nothing was imported"):
        await office.apply(import_id)
    assert await office.tree() == []


async def test_what_was_shown_is_what_is_imported_or_nothing(office: Office) -> None:
    import_id = await office.send(ImportKind.ESTATE, ESTATE)
    await office.take(ImportKind.ESTATE, ESTATE[:1])
    async with office.database.transaction() as session:
        with pytest.raises(Conflict, match="changed meanwhile"):
            await imports.apply(session, office.clock, office.principal, import_id, news=3)


async def test_an_import_is_applied_once(office: Office) -> None:
    import_id = await office.take(ImportKind.ESTATE, ESTATE)
    async with office.database.transaction() as session:
        with pytest.raises(Conflict, match="done with already"):
            await imports.apply(session, office.clock, office.principal, import_id, news=3)


async def test_occupants_become_one_person_by_number_and_undoing_takes_them_out(office: Office) -> None:
    await office.take(ImportKind.ESTATE, ESTATE)
    import_id = await office.take(ImportKind.OCCUPANTS, OCCUPANTS)
    async with office.database.reading() as session:
        found = await imports.find(session, office.principal, import_id)
        tree = await read_tree(
            session, office.principal, (await properties.list_communities(session, office.principal))[0].id
        )
        units = {unit.name: unit.id for unit in tree.buildings[0].units}
        there = await occupancies.occupants(session, office.principal, units.values())
    assert found.made == {Noun.PERSON: 2, Noun.OCCUPANCY: 3}
    assert [occupant.name for occupant in there[units["101"]]] == ["张三"]
    assert {occupant.name for occupant in there[units["102"]]} == {"张三", "李四"}
    assert there[units["101"]][0].person_id in {occupant.person_id for occupant in there[units["102"]]}
    await office.undo(import_id)
    async with office.database.reading() as session:
        assert await occupancies.occupants(session, office.principal, [units["101"]]) == {units["101"]: []}


async def test_who_was_known_stays_when_the_import_that_moved_them_in_is_undone(office: Office) -> None:
    await office.take(ImportKind.ESTATE, ESTATE)
    async with office.database.transaction() as session:
        known = await telephones.enrol_owner(
            session, office.clock, office.principal, name="张三丰", phone="13800000001"
        )
    await office.undo(await office.take(ImportKind.OCCUPANTS, OCCUPANTS[:1]))
    async with office.database.reading() as session:
        (person,) = await people.list_people(session, office.principal, ids=[known])
    assert (person.name, person.roles) == ("张三丰", frozenset({Role.OWNER}))


async def test_staff_get_a_one_time_password_and_what_they_may_do(office: Office, database: Database) -> None:
    await office.take(ImportKind.ESTATE, ESTATE)
    import_id = await office.send(ImportKind.STAFF, STAFF)
    drawn = await imports.draw_passwords(database, office.principal, import_id)
    async with database.transaction() as session:
        applied = await imports.apply(session, office.clock, office.principal, import_id, news=1, drawn=drawn)
        (person_id,) = applied.items[Noun.PERSON]
        person = await people.find_person(session, office.principal, person_id)
    (invitation,) = applied.invitations
    assert [invitation.one_time_password] == [each.text for each in drawn]
    assert (invitation.login, len(invitation.one_time_password) > 8) == ("wang.wu", True)
    assert (person.roles, len(person.communities or ())) == (frozenset({Role.DESK, Role.WORKER}), 1)


async def test_nobody_comes_without_a_password_that_was_drawn(office: Office, database: Database) -> None:
    await office.take(ImportKind.ESTATE, ESTATE)
    import_id = await office.send(ImportKind.STAFF, STAFF)
    async with database.transaction() as session:
        with pytest.raises(Conflict, match="changed meanwhile"):
            await imports.apply(session, office.clock, office.principal, import_id, news=1)


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        pytest.param(ImportKind.ESTATE, ESTATE, id="no staff"),
        pytest.param(ImportKind.STAFF, [*STAFF, ("", "李四", "维修", "", "")], id="a wrong cell"),
    ],
)
async def test_nothing_is_drawn_for_what_lets_nobody_in(
    office: Office, kind: ImportKind, rows: Sequence[Sequence[str]]
) -> None:
    import_id = await office.send(kind, rows)
    assert await imports.draw_passwords(office.database, office.principal, import_id) == []


async def test_what_is_in_use_can_not_be_undone_and_nothing_of_it_is(office: Office) -> None:
    import_id = await office.take(ImportKind.ESTATE, ESTATE)
    await office.take(ImportKind.OCCUPANTS, OCCUPANTS)
    with pytest.raises(Conflict, match="in use by now"):
        await office.undo(import_id)
    assert len(await office.tree()) == 3


async def test_a_table_that_was_left_is_gone_and_its_rows_with_it(office: Office) -> None:
    import_id = await office.send(ImportKind.OCCUPANTS, OCCUPANTS)
    async with office.database.transaction() as session:
        await imports.discard(session, office.clock, office.principal, import_id)
    async with office.database.reading() as session:
        assert (await imports.list_imports(session, office.principal, Ask())).rows == []
        with pytest.raises(NotFound):
            await imports.find(session, office.principal, import_id)


async def test_everything_that_an_import_makes_is_in_the_audit(office: Office) -> None:
    await office.take(ImportKind.ESTATE, ESTATE)
    async with office.database.reading() as session:
        entries = await audit.list_entries(session, office.principal, Ask(limit=None))
    actions = [entry.action for entry in entries.rows]
    assert actions.count("properties.unit_created") == 3
    assert actions.count("properties.import_applied") == 1


async def test_only_administrators_import_and_only_for_their_organisation(
    office: Office, estate: Estate, neighbour: Estate
) -> None:
    import_id = await office.send(ImportKind.ESTATE, ESTATE)
    desk = Office(office.database, office.clock, estate.principals[Role.DESK])
    with pytest.raises(Forbidden):
        await desk.send(ImportKind.ESTATE, ESTATE)
    for stranger, refusal in ((desk.principal, Forbidden), (neighbour.administrator, NotFound)):
        async with office.database.transaction() as session:
            with pytest.raises(refusal):
                await imports.find(session, stranger, import_id)
            with pytest.raises(refusal):
                await imports.apply(session, office.clock, stranger, import_id, news=3)
    async with office.database.reading() as session:
        found = await imports.find(session, office.principal, import_id)
    assert found.state is ImportState.CHECKED

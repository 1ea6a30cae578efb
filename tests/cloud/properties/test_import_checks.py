from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.core.errors import Refused
from cloud.core.principal import Role
from cloud.core.sheets import Sheet, SheetRow
from cloud.properties.domain import OccupancyKind
from cloud.properties.import_checks import (
    Check,
    KnownOccupants,
    KnownStaff,
    NewOccupancy,
    NewStaff,
    NewUnit,
    check_estate,
    check_occupants,
    check_staff,
    counted,
)
from cloud.properties.import_lines import ImportKind, Line, lines_of

UNITS = {("云杉苑", "1 号楼", "101"): 11, ("云杉苑", "1 号楼", "102"): 12}


def _lines(kind: ImportKind, header: Sequence[str], *rows: Sequence[str]) -> Sequence[Line]:
    parts = [SheetRow(number=number, cells=list(cells)) for number, cells in enumerate((header, *rows), 1)]
    return lines_of(kind, Sheet(header=parts[0], rows=parts[1:]))


def _units(*rows: tuple[str, str, str]) -> Sequence[Line]:
    return _lines(ImportKind.ESTATE, ("小区", "楼栋", "房号"), *rows)


def _occupants(*rows: Sequence[str]) -> Sequence[Line]:
    return _lines(ImportKind.OCCUPANTS, ("小区*", "楼栋", "房号", "姓名", "手机号", "身份", "入住日期"), *rows)


def _faults(check: Check[NewUnit] | Check[NewOccupancy] | Check[NewStaff]) -> list[tuple[str, str]]:
    return [(fault.cell, str(fault.error)) for fault in check.faults]


def test_units_are_new_known_or_wrong_and_nothing_else() -> None:
    lines = _units(
        ("云杉苑", "1 号楼", "101"), ("云杉苑", "2 号楼", "101"), ("云杉苑", "2 号楼", "101"), ("", "2 号楼", "")
    )
    known = frozenset(UNITS)
    check = check_estate(lines, known)
    assert check.news == [NewUnit(path=("云杉苑", "2 号楼", "101"), address="")]
    assert (check.rows, check.known, check.faulty) == (4, 1, 2)
    assert _faults(check) == [
        ("C4", "This is in row 3 already."),
        ("A5", "A name has 1 to 80 characters."),
        ("C5", "A name has 1 to 80 characters."),
    ]
    assert counted(check, known) == {"communities": 0, "buildings": 1, "units": 1}


@given(st.lists(st.tuples(*[st.sampled_from(["", "云杉苑", "1 号楼", "101", "x" * 81])] * 3), max_size=12))
def test_the_rows_always_add_up(rows: list[tuple[str, str, str]]) -> None:
    check = check_estate(_units(*rows), frozenset(UNITS)) if rows else Check[NewUnit](rows=0)
    assert check.rows == len(check.news) + check.known + check.faulty


def test_a_table_may_have_its_columns_in_any_order_either_language_and_more_of_them() -> None:
    (line,) = _lines(ImportKind.ESTATE, ("Remark", "UNIT*", "building", "小区"), ("x", "101", "1 号楼", "云杉苑"))
    assert line.texts == {"community": "云杉苑", "building": "1 号楼", "unit": "101"}
    assert line.cell("unit") == "B2"


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (("小区", "房号"), "Row 1 must name the columns; these are missing: 楼栋 / Building."),
        (("小区", "楼栋", "房号", "Unit"), "The column 房号 stands there twice: C1, D1."),
    ],
    ids=["missing", "twice"],
)
def test_a_table_without_its_columns_is_refused(header: tuple[str, ...], said: str) -> None:
    with pytest.raises(Refused) as refused:
        _lines(ImportKind.ESTATE, header, ("云杉苑", "1 号楼", "101"))
    assert str(refused.value) == said


def test_occupants_are_moved_in_where_they_are_not_yet() -> None:
    lines = _occupants(
        ("云杉苑", "1 号楼", "101", "张三", "138 0000 0001", "业主", "2024/3/1".replace("/3/1", "/03/01")),
        ("云杉苑", "1 号楼", "102", "李四", "", "tenant", "2024-03-01"),
        ("云杉苑", "1 号楼", "102", "王五", "13800000002", "家属", "2024-03-01"),
    )
    there = {(12, "李四"): None, (12, "+8613800000002"): date(2023, 1, 1)}
    check = check_occupants(lines, KnownOccupants(units=UNITS, there=there))
    assert check.faults == []
    assert check.known == 1
    assert [(new.unit_id, new.phone, new.kind) for new in check.news] == [
        (11, "+8613800000001", OccupancyKind.OWNER),
        (12, "+8613800000002", OccupancyKind.FAMILY),
    ]


def test_every_wrong_cell_of_an_occupant_is_named_at_once() -> None:
    lines = _occupants(
        ("云杉苑", "9 号楼", "101", "", "12", "邻居", "1.3.24"),
        ("云杉苑", "1 号楼", "101", "张三", "13800000001", "业主", "2024-03-01"),
        ("云杉苑", "1 号楼", "102", "张三丰", "13800000001", "业主", "2024-03-01"),
    )
    check = check_occupants(lines, KnownOccupants(units=UNITS, there={}))
    assert [cell for cell, _said in _faults(check)] == ["C2", "D2", "E2", "F2", "G2", "E4"]
    assert _faults(check)[0][1] == "There is no unit 101 in 9 号楼 of 云杉苑: import or add the unit first."
    assert _faults(check)[-1][1] == "The same number stands for 张三 further up."


def test_staff_are_added_with_the_roles_and_communities_that_the_table_names() -> None:
    header = ("登录名", "姓名", "角色", "手机号", "小区")
    rows = [("li.si", "李四", "客服前台、维修", "", "云杉苑"), ("wang.wu", "王五", "worker", "", "")]
    known = KnownStaff(logins={"wang.wu": "王五"}, phones={}, communities={"云杉苑": 3})
    check = check_staff(_lines(ImportKind.STAFF, header, *rows), known)
    assert check.known == 1
    assert check.news == [
        NewStaff(
            login="li.si",
            name="李四",
            roles=frozenset({Role.DESK, Role.WORKER}),
            phone=None,
            communities=frozenset({3}),
        )
    ]


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (("ab", "李四", "维修", "", ""), ("A2", "A login has 3 to 64 letters, digits or . @ + - _ characters.")),
        (("taken", "李四", "维修", "", ""), ("A2", "The login taken is taken. Choose another.")),
        (("li.si", "李四", "业主", "", ""), ("C2", "There is no role 业主")),
        (("li.si", "李四", "", "", ""), ("C2", "Choose at least one role.")),
        (("li.si", "李四", "维修", "13800000001", ""), ("D2", "This number is already that of 张三.")),
        (
            ("li.si", "李四", "维修", "", "银杏苑"),
            ("E2", "There is no community 银杏苑; leave the cell empty for all."),
        ),
    ],
    ids=["login", "taken", "an owner is no staff", "no role", "phone", "community"],
)
def test_what_is_wrong_with_staff_is_named_by_its_cell(row: tuple[str, ...], fault: tuple[str, str]) -> None:
    known = KnownStaff(logins={"taken": None}, phones={"+8613800000001": "张三"}, communities={"云杉苑": 3})
    check = check_staff(_lines(ImportKind.STAFF, ("登录名", "姓名", "角色", "手机号", "小区"), row), known)
    ((cell, said),) = _faults(check)
    assert cell == fault[0]
    assert said.startswith(fault[1])

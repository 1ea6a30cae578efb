"""What a table to import may hold: its columns by kind, and its rows by those columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from cloud.core.errors import Refused
from cloud.core.sheets import Sheet, SheetRow, column_letters
from firmware_configs.look.words import _


class ImportKind(StrEnum):
    """What a table tells of, one row each."""

    ESTATE = "estate"  # units, with the building and the community around them
    OCCUPANTS = "occupants"  # who owns a unit or lives in it
    STAFF = "staff"  # who works here


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column, under the heading in either language.

    Attributes:
        example: what its template shows.
    """

    name: str
    zh: str
    en: str
    example: str
    is_required: bool = True


COLUMNS: Mapping[ImportKind, Sequence[Column]] = {
    ImportKind.ESTATE: (
        Column(name="community", zh="小区", en="Community", example="云杉苑"),
        Column(name="address", zh="地址", en="Address", example="云杉路 1 号", is_required=False),
        Column(name="building", zh="楼栋", en="Building", example="1 号楼"),
        Column(name="unit", zh="房号", en="Unit", example="101"),
    ),
    ImportKind.OCCUPANTS: (
        Column(name="community", zh="小区", en="Community", example="云杉苑"),
        Column(name="building", zh="楼栋", en="Building", example="1 号楼"),
        Column(name="unit", zh="房号", en="Unit", example="101"),
        Column(name="name", zh="姓名", en="Name", example="张三"),
        Column(name="phone", zh="手机号", en="Telephone", example="138 0000 0001", is_required=False),
        Column(name="kind", zh="身份", en="Kind", example="业主"),
        Column(name="since", zh="入住日期", en="Since", example="2024-03-01"),
    ),
    ImportKind.STAFF: (
        Column(name="login", zh="登录名", en="Login", example="li.si"),
        Column(name="name", zh="姓名", en="Name", example="李四"),
        Column(name="roles", zh="角色", en="Roles", example="客服前台、维修"),
        Column(name="phone", zh="手机号", en="Telephone", example="138 0000 0002", is_required=False),
        Column(name="communities", zh="小区", en="Communities", example="云杉苑", is_required=False),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row by its columns.

    Attributes:
        number: as the spreadsheet shows it, from 1.
        texts: what stands in each column; empty where nothing does.
        letters: what the spreadsheet calls each column.
    """

    number: int
    texts: Mapping[str, str]
    letters: Mapping[str, str]

    def cell(self, name: str) -> str:
        """Return where a column's text stands: "C12"; the row alone when the table has no such column."""
        return f"{self.letters.get(name, '')}{self.number}"


def lines_of(kind: ImportKind, sheet: Sheet) -> Sequence[Line]:
    """Return the table's rows by the columns of its kind; columns that it has beyond them are not looked at.

    Raises:
        Refused: a column is missing, or stands there twice.
    """
    at = {column.name: position for column in COLUMNS[kind] if (position := _position(column, sheet.header)) >= 0}
    missing = [f"{column.zh} / {column.en}" for column in COLUMNS[kind] if column.is_required and column.name not in at]
    if missing:
        sentence = _("Row %(row)s must name the columns; these are missing: %(columns)s.")
        raise Refused(sentence, "file", row=sheet.header.number, columns=", ".join(missing))
    letters = {name: column_letters(position) for name, position in at.items()}
    return [
        Line(number=row.number, texts={name: _text(row, position) for name, position in at.items()}, letters=letters)
        for row in sheet.rows
    ]


def _position(column: Column, header: SheetRow) -> int:
    """Return where the column stands, -1 for nowhere."""
    headings = {column.zh.casefold(), column.en.casefold(), column.name}
    found = [position for position, text in enumerate(header.cells) if text.rstrip("*").casefold() in headings]
    if len(found) > 1:
        both = ", ".join(f"{column_letters(position)}{header.number}" for position in found)
        raise Refused(_("The column %(column)s stands there twice: %(both)s."), "file", column=column.zh, both=both)
    return found[0] if found else -1


def _text(row: SheetRow, position: int) -> str:
    return row.cells[position] if position < len(row.cells) else ""

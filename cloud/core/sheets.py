"""Tables that people send: the first sheet of an Excel file, or a CSV, as rows of text with their numbers."""

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from python_calamine import CalamineError, CalamineWorkbook

from cloud.core.errors import Malformed
from firmware_configs.look.words import _

MAXIMUM_BYTES = 5 * 1024 * 1024
MAXIMUM_ROWS = 5_000
MAXIMUM_COLUMNS = 50

_UNPACKED_BYTES = 100 * 1024 * 1024
"""Of an Excel file, which is a zip archive: a few kilobytes could unpack to more than the machine holds."""

_ENCODINGS = ("utf-8-sig", "gb18030")
"""What spreadsheets in China write; a text that is good UTF-8 is hardly ever meant as anything else."""

_DELIMITERS = ",;\t"
_DIGITS = 15
"""Of a whole number that a spreadsheet, which keeps numbers as float64, has kept exactly."""

Value = int | float | str | bool | date | datetime | time | timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetRow:
    """A row as it stands in the file.

    Attributes:
        number: as the spreadsheet shows it, from 1.
        cells: the text of each column, without spaces around it.
    """

    number: int
    cells: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A table; rows that are empty all along are left out."""

    header: SheetRow
    rows: Sequence[SheetRow]


def read_sheet(content: bytes) -> Sheet:
    """Return the table in a file; an Excel file is known by its first bytes, everything else is read as CSV.

    Dates come as ISO 8601, whole numbers without a point: a telephone number that a spreadsheet took for a number
    has its digits again.

    Raises:
        Malformed: it is too large, can't be read, or has no row below its header.
    """
    if len(content) > MAXIMUM_BYTES:
        sentence = _("The file is too large: send at most %(megabytes)s MB at once.")
        raise Malformed(sentence, "file", megabytes=MAXIMUM_BYTES // 1024**2)
    values = _of_workbook(content) if content.startswith((b"PK", b"\xd0\xcf\x11\xe0")) else _of_csv(content)
    rows = [row for number, cells in enumerate(values, 1) if any((row := _row(number, cells)).cells)]
    if len(rows) < 2:
        raise Malformed(_("The file holds no row below its header."), "file")
    if len(rows) - 1 > MAXIMUM_ROWS:
        raise Malformed(_("The file has too many rows: send at most %(rows)s at once."), "file", rows=MAXIMUM_ROWS)
    return Sheet(header=rows[0], rows=rows[1:])


def column_letters(position: int) -> str:
    """Return what a spreadsheet calls the column at a position, from 0: A, B, ..., Z, AA."""
    letters = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _of_workbook(content: bytes) -> Iterable[Sequence[Value]]:
    _check_unpacked(content)
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(content)) as workbook:
            return workbook.get_sheet_by_index(0).to_python(skip_empty_area=False, nrows=MAXIMUM_ROWS + 2)
    except CalamineError as error:
        sentence = _("This Excel file can't be read: save it anew without a password, or as CSV.")
        raise Malformed(sentence, "file") from error


def _check_unpacked(content: bytes) -> None:
    if not content.startswith(b"PK"):
        return
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(part.file_size for part in archive.infolist())
    except zipfile.BadZipFile as error:
        raise Malformed(_("This Excel file is damaged: save it anew."), "file") from error
    if unpacked > _UNPACKED_BYTES:
        raise Malformed(_("This Excel file holds far too much: send only the table."), "file")


def _of_csv(content: bytes) -> Iterable[Sequence[str]]:
    text = _decoded(content)
    first = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=first.count)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise Malformed(_("This CSV file can't be read: a quotation mark in it is not closed."), "file") from error


def _decoded(content: bytes) -> str:
    for encoding in _ENCODINGS:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise Malformed(_("This file is neither Excel nor text in UTF-8 or GB 18030."), "file")


def _row(number: int, cells: Sequence[Value]) -> SheetRow:
    return SheetRow(number=number, cells=[_text(cell) for cell in cells[:MAXIMUM_COLUMNS]])


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float) and value.is_integer() and abs(value) < 10**_DIGITS:
        return str(int(value))
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value).strip()

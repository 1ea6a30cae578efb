"""Rows as a CSV or an XLSX file, written as they come and never held: numbers stay numbers, text never runs.

XLSX by XlsxWriter (BSD-2-Clause) in its constant-memory mode: a row leaves memory when the next one begins.
"""

import csv
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from math import isfinite
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import xlsxwriter

from cloud.core.exports import Format
from cloud.core.money import Money

Cell = str | int | float | Decimal | datetime | Money | None
"""What stands in a cell; an instant is written as the reader's wall shows it."""

Line = Sequence[Cell]

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_MOST_ROWS = 1_048_575  # of a sheet of XLSX, below its heading
_MOST_CHARACTERS = 32_767  # of a cell of XLSX
_EXACT = 10**15  # a spreadsheet reckons with 15 digits: a longer number is kept as text
_SIGNS = {"CNY": "¥", "USD": "$", "EUR": "€", "HKD": "HK$"}


class Spreadsheet(Protocol):
    """A file that rows are added to; all of it blocks."""

    def add(self, lines: Sequence[Line]) -> None:
        """Write some more rows."""

    def close(self) -> None:
        """Make the file whole."""


def begin(form: Format, file: Path, *, headings: Sequence[str], about: Sequence[Line], zone: ZoneInfo) -> Spreadsheet:
    """Return a new file with its headings; `about` says what the rows are, where the format has room for it."""
    if form is Format.CSV:
        return _Csv(file, headings, zone)
    return _Xlsx(file, headings, about, zone)


class _Csv:
    def __init__(self, file: Path, headings: Sequence[str], zone: ZoneInfo) -> None:
        # Excel takes a file without the mark for the machine's own code page and shows no Chinese.
        self._file = file.open("w", encoding="utf-8-sig", newline="")
        self._writer = csv.writer(self._file)
        self._zone = zone
        self._writer.writerow([_as_text(heading, zone) for heading in headings])

    def add(self, lines: Sequence[Line]) -> None:
        self._writer.writerows([_as_text(cell, self._zone) for cell in line] for line in lines)

    def close(self) -> None:
        self._file.close()


def _as_text(cell: Cell, zone: ZoneInfo) -> str:
    """Return a cell of CSV; text that looks like a formula gets an apostrophe, which no number has."""
    match cell:
        case None:
            return ""
        case datetime():
            return cell.astimezone(zone).isoformat(sep=" ", timespec="seconds")
        case Money():
            return str(cell.amount)
        case str():
            return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell
        case _:
            return str(cell)


class _Xlsx:
    def __init__(self, file: Path, headings: Sequence[str], about: Sequence[Line], zone: ZoneInfo) -> None:
        self._book: Any = xlsxwriter.Workbook(file, {"constant_memory": True, "tmpdir": str(file.parent)})
        self._headings = headings
        self._zone = zone
        self._bold = self._book.add_format({"bold": True})
        self._time = self._book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._amounts: dict[str, Any] = {}
        first = self._book.add_worksheet()
        first.set_column(0, 1, 30)
        for number, line in enumerate(about):
            self._write(first, number, line)
        self._sheet = self._next_sheet()
        self._sheet.activate()

    def add(self, lines: Sequence[Line]) -> None:
        for line in lines:
            if self._row == _MOST_ROWS:
                self._sheet = self._next_sheet()
            self._row += 1
            self._write(self._sheet, self._row, line)

    def close(self) -> None:
        self._book.close()

    def _next_sheet(self) -> Any:
        sheet = self._book.add_worksheet()
        sheet.set_column(0, len(self._headings) - 1, 20)
        sheet.freeze_panes(1, 1)
        for column, heading in enumerate(self._headings):
            sheet.write_string(0, column, heading, self._bold)
        self._row = 0
        return sheet

    def _write(self, sheet: Any, row: int, line: Line) -> None:
        for column, cell in enumerate(line):
            match cell:
                case None:
                    continue
                case datetime():
                    there = cell.astimezone(self._zone).replace(tzinfo=None)
                    sheet.write_datetime(row, column, there, self._time)
                case Money():
                    sheet.write_number(row, column, cell.amount, self._amount(cell))
                case int() | float() | Decimal() if _is_exact(cell):
                    sheet.write_number(row, column, cell)
                case _:
                    sheet.write_string(row, column, str(cell)[:_MOST_CHARACTERS])

    def _amount(self, money: Money) -> Any:
        """Return the number format of a currency, with its sign and as many decimals as the currency has."""
        if money.currency not in self._amounts:
            digits = -int(money.amount.as_tuple().exponent)
            sign = _SIGNS.get(money.currency, f"{money.currency} ")
            shape = f'"{sign}"#,##0' + ("." + "0" * digits if digits else "")
            self._amounts[money.currency] = self._book.add_format({"num_format": shape})
        return self._amounts[money.currency]


def _is_exact(number: float | Decimal) -> bool:
    """Return whether a spreadsheet can hold the number; NaN and the infinities are none."""
    return isfinite(number) and -_EXACT < number < _EXACT

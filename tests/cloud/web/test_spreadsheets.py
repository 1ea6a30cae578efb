"""What stands in the files, read back from their own XML."""

import tracemalloc
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET
from zipfile import ZipFile
from zoneinfo import ZoneInfo

import pytest

from cloud.core.exports import Format
from cloud.core.money import Money
from cloud.web import spreadsheets
from cloud.web.spreadsheets import Cell

_ZONE = ZoneInfo("Asia/Shanghai")
_NS = {"x": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


def _written(file: Path, *cells: Cell) -> None:
    about = [("List", "Things")]
    sheet = spreadsheets.begin(Format.XLSX, file, headings=["A"] * len(cells), about=about, zone=_ZONE)
    sheet.add([cells])
    sheet.close()


def _cells(file: Path, sheet: int, row: int) -> list[tuple[str | None, str | None]]:
    """Return of each cell its type and what stands in it."""
    with ZipFile(file) as book:
        root = ET.fromstring(book.read(f"xl/worksheets/sheet{sheet}.xml"))  # noqa: S314  we wrote it
    return [
        (cell.get("t"), cell.findtext("x:is/x:t", cell.findtext("x:v", namespaces=_NS), namespaces=_NS))
        for cell in root.findall(f"x:sheetData/x:row[@r='{row}']/x:c", _NS)
    ]


def test_numbers_money_and_instants_are_numbers_and_the_rest_is_text(tmp_path: Path) -> None:
    file = tmp_path / "list.xlsx"
    at = datetime(2026, 3, 1, 22, tzinfo=UTC)
    _written(file, 1.5, Decimal("2.25"), Money(-1234, "CNY"), at, "水泵房", 10**15, float("nan"))
    assert _cells(file, 2, 2) == [
        (None, "1.5"),
        (None, "2.25"),
        (None, "-12.34"),
        (None, "46083.25"),
        ("inlineStr", "水泵房"),
        ("inlineStr", "1000000000000000"),
        ("inlineStr", "nan"),
    ]
    with ZipFile(file) as book:
        styles = book.read("xl/styles.xml").decode()
    assert "yyyy-mm-dd hh:mm:ss" in styles
    assert "&quot;¥&quot;#,##0.00" in styles


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "=HYPERLINK(1)", "http://x.test", "\t=1"])
def test_text_stays_text(tmp_path: Path, text: str) -> None:
    file = tmp_path / "list.xlsx"
    _written(file, text)
    assert _cells(file, 2, 2) == [("inlineStr", text)]
    with ZipFile(file) as book:
        assert "<f>" not in book.read("xl/worksheets/sheet2.xml").decode()


def test_the_first_sheet_says_what_the_rows_are(tmp_path: Path) -> None:
    file = tmp_path / "list.xlsx"
    _written(file, "x")
    assert _cells(file, 1, 1) == [("inlineStr", "List"), ("inlineStr", "Things")]


def test_rows_past_a_sheets_end_go_on_in_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheets, "_MOST_ROWS", 2)
    file = tmp_path / "list.xlsx"
    sheet = spreadsheets.begin(Format.XLSX, file, headings=["A"], about=[], zone=_ZONE)
    sheet.add([[number] for number in range(3)])
    sheet.close()
    assert [_cells(file, 3, row) for row in (1, 2)] == [[("inlineStr", "A")], [(None, "2")]]


@pytest.mark.parametrize("form", Format)
def test_however_many_rows_there_are_few_are_held(tmp_path: Path, form: Format) -> None:
    sheet = spreadsheets.begin(form, tmp_path / "list", headings=["A"] * 8, about=[], zone=_ZONE)
    tracemalloc.start()
    try:
        for _ in range(20):
            sheet.add([[f"text {number}" * 5, number, None, "水", 1.5, "a", "b", "c"] for number in range(500)])
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()
    sheet.close()

import io
from datetime import UTC, datetime
from typing import Any

import pytest
import xlsxwriter

from cloud.core import sheets
from cloud.core.errors import Malformed
from cloud.core.sheets import Sheet, SheetRow, column_letters, read_sheet


def _workbook(*rows: tuple[Any, ...]) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True, "remove_timezone": True}) as workbook:
        day = workbook.add_format({"num_format": "yyyy-mm-dd"})
        sheet = workbook.add_worksheet()
        for number, cells in enumerate(rows):
            for position, cell in enumerate(cells):
                if isinstance(cell, datetime):
                    sheet.write_datetime(number, position, cell, day)
                else:
                    sheet.write(number, position, cell)
    return content.getvalue()


def test_an_excel_table_is_read_as_text_with_its_row_numbers() -> None:
    content = _workbook(
        ("小区", "手机号", "入住日期"),
        (),
        ("云杉苑", 13800000001, datetime(2024, 3, 1, tzinfo=UTC)),
        ("  云杉苑 ", "0101", 1.5),
    )
    assert read_sheet(content) == Sheet(
        header=SheetRow(number=1, cells=["小区", "手机号", "入住日期"]),
        rows=[
            SheetRow(number=3, cells=["云杉苑", "13800000001", "2024-03-01"]),
            SheetRow(number=4, cells=["云杉苑", "0101", "1.5"]),
        ],
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
def test_a_csv_of_any_spreadsheet_in_china_is_read(encoding: str, delimiter: str) -> None:
    content = f'小区{delimiter}房号\r\n云杉苑{delimiter}"1{delimiter}01"\r\n'.encode(encoding)
    assert read_sheet(content).rows == [SheetRow(number=2, cells=["云杉苑", f"1{delimiter}01"])]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no row below its header"),
        ("小区,房号\n".encode(), "no row below its header"),
        (b"PK\x03\x04 half an archive", "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 half a workbook", "can't be read"),
        (b'a,b\n"c,d\n', "quotation mark"),
        (b"\xff\xfea\x00,\x00b\x00", "neither Excel nor text"),
        (b"x" * (sheets.MAXIMUM_BYTES + 1), "too large"),
        (b"a\n" + b"b\n" * (sheets.MAXIMUM_ROWS + 1), "too many rows"),
    ],
    ids=[
        "empty",
        "a header alone",
        "half an xlsx",
        "half an xls",
        "an open quotation",
        "UTF-16",
        "too large",
        "too long",
    ],
)
def test_a_file_that_is_no_table_is_refused_with_what_to_do(content: bytes, said: str) -> None:
    with pytest.raises(Malformed, match=said) as refused:
        read_sheet(content)
    assert refused.value.field == "file"


def test_a_small_file_that_unpacks_to_a_huge_one_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "_UNPACKED_BYTES", 100)
    with pytest.raises(Malformed, match="far too much"):
        read_sheet(_workbook(("小区",), ("云杉苑",)))


@pytest.mark.parametrize(("position", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA")])
def test_columns_are_called_as_the_spreadsheet_calls_them(position: int, letters: str) -> None:
    assert column_letters(position) == letters

"""A list whole, and as CSV: exactly the rows, columns and order of the view, safe to open in a spreadsheet."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from cloud.core.errors import Refused
from cloud.core.listing import Ask
from cloud.core.money import Money
from cloud.web import formats
from cloud.web.catalogues import Catalogue, Message
from cloud.web.lists import Column, Entry, ListView, Load
from cloud.web.reader import Reader
from firmware_configs.look.words import _

MOST_ROWS = 50_000
_STRETCH_ROWS = 2_000
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
# Excel takes a file without it for the machine's own code page and shows no Chinese.
_BYTE_ORDER_MARK = "\ufeff"


async def as_csv(view: ListView[Entry], ask: Ask, load: Load[Entry], reader: Reader) -> Response:
    """Return every row that `ask` matches, whatever page it was.

    Raises:
        Refused: more rows match than one file may hold.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([_heading(column, reader.words) for column in view.columns])
    async for row in every_row(ask, load):
        writer.writerow(_cells(view.columns, row, reader))
    return _file(view.name, _BYTE_ORDER_MARK + text.getvalue(), reader)


async def every_row(ask: Ask, load: Load[Entry]) -> AsyncIterator[Entry]:
    """Yield every row that `ask` matches, in its order, loaded stretch by stretch.

    Raises:
        Refused: more rows match than one request may carry.
    """
    for offset in range(0, MOST_ROWS, _STRETCH_ROWS):
        found = await load(ask.part(offset=offset, limit=_STRETCH_ROWS))
        for row in found.rows:
            yield row
        if len(found.rows) < _STRETCH_ROWS:
            return
    raise Refused(_("More than %(rows)d rows match: narrow the list with a filter, then try again."), rows=MOST_ROWS)


def _heading(column: Column[Any], words: Catalogue) -> str:
    label = words.say(column.label)
    return f"{label} ({column.unit})" if column.unit else label


def _cells(columns: Sequence[Column[Any]], row: Any, reader: Reader) -> list[str]:
    return [_cell(column, column.value(row), reader) for column in columns]


def _cell(column: Column[Any], value: Any, reader: Reader) -> str:
    """Return the cell as a spreadsheet takes it: a number stays one, text that looks like a formula does not run."""
    if value is None:
        return ""
    if words := column.told(value) or (value if isinstance(value, Message) else None):
        return reader.words.say(words)
    if isinstance(value, datetime):
        return formats.local(value, reader.zone).isoformat(sep=" ", timespec="seconds")
    if isinstance(value, int | float | Decimal):
        return str(value)
    if isinstance(value, Money):
        return str(value.amount)
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _file(name: str, text: str, reader: Reader) -> Response:
    day = formats.local(reader.now, reader.zone).date().isoformat()
    disposition = f"attachment; filename*=UTF-8''{quote(f'{name}-{day}.csv')}"
    return Response(text, media_type="text/csv; charset=utf-8", headers={"Content-Disposition": disposition})

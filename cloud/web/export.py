"""A list whole, and as a file: exactly the rows, columns and order of the view, safe to open in a spreadsheet."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from cloud.core.errors import Refused
from cloud.core.exports import Format
from cloud.core.listing import Ask, Found, Walk
from cloud.core.money import Money
from cloud.web import formats, spreadsheets
from cloud.web.catalogues import Message
from cloud.web.lists import Column, Entry, Load
from cloud.web.reader import Reader
from cloud.web.replay import Listed
from cloud.web.shown import Shown
from cloud.web.spreadsheets import Cell, Line, Spreadsheet
from firmware_configs.look.words import _

MOST_CHOSEN = 50_000
"""Rows that one act may take."""

STRETCH_ROWS = 1_000


async def stretches(ask: Ask, load: Load[Entry]) -> AsyncIterator[Found[Entry]]:
    """Yield all that `ask` matches, in its order, stretch by stretch; however much there is, little is held."""
    walk = Walk()
    for offset in count(0, STRETCH_ROWS):
        part = Ask(
            search=ask.search,
            filters=ask.filters,
            sort=ask.sort,
            descending=ask.descending,
            offset=offset,
            limit=STRETCH_ROWS,
            walk=walk,
        )
        found = await load(part)
        yield found
        # A walk goes on past rows that were there when it began and are no longer.
        if offset + STRETCH_ROWS >= len(walk.keys) if walk.keys is not None else len(found.rows) < STRETCH_ROWS:
            return


async def every_row(ask: Ask, load: Load[Entry]) -> AsyncIterator[Entry]:
    """Yield every row that `ask` matches, in its order.

    Raises:
        Refused: more rows match than one act may take.
    """
    taken = 0
    async for found in stretches(ask, load):
        taken += len(found.rows)
        if taken > MOST_CHOSEN:
            sentence = _("More than %(rows)d rows match: narrow the list with a filter, then try again.")
            raise Refused(sentence, rows=MOST_CHOSEN)
        for row in found.rows:
            yield row


async def as_file(listed: Listed, form: Format) -> Response:
    """Return every row of a list that is short enough to wait for, whatever page it was."""
    with TemporaryDirectory(prefix="gatehouse-export-") as folder:
        file = Path(folder) / f"list.{form}"
        async with opened(listed, form, file) as sheet:
            async for found in stretches(listed.asked.ask, listed.load):
                await asyncio.to_thread(sheet.add, lines(listed.asked.columns, found.rows, listed.reader))
        content = await asyncio.to_thread(file.read_bytes)
    headers = {"Content-Disposition": attachment(file_name(listed, form))}
    return Response(content, media_type=form.media_type, headers=headers)


@asynccontextmanager
async def opened(listed: Listed, form: Format, file: Path) -> AsyncIterator[Spreadsheet]:
    """Yield the file, with its headings and what it says of itself; it is whole when the block ends."""
    headings = [_heading(column, listed.reader) for column in listed.asked.columns]
    about = _about(listed)
    zone = listed.reader.zone
    sheet = await asyncio.to_thread(spreadsheets.begin, form, file, headings=headings, about=about, zone=zone)
    try:
        yield sheet
    finally:
        await asyncio.to_thread(sheet.close)


def lines(columns: Sequence[Column[Any]], rows: Sequence[Any], reader: Reader) -> list[Line]:
    """Return rows as their cells."""
    return [[_cell(column, column.value(row), reader) for column in columns] for row in rows]


def file_name(listed: Listed, form: Format) -> str:
    """Return what the file is called: the list and the day."""
    day = formats.local(listed.reader.now, listed.reader.zone).date().isoformat()
    return f"{listed.view.name}-{day}.{form}"


def attachment(name: str) -> str:
    """Return the header that makes a browser keep what it gets as a file."""
    return f"attachment; filename*=UTF-8''{quote(name)}"


def _about(listed: Listed) -> list[Line]:
    """Return what the rows are: which list, when, and the search and the filters that they all fulfil."""
    say = listed.reader.words.say
    shown = Shown(
        view=listed.view,
        path=listed.path,
        asked=listed.asked,
        found=Found(rows=(), total=0),
        zone=listed.reader.zone,
    )
    told = [
        (say(part.label), f" {say(_('or'))} ".join(say(label) for label in part.labels) or say(part.message))
        for part in shown.told
    ]
    return [(say(_("List")), say(listed.view.caption)), (say(_("As of")), listed.reader.now), *told]


def _heading(column: Column[Any], reader: Reader) -> str:
    label = reader.words.say(column.label)
    return f"{label} ({column.unit})" if column.unit else label


def _cell(column: Column[Any], value: Any, reader: Reader) -> Cell:
    """Return what a spreadsheet holds of a value; options and messages are said."""
    if words := column.told(value) or (value if isinstance(value, Message) else None):
        return reader.words.say(words)
    if isinstance(value, bool):
        return str(value)
    if value is None or isinstance(value, int | float | Decimal | datetime | Money):
        return value
    return str(value)

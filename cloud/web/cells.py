"""The cells of a list, drawn without a macro each: of a long list they are most of what a page costs."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from cloud.web import formats
from cloud.web.catalogues import Message
from cloud.web.lists import Column, Kind
from cloud.web.reader import Reader, current
from cloud.web.shown import Shown

NOTHING = "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What all cells of a column have in common.

    Attributes:
        opening: the cell's opening tag.
        leads: whether it names its row: the first column.
        is_own: whether the template draws its cells, and not `_cell`.
        chips: of a column of chips, what stands for each of its options.
        late: draws a time that is late.
    """

    column: Column[Any]
    opening: Markup
    leads: bool
    is_own: bool
    chips: Mapping[object, Markup]
    late: Callable[[Markup], Markup]


def heads(shown: Shown[Any], own: Collection[str] | None, look: Any) -> Sequence[Head]:
    """Return the list's columns; `own` names those that the template draws, None all of them; `look` are the macros."""
    say = current().words.say
    return [
        Head(
            column=column,
            opening=_opening(say(column.label), column, leads=position == 0),
            leads=position == 0,
            is_own=own is None or column.name in own,
            chips={option.compared: look.chip(say(option.label), column.chip) for option in column.options}
            if column.chip
            else {},
            late=look.late,
        )
        for position, column in enumerate(shown.columns)
    ]


def drawn(row: Any, columns: Sequence[Head], caller: Callable[[Any, Column[Any]], str], page: str) -> Markup:
    """Return a row's cells; `caller` draws those that the template draws, `page` is the row's own, empty for none."""
    parts, reader = [], current()
    for head in columns:
        inside = caller(row, head.column) if head.is_own else _cell(row, head, reader)
        if head.leads and page:
            parts.append(f'{head.opening}<a href="{escape(page)}" data-open>{inside}</a></td>')
        else:
            parts.append(f"{head.opening}<div>{inside}</div></td>")
    return Markup("".join(parts))  # noqa: S704  every part is markup by now


def plain(row: Any, column: Column[Any]) -> str:
    """Return a cell's value by its kind: text, a Message, number, time or money; an option says its label."""
    return _plain(column.value(row), column, current())


def _cell(row: Any, head: Head, reader: Reader) -> Markup:
    value = head.column.value(row)
    if head.chips and value in head.chips:  # a Message, which no column of chips holds, can't be looked up
        return head.chips[value]
    inside = escape(_plain(value, head.column, reader))
    return head.late(inside) if head.column.late and head.column.late(row) else inside


def _plain(value: Any, column: Column[Any], reader: Reader) -> str:
    if value is None:
        return NOTHING
    said = value if isinstance(value, Message) else column.options and column.told(value)
    return reader.words.say(said) if said else _DRAWN[column.kind](value, reader)


def time(instant: Any, reader: Reader, **where: Any) -> Markup:
    """Return a time element: short to read, exact on hover and for machines."""
    exact, short = formats.exact_time(instant, reader, **where), formats.time(instant, reader, **where)
    machine = instant.isoformat(timespec="seconds")
    return Markup(f'<time datetime="{machine}" title="{exact}">{escape(short)}</time>')  # noqa: S704  no text of others


def _opening(label: str, column: Column[Any], *, leads: bool) -> Markup:
    classes = ("number" if column.is_numeric else "") + ("" if column.phone else " only-wide")
    titled = Markup(" data-title") if leads else ""
    return Markup('<td%s data-label="%s" class="%s">') % (titled, label, classes.strip())


_DRAWN: Mapping[Kind, Callable[[Any, Reader], str]] = {
    Kind.TEXT: lambda value, _reader: value if isinstance(value, str) else str(value),
    Kind.NUMBER: lambda value, _reader: formats.number(value),
    Kind.TIME: time,
    Kind.MONEY: lambda value, _reader: formats.money(value),
}

"""Every list: what its columns are, what the address asks of it, and what of that stands on the page or in the CSV.

A screen declares a `ListView` once and loads rows for an `Ask`; search, filters, sorting, paging, their words above the
table and the export are the same everywhere, over the whole set, with their state in the address.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from starlette.datastructures import QueryParams

from cloud.core.listing import COUNT_LIMIT, PAGE_ROWS, Ask, Filter, Found, Operator
from cloud.web.catalogues import Message
from firmware_configs.look.words import _

Entry = TypeVar("Entry")

SEARCH = "q"
SORT = "sort"
PAGE = "page"
ROW = "row"
MATCHING = "matching"
COLUMNS = "cols"
VIEW = "view"
FORMAT = "format"
CHOOSING = "choosing"
"""Whether the sheet of columns stands open: it does after a column was moved."""

_LARGEST_DIGITS = 15  # a float keeps that many, and a database's integer more
_UNREADABLE = _("The filter value “%(typed)s” can't be read and was left out.")
_ENDS = (("from", Operator.FROM), ("until", Operator.UNTIL))


class Kind(StrEnum):
    """What a column holds: how it is aligned, filtered and exported."""

    TEXT = "text"
    NUMBER = "number"
    TIME = "time"
    MONEY = "money"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One value that a column may be filtered by."""

    value: str
    label: str
    meaning: Any = None
    """What is compared in the database; None when it is `value` itself."""

    @property
    def compared(self) -> Any:
        """Return what a row holds that is this option."""
        return self.value if self.meaning is None else self.meaning


@dataclass(frozen=True, kw_only=True)
class Column(Generic[Entry]):
    """One column of a list.

    Attributes:
        name: in addresses, and in the listing's `columns` when it is sorted or filtered by.
        label: catalogue id of its heading.
        value: what the cell holds: text, a Message, a number, an aware datetime, Money, or None.
        options: the values it can be filtered by; for a closed set.
        filtered: whether it has a filter: of its options, else by contained text or by a range.
        phone: whether it stands on a phone's card.
        unit: written in the heading after the label.
        chip: the icon before each option, of options that are drawn as chips.
        late: whether a row's time is over, and drawn so.
    """

    name: str
    label: str
    value: Callable[[Entry], Any]
    kind: Kind = Kind.TEXT
    sortable: bool = True
    filtered: bool = False
    options: tuple[Option, ...] = ()
    phone: bool = True
    unit: str = ""
    chip: str = ""
    late: Callable[[Entry], bool] | None = None

    def told(self, value: object) -> str:
        """Return the catalogue id of the option that `value` is; empty when it is none."""
        return next((option.label for option in self.options if option.compared == value), "")

    @property
    def is_numeric(self) -> bool:
        """Return whether the column is right-aligned with tabular figures."""
        return self.kind in {Kind.NUMBER, Kind.MONEY}


@dataclass(frozen=True, kw_only=True)
class ListView(Generic[Entry]):
    """A list as a screen declares it, once.

    Attributes:
        name: the id of its element and the name of its block; also the export's file name.
        key: what tells a row from all others, for selection and live updates.
        caption: catalogue id that names the table for who can't see it.
        searchable: catalogue id of what the search field looks through; empty for no search.
        sort: the column it is sorted by when the address says nothing; "-name" for descending.
        marked: a class of the row, for what must be seen in it.
        summary: the row in a few words, for the strip in which new rows wait.
    """

    name: str
    columns: tuple[Column[Entry], ...]
    key: Callable[[Entry], int | str]
    caption: str
    searchable: str = ""
    sort: str = ""
    page_rows: int = PAGE_ROWS
    marked: Callable[[Entry], str] | None = None
    summary: Callable[[Entry], str] | None = None

    def asked(self, parameters: QueryParams, zone: ZoneInfo, remembered: Sequence[str] = ()) -> "Asked":
        """Return what an address asks; what can't be read is left out and told.

        `remembered` are the columns for an address that names none.
        """
        problems: list[Message] = []
        filtered = (column for column in self.columns if column.filtered)
        filters = [part for column in filtered for part in _filters(column, parameters, zone, problems)]
        wanted = parameters.get(SORT, self.sort)
        column = next((c for c in self.columns if c.sortable and c.name == wanted.removeprefix("-")), None)
        if column is None and SORT in parameters and wanted:
            problems.append(Message(_("The list can't be sorted by “%(name)s”."), {"name": wanted[:40]}))
        number = min(max(whole(parameters.get(PAGE, "")) or 1, 1), COUNT_LIMIT // self.page_rows)
        ask = Ask(
            search=parameters.get(SEARCH, "").strip()[:200] if self.searchable else "",
            filters=tuple(filters),
            sort=column.name if column else "",
            descending=wanted.startswith("-"),
            offset=(number - 1) * self.page_rows,
            limit=self.page_rows,
        )
        columns = self._columns(parameters, remembered, problems)
        return Asked(ask=ask, parameters=parameters, number=number, columns=columns, problems=tuple(problems))

    @property
    def filter_names(self) -> frozenset[str]:
        """Return what an address calls the filters."""
        names = {column.name for column in self.columns if column.filtered}
        return frozenset(names | {f"{name}.{end}" for name in names for end, _operator in _ENDS})

    @property
    def known_names(self) -> frozenset[str]:
        """Return what of an address makes a view that can be kept."""
        return self.filter_names | {SEARCH, SORT, COLUMNS}

    def _columns(
        self, parameters: QueryParams, remembered: Sequence[str], problems: list[Message]
    ) -> tuple[Column[Entry], ...]:
        """Return the chosen columns in their order; all, as they come, when none is chosen."""
        by_name = {column.name: column for column in self.columns}
        named = [name for part in parameters.getlist(COLUMNS) for name in part.split(",") if name]
        for name in named:
            if name not in by_name:
                gone = _("The column “%(name)s” is no longer there and was left out.")
                problems.append(Message(gone, {"name": name[:40]}))
        chosen = dict.fromkeys(name for name in named or remembered if name in by_name)
        return tuple(by_name[name] for name in chosen) or self.columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An address, read."""

    ask: Ask
    parameters: QueryParams
    number: int
    columns: tuple[Column[Any], ...]
    problems: tuple[Message, ...] = ()


def view_query(view: ListView[Any], asked: Asked) -> str:
    """Return what of an address makes a view that can be kept: search, filters, order and, if chosen, the columns."""
    kept = view.known_names - {COLUMNS}
    pairs = [(name, value) for name, value in asked.parameters.multi_items() if name in kept and value]
    if asked.columns != view.columns or COLUMNS in asked.parameters:
        pairs.append((COLUMNS, ",".join(column.name for column in asked.columns)))
    return urlencode(pairs, safe=",")


Load = Callable[[Ask], Awaitable[Found[Entry]]]
"""What brings rows for an ask."""


def _filters(column: Column[Any], parameters: QueryParams, zone: ZoneInfo, problems: list[Message]) -> list[Filter]:
    if column.options:
        wanted = dict.fromkeys(parameters.getlist(column.name))
        known = {option.value for option in column.options}
        problems.extend(Message(_UNREADABLE, {"typed": typed[:40]}) for typed in wanted if typed and typed not in known)
        values = tuple(option.compared for option in column.options if option.value in wanted)
        return [Filter(column=column.name, operator=Operator.IS, values=values)] if values else []
    if column.kind is Kind.TEXT:
        words = parameters.get(column.name, "").strip()[:200]
        return [Filter(column=column.name, operator=Operator.CONTAINS, values=(words,))] if words else []
    found = []
    for end, operator in _ENDS:
        typed = parameters.get(f"{column.name}.{end}", "").strip()
        if not typed:
            continue
        value = _bound(typed, column.kind, operator, zone)
        if value is None:
            problems.append(Message(_UNREADABLE, {"typed": typed}))
        else:
            found.append(Filter(column=column.name, operator=operator, values=(value,)))
    return found


def _bound(typed: str, kind: Kind, operator: Operator, zone: ZoneInfo) -> datetime | int | float | None:
    """Return a range's end; a day that is named as the last belongs to the range, so its end is the next midnight."""
    try:
        if kind is Kind.TIME:
            day = date.fromisoformat(typed) + timedelta(days=operator is Operator.UNTIL)
            return datetime.combine(day, time(), zone)
        number = Decimal(typed)
    except (ValueError, InvalidOperation, OverflowError):
        return None
    if not number.is_finite() or number.adjusted() >= _LARGEST_DIGITS:
        return None
    if kind is Kind.MONEY:
        return int(number.scaleb(2))  # money is compared in minor units, of which every currency here has a hundred
    return int(number) if number == int(number) else float(number)


def whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None

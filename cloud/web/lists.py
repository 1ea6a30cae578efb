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
_LARGEST_DIGITS = 15  # a float keeps that many, and a database's integer more
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

    def told(self, value: object) -> str:
        """Return the catalogue id of the option that `value` is; empty when it is none."""
        return next((option.label for option in self.options if _meaning(option) == value), "")

    @property
    def is_numeric(self) -> bool:
        """Return whether the column is right-aligned with tabular figures."""
        return self.kind in {Kind.NUMBER, Kind.MONEY}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A filter in words, with the address of the list without it.

    Attributes:
        labels: catalogue ids of the chosen options; empty when `message` says it.
    """

    label: str
    message: Message
    without: str
    labels: tuple[str, ...] = ()


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

    def asked(self, parameters: QueryParams, zone: ZoneInfo) -> "Asked":
        """Return what an address asks; what can't be read is left out and told."""
        problems: list[Message] = []
        filtered = (column for column in self.columns if column.filtered)
        filters = [part for column in filtered for part in _filters(column, parameters, zone, problems)]
        wanted = parameters.get(SORT, self.sort)
        column = next((c for c in self.columns if c.sortable and c.name == wanted.removeprefix("-")), None)
        number = min(max(_whole(parameters.get(PAGE, "")) or 1, 1), COUNT_LIMIT // self.page_rows)
        ask = Ask(
            search=parameters.get(SEARCH, "").strip()[:200] if self.searchable else "",
            filters=tuple(filters),
            sort=column.name if column else "",
            descending=wanted.startswith("-"),
            offset=(number - 1) * self.page_rows,
            limit=self.page_rows,
        )
        return Asked(ask=ask, parameters=parameters, number=number, problems=tuple(problems))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An address, read."""

    ask: Ask
    parameters: QueryParams
    number: int
    problems: tuple[Message, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Shown(Generic[Entry]):
    """A stretch of a list as a template draws it; every address it needs is made here."""

    view: ListView[Entry]
    path: str
    asked: Asked
    found: Found[Entry]
    zone: ZoneInfo

    @property
    def rows(self) -> Sequence[Entry]:
        """Return the rows on this page."""
        return self.found.rows

    @property
    def total(self) -> int:
        """Return how many rows match, up to the limit of counting."""
        return min(self.found.total, COUNT_LIMIT)

    @property
    def is_narrowed(self) -> bool:
        """Return whether a search or a filter leaves rows out."""
        return bool(self.asked.ask.search or self.asked.ask.filters)

    @property
    def pages(self) -> int:
        """Return how many pages there are."""
        return max(-(-self.total // self.view.page_rows), 1)

    @property
    def first(self) -> int:
        """Return the number of the first row on this page, 0 when there is none."""
        return self.asked.ask.offset + 1 if self.rows else 0

    @property
    def last(self) -> int:
        """Return the number of the last row on this page."""
        return self.asked.ask.offset + len(self.rows)

    @property
    def here(self) -> str:
        """Return this view's own address."""
        return self._address([])

    def page_address(self, number: int) -> str:
        """Return the address of another page of the same view."""
        return self._address([(PAGE, str(number))], without={PAGE})

    def sort_address(self, column: Column[Entry]) -> str:
        """Return the address that sorts by `column`, and by the other way round when it is sorted by already."""
        turned = self.is_sorted_by(column) and not self.asked.ask.descending
        return self._address([(SORT, f"-{column.name}" if turned else column.name)], without={SORT, PAGE})

    def is_sorted_by(self, column: Column[Entry]) -> bool:
        """Return whether the list is sorted by `column` now."""
        return self.asked.ask.sort == column.name

    @property
    def matching(self) -> str:
        """Return what the address asks, for an act on every row that matches it."""
        return self._address([], without={PAGE}).partition("?")[2]

    @property
    def export_address(self) -> str:
        """Return where the CSV of this view is."""
        return self._address([("format", "csv")], without={PAGE})

    @property
    def cleared(self) -> str:
        """Return the address without search and filters."""
        return self._address([], without={SEARCH, PAGE, *self._filter_names()})

    @property
    def kept(self) -> list[tuple[str, str]]:
        """Return what the form must carry along unseen: what stands in no field of it."""
        fields = {SEARCH, SORT, PAGE, *self._filter_names()}
        return [(name, value) for name, value in self.asked.parameters.multi_items() if name not in fields]

    def typed(self, name: str) -> str:
        """Return what the address holds in a field."""
        return self.asked.parameters.get(name, "")

    def chosen(self, name: str) -> list[str]:
        """Return all that the address holds in a field of several values."""
        return self.asked.parameters.getlist(name)

    @property
    def told(self) -> list[Told]:
        """Return the search and each filter in words."""
        told = [self._told(part) for part in self.asked.ask.filters]
        words = self.asked.ask.search
        if words:
            without = self._address([], without={SEARCH, PAGE})
            told.insert(0, Told(label=_("Search"), message=Message(words), without=without))
        return told

    def _told(self, part: Filter) -> Told:
        column = next(column for column in self.view.columns if column.name == part.column)
        is_end = part.operator in {Operator.FROM, Operator.UNTIL}
        name = f"{column.name}.{part.operator}" if is_end else column.name
        return Told(
            label=column.label,
            message=self._sentence(part),
            without=self._address([], without={name, PAGE}),
            labels=tuple(column.told(value) for value in part.values) if part.operator is Operator.IS else (),
        )

    def _sentence(self, part: Filter) -> Message:
        value = part.values[0]
        if isinstance(value, datetime):
            day = value.astimezone(self.zone).date() - timedelta(days=part.operator is Operator.UNTIL)
            value = day.isoformat()
        match part.operator:
            case Operator.IS:
                return Message("")
            case Operator.CONTAINS:
                return Message(_("contains “%(words)s”"), {"words": value})
            case Operator.FROM:
                return Message(_("from %(value)s"), {"value": value})
            case Operator.UNTIL:
                return Message(_("up to %(value)s"), {"value": value})

    def _filter_names(self) -> set[str]:
        names = {column.name for column in self.view.columns if column.filtered}
        return names | {f"{name}.{end}" for name in names for end, _operator in _ENDS}

    def _address(self, pairs: list[tuple[str, str]], *, without: set[str] | None = None) -> str:
        kept = [(k, v) for k, v in self.asked.parameters.multi_items() if k not in (without or set()) and v]
        query = urlencode([*((k, v) for k, v in kept if k != "format"), *pairs])
        return f"{self.path}?{query}" if query else self.path


Load = Callable[[Ask], Awaitable[Found[Entry]]]
"""What brings rows for an ask."""


def _filters(column: Column[Any], parameters: QueryParams, zone: ZoneInfo, problems: list[Message]) -> list[Filter]:
    if column.options:
        wanted = set(parameters.getlist(column.name))
        values = tuple(_meaning(option) for option in column.options if option.value in wanted)
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
            problem = _("The filter value “%(typed)s” can't be read and was left out.")
            problems.append(Message(problem, {"typed": typed}))
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


def _meaning(option: Option) -> Any:
    return option.value if option.meaning is None else option.meaning


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None

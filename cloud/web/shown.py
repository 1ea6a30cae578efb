"""A stretch of a list as it stands on a page: what a template draws, and every address around it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

from cloud.accounts.views import Habits, SavedView
from cloud.core.exports import Format
from cloud.core.listing import COUNT_LIMIT, Filter, Found, Operator
from cloud.core.money import Money
from cloud.web.catalogues import Message
from cloud.web.lists import (
    CHOOSING,
    FORMAT,
    PAGE,
    SEARCH,
    SORT,
    VIEW,
    Asked,
    Column,
    Entry,
    ListView,
    view_query,
    whole,
)
from firmware_configs.look.words import _

AT_ONCE_ROWS = 5_000
"""Rows that a browser waits for; a file of more is written in the background."""


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
class Shown(Generic[Entry]):
    """A stretch of a list as a template draws it; every address it needs is made here.

    Attributes:
        habits: how the reader looks at this list.
        token: what the forms around the list prove themselves with.
        may_share: whether the reader may show a view to the whole organisation.
    """

    view: ListView[Entry]
    path: str
    asked: Asked
    found: Found[Entry]
    zone: ZoneInfo
    habits: Habits = field(default_factory=Habits)
    token: str = ""
    may_share: bool = False

    @property
    def columns(self) -> tuple[Column[Entry], ...]:
        """Return the columns that are shown, in their order."""
        return self.asked.columns

    @property
    def unchosen(self) -> list[Column[Entry]]:
        """Return the columns that are not shown."""
        return [column for column in self.view.columns if column not in self.columns]

    @property
    def is_choosing(self) -> bool:
        """Return whether the sheet of columns stands open."""
        return CHOOSING in self.asked.parameters

    @property
    def current(self) -> SavedView | None:
        """Return the saved view that the address names."""
        number = whole(self.asked.parameters.get(VIEW, ""))
        return next((view for view in self.habits.views if view.id == number), None)

    @property
    def problems(self) -> tuple[Message, ...]:
        """Return what could not be done as it was asked, the present view's lost filters among it."""
        if self.current is None:
            return self.asked.problems
        names = dict.fromkeys(name for name, _value in parse_qsl(self.current.query))
        gone = _("The filter “%(name)s” of this view is no longer there and was left out.")
        lost = [Message(gone, {"name": name[:40]}) for name in names if name not in self.view.known_names]
        return (*self.asked.problems, *lost)

    @property
    def is_long(self) -> bool:
        """Return whether a file of the list is written in the background."""
        return self.found.has_more or self.found.total > AT_ONCE_ROWS

    @property
    def state(self) -> str:
        """Return the query string that shows the same again to anybody: without a page, its columns named."""
        return view_query(self.view, self.asked)

    def view_address(self, view: SavedView | None) -> str:
        """Return where a saved view is, or the list as it comes."""
        if view is None:
            return f"{self.path}?{VIEW}=0"
        return f"{self.path}?{view.query}{'&' if view.query else ''}{VIEW}={view.id}"

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
    def sums(self) -> list[tuple[str, tuple[Money, ...]]]:
        """Return what the shown columns of money come to over all rows that match, by the columns' labels."""
        sums = self.found.sums
        return [(column.label, sums[column.name]) for column in self.columns if sums.get(column.name)]

    @property
    def matching(self) -> str:
        """Return what the address asks, for an act on every row that matches it."""
        return self._address([], without={PAGE}).partition("?")[2]

    def export_address(self, form: Format) -> str:
        """Return where the file of this view is."""
        return self._address([(FORMAT, form)], without={PAGE})

    @property
    def cleared(self) -> str:
        """Return the address without search and filters, and not the view that it opens with."""
        address = self._address([], without={SEARCH, PAGE, *self.view.filter_names})
        return self.view_address(None) if address == self.path and self.habits.default_id is not None else address

    @property
    def kept(self) -> list[tuple[str, str]]:
        """Return what the form must carry along unseen: what stands in no field of it."""
        fields = {SEARCH, SORT, PAGE, FORMAT, CHOOSING, *self.view.filter_names}
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

    def _address(self, pairs: list[tuple[str, str]], *, without: set[str] | None = None) -> str:
        kept = [(k, v) for k, v in self.asked.parameters.multi_items() if k not in (without or set()) and v]
        query = urlencode([*((k, v) for k, v in kept if k not in {FORMAT, CHOOSING}), *pairs])
        return f"{self.path}?{query}" if query else self.path

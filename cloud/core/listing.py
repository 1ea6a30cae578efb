"""A list that a reader may search, filter, sort and page: the one way in which every list asks the database.

A slice's `tables.py` builds a `Listing` (its select and the SQL behind each column's name); the page brings an `Ask`;
`fetch` joins the two, so that no page writes SQL and no slice reads URLs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Generic, TypeVar, assert_never

from sqlalchemy import ColumnElement, Row, Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

Entry = TypeVar("Entry")

PAGE_ROWS = 50
COUNT_LIMIT = 10_000
"""Rows counted at most: past this a page says "more than", since counting a million rows costs more than showing 50."""


class Operator(StrEnum):
    """How a filter compares."""

    IS = "is"  # equal to one of the values
    CONTAINS = "contains"  # text that holds the value, whatever its case
    FROM = "from"  # at least
    UNTIL = "until"  # below


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One condition on one column; several in an ask must all hold."""

    column: str
    operator: Operator
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a reader wants of a list.

    Attributes:
        sort: the column's name; empty for the listing's own order.
        limit: rows wanted; None for all.
    """

    search: str = ""
    filters: tuple[Filter, ...] = ()
    sort: str = ""
    descending: bool = False
    offset: int = 0
    limit: int | None = PAGE_ROWS

    def part(self, *, offset: int, limit: int) -> "Ask":
        """Return the same ask for another stretch of rows."""
        return replace(self, offset=offset, limit=limit)


@dataclass(frozen=True, kw_only=True)
class Found(Generic[Entry]):
    """A stretch of a list.

    Attributes:
        total: rows that match, COUNT_LIMIT + 1 when they are more than COUNT_LIMIT.
    """

    rows: Sequence[Entry]
    total: int

    @property
    def is_counted(self) -> bool:
        """Return whether `total` is exact."""
        return self.total <= COUNT_LIMIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A select that starts from the principal, and what its columns are called.

    Attributes:
        select: the rows that the principal may see, unordered and without limit.
        columns: by name, the SQL to filter and sort by.
        key: unique and not null, so that rows of equal rank keep their order from page to page.
        order: what the list is sorted by when nobody asks.
        search: the condition for words typed into the one search field; None where there is none.
    """

    select: Select[Any]
    columns: Mapping[str, ColumnElement[Any]]
    key: ColumnElement[Any]
    order: tuple[ColumnElement[Any], ...] = ()
    search: Callable[[str], ColumnElement[bool]] | None = field(default=None)


def containing(*columns: ColumnElement[Any]) -> Callable[[str], ColumnElement[bool]]:
    """Return a search that finds the words, in any case, anywhere in one of the columns.

    It reads every row that the select leaves: for lists of up to some ten thousand rows. A longer one brings a
    condition that its database has an index for.
    """
    return lambda words: or_(*(column.icontains(words, autoescape=True) for column in columns))


async def fetch(session: AsyncSession, listing: Listing, ask: Ask) -> Found[Row[Any]]:
    """Return the rows that `ask` wants of `listing`, and how many there are."""
    chosen = _narrowed(listing, ask)
    counted = select(func.count()).select_from(chosen.order_by(None).limit(COUNT_LIMIT + 1).subquery())
    total = await session.scalar(counted) or 0
    rows = await session.execute(chosen.order_by(*_order(listing, ask)).offset(ask.offset).limit(ask.limit))
    return Found(rows=rows.all(), total=total)


def _narrowed(listing: Listing, ask: Ask) -> Select[Any]:
    chosen = listing.select
    if ask.search and listing.search:
        chosen = chosen.where(listing.search(ask.search))
    return chosen.where(*(_condition(listing.columns[part.column], part) for part in ask.filters))


def _condition(column: ColumnElement[Any], part: Filter) -> ColumnElement[bool]:
    match part.operator:
        case Operator.IS:
            return column.in_(part.values)
        case Operator.CONTAINS:
            return column.icontains(part.values[0], autoescape=True)
        case Operator.FROM:
            at_least: ColumnElement[bool] = column >= part.values[0]
            return at_least
        case Operator.UNTIL:
            below: ColumnElement[bool] = column < part.values[0]
            return below
        case never:
            assert_never(never)


def _order(listing: Listing, ask: Ask) -> list[ColumnElement[Any]]:
    if not ask.sort:
        return [*listing.order, listing.key]
    # No NULLS LAST: neither database would use its index, and a list of a million rows must not be sorted whole.
    column = listing.columns[ask.sort]
    return [column.desc(), listing.key.desc()] if ask.descending else [column, listing.key]

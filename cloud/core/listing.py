"""A list that a reader may search, filter, sort and page: the one way in which every list asks the database.

A slice's `tables.py` builds a `Listing` (its select and the SQL behind each column's name); the page brings an `Ask`;
`fetch` joins the two, so that no page writes SQL and no slice reads URLs.
"""

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Generic, TypeVar, assert_never, cast

from sqlalchemy import ColumnElement, Row, Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.money import Money
from cloud.core.search import SearchIndex

Entry = TypeVar("Entry")
Other = TypeVar("Other")

PAGE_ROWS = 50
COUNT_LIMIT = 10_000
"""Rows counted at most: past this a page says "more than", since counting a million rows costs more than showing 50."""

_RARE = 5_000
"""Candidates of a search that are read whole, then put in order; those of words in more rows are met in the order."""

_LOOKED_AT = 5_000
"""Candidates that are looked at to count what words in very many rows find, of whichever organisation they are."""

_KEYS_AT_ONCE = 10_000
_ALL = 2**63 - 1


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


@dataclass(slots=True)
class Walk:
    """A way through a whole list, however long: its keys are read once, in order, then its rows by their keys.

    Attributes:
        keys: 8 bytes a row, empty until the first stretch is asked for.
    """

    keys: "array[int] | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a reader wants of a list.

    Attributes:
        sort: the column's name; empty for the listing's own order.
        limit: rows wanted; None for all.
        walk: for who takes one stretch after another to the end; a list over rows in memory need not look at it.
    """

    search: str = ""
    filters: tuple[Filter, ...] = ()
    sort: str = ""
    descending: bool = False
    offset: int = 0
    limit: int | None = PAGE_ROWS
    walk: Walk | None = None

    def part(self, *, offset: int, limit: int) -> "Ask":
        """Return the same ask for another stretch of rows."""
        return replace(self, offset=offset, limit=limit)


@dataclass(frozen=True, kw_only=True)
class Found(Generic[Entry]):
    """A stretch of a list.

    Attributes:
        total: rows that match, COUNT_LIMIT + 1 when they are more than COUNT_LIMIT; exact on a walk.
        sums: by the name of a column of money, what all that match come to, one sum for each currency; without the
            column when they are too many to be counted.
        has_more: whether counting stopped before, at `total`.
    """

    rows: Sequence[Entry]
    total: int
    sums: Mapping[str, tuple[Money, ...]] = field(default_factory=dict)
    has_more: bool = False

    def of(self, rows: Sequence[Other]) -> "Found[Other]":
        """Return the same stretch with its rows as somebody else knows them."""
        return Found(rows=rows, total=self.total, sums=self.sums, has_more=self.has_more)

    @property
    def is_counted(self) -> bool:
        """Return whether `total` is exact."""
        return not self.has_more and self.total <= COUNT_LIMIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A select that starts from the principal, and what its columns are called.

    Attributes:
        select: the rows that the principal may see, unordered and without limit.
        columns: by name, the SQL to filter and sort by.
        key: unique and not null, so that rows of equal rank keep their order from page to page.
        order: what the list is sorted by when nobody asks.
        search: the condition for words typed into the one search field; None where there is none. With a SearchIndex
            a long list need not be read for it.
        money: by the name of a column of money, its minor units and its currency; their sums stand under the list.
    """

    select: Select[Any]
    columns: Mapping[str, ColumnElement[Any]]
    key: ColumnElement[Any]
    order: tuple[ColumnElement[Any], ...] = ()
    search: Callable[[str], ColumnElement[bool]] | None = field(default=None)
    money: Mapping[str, tuple[ColumnElement[int], ColumnElement[str]]] = field(default_factory=dict)


def containing(*columns: ColumnElement[Any]) -> Callable[[str], ColumnElement[bool]]:
    """Return a search that finds the words, in any case, anywhere in one of the columns.

    It reads every row that the select leaves: for lists of up to some ten thousand rows. A longer one brings a
    `search_index`.
    """
    return lambda words: or_(*(column.icontains(words, autoescape=True) for column in columns))


async def fetch(session: AsyncSession, listing: Listing, ask: Ask) -> Found[Row[Any]]:
    """Return the rows that `ask` wants of `listing`, and how many there are."""
    chosen = _narrowed(listing, ask)
    if ask.walk is not None:
        return await _walked(session, listing, ask, chosen, ask.walk)
    if await _needs_index(session, listing, ask):
        return await _searched(session, listing, ask, chosen)
    rows = await _read(session, listing, ask, chosen)
    total = _counted_by(ask, rows)
    if total is None:
        total = await _count(session, listing, chosen)
    return Found(rows=rows, total=total, sums=await _sums(session, listing, chosen, total))


async def fetch_several(
    session: AsyncSession, listing: Listing, asks: Sequence[Ask], *, counted: int
) -> list[Found[Row[Any]]]:
    """Return several stretches of a listing, side by side on a page, that search nothing.

    Each is counted up to `counted`, all of them in one statement.
    """
    chosen = [_narrowed(listing, ask) for ask in asks]
    rows = [await _read(session, listing, ask, each) for ask, each in zip(asks, chosen, strict=True)]
    totals = await _counts(session, listing, chosen, limit=counted)
    return [
        Found(rows=each, total=min(total, counted), has_more=total > counted)
        for each, total in zip(rows, totals, strict=True)
    ]


def _counted_by(ask: Ask, rows: Sequence[Row[Any]]) -> int | None:
    """Return how many match when the stretch that was read ends with the last of them; None when that is not known."""
    is_last = ask.limit is None or len(rows) < ask.limit
    return min(ask.offset + len(rows), COUNT_LIMIT + 1) if is_last and (rows or not ask.offset) else None


async def _needs_index(session: AsyncSession, listing: Listing, ask: Ask) -> bool:
    """Return whether words are searched among so many rows that reading them costs more than the index."""
    if not ask.search or not isinstance(listing.search, SearchIndex):
        return False
    return await _count(session, listing, _narrowed(listing, replace(ask, search=""))) > COUNT_LIMIT


async def _searched(session: AsyncSession, listing: Listing, ask: Ask, chosen: Select[Any]) -> Found[Row[Any]]:
    """Return what an index finds.

    The candidates of rare words are read whole, which counts them, and put in order. Words that stand in very many
    rows are soonest met in the list's own order; what is counted of them is what the first candidates come to.
    """
    index = cast("SearchIndex", listing.search)
    candidates = index.candidates(ask.search, dialect=session.get_bind().dialect.name)
    many = await session.scalar(_number(candidates.limit(max(_RARE, _LOOKED_AT) + 1))) or 0
    if many <= _RARE:
        rare = _among(listing, chosen, candidates.limit(_ALL))
        keys = (await session.scalars(_keys(listing, rare, ask))).all()
        return Found(
            rows=await _stretch(session, listing, ask, chosen, keys),
            total=len(keys),
            sums=await _sums(session, listing, rare, len(keys)),
        )
    counted = _among(listing, chosen, candidates.limit(_LOOKED_AT))
    total, rows = await _count(session, listing, counted), await _read(session, listing, ask, chosen)
    is_whole = many <= _LOOKED_AT
    return Found(
        rows=rows,
        total=total if is_whole else max(total, ask.offset + len(rows)),
        sums=await _sums(session, listing, counted, total) if is_whole else {},
        has_more=not is_whole,
    )


def _among(listing: Listing, chosen: Select[Any], candidates: Select[Any]) -> Select[Any]:
    """Return the select of chosen rows among candidates.

    They carry a limit, though it may cut nothing off: SQLite, which knows no statistics, would else read the
    organisation's every row and look each up in the index, where now it takes the candidates first and then their rows.
    """
    return chosen.where(listing.key == candidates.subquery().c[0])


async def _read(session: AsyncSession, listing: Listing, ask: Ask, chosen: Select[Any]) -> Sequence[Row[Any]]:
    rows = await session.execute(chosen.order_by(*_order(listing, ask)).offset(ask.offset).limit(ask.limit))
    found: Sequence[Row[Any]] = rows.all()
    return found


def _keys(listing: Listing, chosen: Select[Any], ask: Ask) -> Select[Any]:
    return chosen.with_only_columns(listing.key, maintain_column_froms=True).order_by(*_order(listing, ask))


async def _stretch(
    session: AsyncSession, listing: Listing, ask: Ask, chosen: Select[Any], keys: Sequence[int]
) -> Sequence[Row[Any]]:
    """Return the rows of the asked stretch of keys, in their order."""
    wanted = keys[ask.offset : None if ask.limit is None else ask.offset + ask.limit]
    if not wanted:
        return []
    rows = await session.execute(chosen.where(listing.key.in_(wanted)).order_by(*_order(listing, ask)))
    found: Sequence[Row[Any]] = rows.all()
    return found


def _number(chosen: Select[Any]) -> Select[int]:
    return select(func.count()).select_from(chosen.subquery())


async def _count(session: AsyncSession, listing: Listing, chosen: Select[Any]) -> int:
    return (await _counts(session, listing, [chosen], limit=COUNT_LIMIT))[0]


async def _counts(session: AsyncSession, listing: Listing, chosen: Sequence[Select[Any]], *, limit: int) -> list[int]:
    """Return how many rows each select finds, up to one more than the limit."""
    keys = (each.with_only_columns(listing.key, maintain_column_froms=True).order_by(None) for each in chosen)
    numbers = [_number(each.limit(limit + 1)) for each in keys]
    counted = await session.execute(select(*(number.scalar_subquery() for number in numbers)))
    return [int(number) for number in counted.one()]


async def _sums(
    session: AsyncSession, listing: Listing, chosen: Select[Any], total: int
) -> dict[str, tuple[Money, ...]]:
    if total > COUNT_LIMIT:
        return {}
    sums = {}
    for name, (minor, currency) in listing.money.items():
        amounts = chosen.with_only_columns(currency, func.sum(minor), maintain_column_froms=True)
        rows = await session.execute(amounts.where(minor.is_not(None)).group_by(currency).order_by(currency))
        sums[name] = tuple(Money(int(amount), code) for code, amount in rows)
    return sums


async def _walked(
    session: AsyncSession, listing: Listing, ask: Ask, chosen: Select[Any], walk: Walk
) -> Found[Row[Any]]:
    if walk.keys is None:
        found = await session.stream_scalars(_keys(listing, chosen, ask))
        walk.keys = array("q")
        async for keys in found.partitions(_KEYS_AT_ONCE):
            walk.keys.extend(keys)
    return Found(rows=await _stretch(session, listing, ask, chosen, walk.keys), total=len(walk.keys))


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

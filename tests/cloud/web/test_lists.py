from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from starlette.datastructures import QueryParams

from cloud.accounts.views import Habits, SavedView
from cloud.core.errors import Refused
from cloud.core.exports import Format
from cloud.core.listing import COUNT_LIMIT, Ask, Filter, Found, Operator
from cloud.core.money import Money
from cloud.web.catalogues import Locale, Message
from cloud.web.export import MOST_CHOSEN, as_file, every_row
from cloud.web.lists import Column, Kind, ListView, Load, Option, view_query
from cloud.web.reader import Reader
from cloud.web.replay import Listed
from cloud.web.shown import Shown

_ZONE = ZoneInfo("Asia/Shanghai")
_READER = Reader(locale=Locale.EN, zone=_ZONE, now=datetime(2026, 3, 2, 8, tzinfo=UTC))


@dataclass
class _Row:
    id: int
    name: str = ""
    level: int = 1
    value: float | None = None
    at: datetime | None = None
    paid: Money | None = None


_VIEW = ListView[_Row](
    name="things",
    caption="Things",
    searchable="name",
    key=lambda row: row.id,
    sort="-at",
    page_rows=20,
    columns=(
        Column(name="name", label="Name", value=lambda row: row.name, filtered=True),
        Column(
            name="level",
            label="Level",
            value=lambda row: row.level,
            filtered=True,
            options=(Option(value="1", label="High", meaning=1), Option(value="2", label="Low", meaning=2)),
        ),
        Column(name="value", label="Value", value=lambda row: row.value, kind=Kind.NUMBER, filtered=True, unit="°F"),
        Column(name="at", label="Since", value=lambda row: row.at, kind=Kind.TIME, filtered=True),
        Column(name="paid", label="Paid", value=lambda row: row.paid, kind=Kind.MONEY, filtered=True, sortable=False),
    ),
)


def _shown(
    query: str, *, total: int = 0, rows: Sequence[_Row] = (), habits: Habits | None = None, **sums: tuple[Money, ...]
) -> Shown[_Row]:
    asked = _VIEW.asked(QueryParams(query), _ZONE)
    found = Found(rows=rows, total=total, sums=sums)
    return Shown(view=_VIEW, path="/things", asked=asked, found=found, zone=_ZONE, habits=habits or Habits())


def _listed(load: Load[_Row], query: str = "", *, view: ListView[_Row] = _VIEW, reader: Reader = _READER) -> Listed:
    asked = view.asked(QueryParams(query), _ZONE)
    return Listed(view=view, asked=asked, load=load, reader=reader, path="/things")


async def _csv(load: Load[_Row], query: str = "", **options: Any) -> list[str]:
    response = await as_file(_listed(load, query, **options), Format.CSV)
    return bytes(response.body).decode("utf-8-sig").splitlines()


def test_an_address_that_says_nothing_asks_for_the_first_page_in_the_lists_order() -> None:
    assert _VIEW.asked(QueryParams(""), _ZONE).ask == Ask(sort="at", descending=True, limit=20)


def test_an_address_is_read_whole() -> None:
    query = "q=pump&name=水&level=1&level=2&value.from=1.5&at.from=2026-03-01&at.until=2026-03-01&sort=name&page=3"
    assert _VIEW.asked(QueryParams(query), _ZONE).ask == Ask(
        search="pump",
        filters=(
            Filter(column="name", operator=Operator.CONTAINS, values=("水",)),
            Filter(column="level", operator=Operator.IS, values=(1, 2)),
            Filter(column="value", operator=Operator.FROM, values=(1.5,)),
            Filter(column="at", operator=Operator.FROM, values=(datetime(2026, 3, 1, tzinfo=_ZONE),)),
            Filter(column="at", operator=Operator.UNTIL, values=(datetime(2026, 3, 2, tzinfo=_ZONE),)),
        ),
        sort="name",
        offset=40,
        limit=20,
    )


@pytest.mark.parametrize(
    "query",
    ["value.from=x", "value.until=NaN", "at.from=yesterday", "at.until=9999-12-31", "paid.from=1e999999"],
)
def test_a_filter_that_can_not_be_read_is_left_out_and_told(query: str) -> None:
    asked = _VIEW.asked(QueryParams(query), _ZONE)
    assert asked.ask.filters == ()
    assert [problem.parameters["typed"] for problem in asked.problems] == [query.split("=")[1]]


@pytest.mark.parametrize(
    "query",
    ["level=9", "unknown=1", "sort=unknown", "sort=paid", "page=0", "page=-1", "page=²", "page=" + "9" * 5000],
)
def test_what_an_address_makes_up_is_ignored(query: str) -> None:
    ask = _VIEW.asked(QueryParams(query), _ZONE).ask
    assert ask.filters == ()
    assert ask.sort in {"", "at"}
    assert 0 <= ask.offset <= COUNT_LIMIT


def test_money_is_filtered_in_minor_units() -> None:
    asked = _VIEW.asked(QueryParams("paid.from=12.34"), _ZONE)
    assert asked.ask.filters == (Filter(column="paid", operator=Operator.FROM, values=(1234,)),)


def test_filters_are_said_in_words_with_the_way_to_take_each_off() -> None:
    shown = _shown("q=a&level=1&level=2&at.until=2026-03-01&page=2")
    assert [(told.label, told.message, told.labels, told.without) for told in shown.told] == [
        ("Search", Message("a"), (), "/things?level=1&level=2&at.until=2026-03-01"),
        ("Level", Message(""), ("High", "Low"), "/things?q=a&at.until=2026-03-01"),
        ("Since", Message("up to %(value)s", {"value": "2026-03-01"}), (), "/things?q=a&level=1&level=2"),
    ]


def test_addresses_keep_the_view_and_change_one_thing() -> None:
    shown = _shown("level=1&sort=name&page=2", total=70)
    name = _VIEW.columns[0]
    assert shown.here == "/things?level=1&sort=name&page=2"
    assert shown.page_address(3) == "/things?level=1&sort=name&page=3"
    assert shown.sort_address(name) == "/things?level=1&sort=-name"
    assert shown.sort_address(_VIEW.columns[3]) == "/things?level=1&sort=at"
    assert shown.export_address(Format.CSV) == "/things?level=1&sort=name&format=csv"
    assert shown.cleared == "/things?sort=name"


def test_the_form_carries_along_what_stands_in_none_of_its_fields() -> None:
    assert _shown("tab=mine&level=1&q=x&sort=name&page=2").kept == [("tab", "mine")]


@pytest.mark.parametrize(
    ("total", "pages", "counted"),
    [(0, 1, True), (20, 1, True), (21, 2, True), (COUNT_LIMIT, 500, True), (COUNT_LIMIT + 1, 500, False)],
)
def test_pages_are_counted_up_to_the_limit(total: int, pages: int, counted: bool) -> None:
    shown = _shown("", total=total)
    assert (shown.pages, shown.found.is_counted) == (pages, counted)


async def test_the_csv_holds_the_view_and_runs_no_formula() -> None:
    rows = [
        _Row(1, "=1+1", 1, -1.5, datetime(2026, 3, 2, 6, tzinfo=UTC), Money(-1234, "CNY")),
        _Row(2, "水泵房, 3 栋", 2),
    ]

    async def load(ask: Ask) -> Found[_Row]:
        return Found(rows=rows[ask.offset :], total=2)

    response = await as_file(_listed(load), Format.CSV)
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert "things-2026-03-02.csv" in response.headers["content-disposition"]
    assert await _csv(load) == [
        "Name,Level,Value (°F),Since,Paid",
        "'=1+1,High,-1.5,2026-03-02 14:00:00+08:00,-12.34",
        '"水泵房, 3 栋",Low,,,',
    ]


async def test_a_file_has_the_columns_that_are_shown_in_their_order() -> None:
    async def load(_ask: Ask) -> Found[_Row]:
        return Found(rows=[_Row(1, "pump", value=2.0)], total=1)

    assert await _csv(load, "cols=value,name") == ["Value (°F),Name", "2.0,pump"]


async def test_a_message_is_said_in_the_readers_language() -> None:
    column = Column[_Row](name="x", label="x", value=lambda row: Message("from %(value)s", {"value": row.id}))
    view = replace(_VIEW, columns=(column,), sort="")

    async def load(_ask: Ask) -> Found[_Row]:
        return Found(rows=[_Row(7)], total=1)

    assert (await _csv(load, view=view, reader=replace(_READER, locale=Locale.ZH_HANS)))[1] == "从 7 起"


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\tx", "\rx"])
async def test_no_text_starts_a_formula(text: str) -> None:
    async def load(_ask: Ask) -> Found[_Row]:
        return Found(rows=[_Row(1, text)], total=1)

    response = await as_file(_listed(load), Format.CSV)
    assert bytes(response.body).decode("utf-8-sig").split("\n", 1)[1].lstrip('"').startswith("'")


async def test_a_file_takes_every_page_in_its_asks_order() -> None:
    asked: list[Ask] = []

    async def load(ask: Ask) -> Found[_Row]:
        asked.append(ask)
        rows = [_Row(number) for number in range(ask.offset, min(ask.offset + (ask.limit or 0), 2_500))]
        return Found(rows=rows, total=2_500)

    assert len(await _csv(load, "sort=name&page=3")) == 2_501
    assert [(ask.sort, ask.offset, ask.limit) for ask in asked] == [
        ("name", 0, 1_000),
        ("name", 1_000, 1_000),
        ("name", 2_000, 1_000),
    ]


async def test_an_act_past_its_limit_is_refused_with_the_way_out() -> None:
    async def load(ask: Ask) -> Found[_Row]:
        return Found(rows=[_Row(1)] * (ask.limit or 0), total=COUNT_LIMIT + 1)

    with pytest.raises(Refused, match=f"More than {MOST_CHOSEN} rows match: narrow the list"):
        _ = [row async for row in every_row(Ask(), load)]


def test_columns_are_chosen_and_ordered_by_the_address() -> None:
    shown = _shown("cols=paid,name&q=a")
    assert [column.name for column in shown.columns] == ["paid", "name"]
    assert [column.name for column in shown.unchosen] == ["level", "value", "at"]
    assert shown.state == "q=a&cols=paid,name"
    assert shown.kept == [("cols", "paid,name")]


def test_an_address_without_columns_shows_the_remembered_ones() -> None:
    asked = _VIEW.asked(QueryParams("q=a"), _ZONE, ("at", "gone", "name"))
    assert [column.name for column in asked.columns] == ["at", "name"]
    assert view_query(_VIEW, asked) == "q=a&cols=at,name"


@pytest.mark.parametrize(
    ("query", "lost"),
    [
        ("cols=name,gone", "gone"),
        ("sort=gone", "gone"),
        ("level=9", "9"),
    ],
)
def test_what_is_no_longer_there_is_left_out_and_told(query: str, lost: str) -> None:
    asked = _VIEW.asked(QueryParams(query), _ZONE)
    assert lost in [value for problem in asked.problems for value in problem.parameters.values()]


def _kept(query: str) -> SavedView:
    named = {"list_name": "things", "path": "/things", "name": "Mine", "owner": "张三"}
    return SavedView(id=7, query=query, is_shared=False, is_mine=True, **named)


def test_a_kept_view_says_which_of_its_filters_the_list_has_lost() -> None:
    shown = _shown("level=1&colour=red&view=7", habits=Habits(views=[_kept("level=1&colour=red")]))
    assert shown.current == _kept("level=1&colour=red")
    assert [problem.parameters for problem in shown.problems] == [{"name": "colour"}]
    assert shown.view_address(shown.current) == "/things?level=1&colour=red&view=7"


def test_taking_all_filters_off_does_not_lead_back_to_the_view_that_the_list_opens_with() -> None:
    assert _shown("q=a", habits=Habits(views=[_kept("q=a")], default_id=7)).cleared == "/things?view=0"


def test_the_foot_has_the_sums_of_the_columns_of_money_that_are_shown() -> None:
    sums = (Money(1234, "CNY"), Money(5, "USD"))
    assert _shown("", paid=sums).sums == [("Paid", sums)]
    assert _shown("cols=name", paid=sums).sums == []

"""How a list's cells are drawn: those that the template leaves to the frame."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from markupsafe import Markup
from starlette.datastructures import QueryParams

from cloud.core.listing import Found
from cloud.web.catalogues import Locale
from cloud.web.cells import drawn, heads
from cloud.web.lists import Column, Kind, ListView, Option
from cloud.web.reader import Reader, reading
from cloud.web.shown import Shown
from cloud.web.templating import environment

_ZONE = ZoneInfo("Asia/Shanghai")
_READER = Reader(locale=Locale.EN, zone=_ZONE, now=datetime(2026, 3, 2, 8, tzinfo=UTC))
_DUE = datetime(2026, 3, 2, 6, 2, 9, tzinfo=UTC)
_TIME = '<time datetime="2026-03-02T06:02:09+00:00" title="2026-03-02 14:02:09 UTC+08:00">14:02</time>'


@dataclass
class _Row:
    name: str = "水泵 <1>"
    level: int = 1
    due: datetime | None = _DUE
    is_late: bool = False


_VIEW = ListView[_Row](
    name="rows",
    caption="Rows",
    key=lambda row: row.name,
    columns=(
        Column(name="name", label="Name", value=lambda row: row.name),
        Column(
            name="level",
            label="Level",
            value=lambda row: row.level,
            options=(Option(value="1", label="a <high> one", meaning=1),),
            chip="flag",
        ),
        Column(
            name="due",
            label="Due",
            value=lambda row: row.due,
            kind=Kind.TIME,
            late=lambda row: row.is_late,
            phone=False,
        ),
    ),
)


def _cell(row: _Row, position: int, *, own: tuple[str, ...] = (), page: str = "") -> str:
    asked = _VIEW.asked(QueryParams(""), _ZONE)
    shown = Shown(view=_VIEW, path="/rows", asked=asked, found=Found(rows=[row], total=1), zone=_ZONE)
    look: Any = environment({}).globals["ui"]

    def caller(_row: _Row, column: Column[_Row]) -> Markup:
        return Markup("<b>%s</b>") % column.name

    with reading(_READER):
        head = heads(shown, own, look)[position]
        return drawn(row, [head], caller, page)


def test_the_first_cell_names_its_row_and_leads_to_its_page() -> None:
    assert _cell(_Row(), 0, page="/rows/1?a&b") == (
        '<td data-title data-label="Name" class=""><a href="/rows/1?a&amp;b" data-open>水泵 &lt;1&gt;</a></td>'
    )


def test_an_option_of_a_column_of_chips_is_a_chip() -> None:
    drawn = _cell(_Row(), 1)
    assert drawn.startswith('<td data-label="Level" class=""><div><span class="chip"><svg class="icon" aria-hidden')
    assert drawn.endswith('#flag"/></svg>a &lt;high&gt; one</span></div></td>')


def test_what_is_no_option_is_drawn_as_it_is() -> None:
    assert _cell(_Row(level=7), 1) == '<td data-label="Level" class=""><div>7</div></td>'


@pytest.mark.parametrize("is_late", [True, False])
def test_a_late_time_is_told_by_a_clock(is_late: bool) -> None:
    cell = _cell(_Row(is_late=is_late), 2)
    assert cell.startswith('<td data-label="Due" class="only-wide"><div>')
    assert _TIME in cell
    assert ('<span class="late">' in cell, "clock-exclamation" in cell) == (is_late, is_late)


def test_no_time_is_a_dash() -> None:
    assert _cell(_Row(due=None), 2) == '<td data-label="Due" class="only-wide"><div>–</div></td>'


def test_the_template_draws_the_cells_that_it_names() -> None:
    assert _cell(_Row(), 1, own=("level",)) == '<td data-label="Level" class=""><div><b>level</b></div></td>'

"""What holds for every route there is, whoever wrote it: who is let in is written down in route_roles.txt."""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote_plus

import httpx
import pytest
import pytest_asyncio

from cloud.accounts.tables import OrganisationRow
from tests.cloud.screens.knocking import knock, mark, routes
from tests.cloud.screens.rehearsal import rehearse
from tests.cloud.screens.spares import make_spares
from tests.cloud.screens.visitors import (
    COLLEAGUE,
    HOUSEHOLD,
    LETTERS,
    NEXT_DOOR,
    OTHER_DESK,
    OTHER_WORKER,
    Visitor,
    signed_in,
)
from tests.cloud.screens.whole import Whole, make_whole

pytestmark = pytest.mark.asyncio(loop_scope="module")

TABLE = Path(__file__).with_name("route_roles.txt")
HOW_TO_ADD = (
    "write a line into tests/cloud/screens/route_roles.txt, under its screen: method, path, who of AODWBMH and who of "
    "dwvhns is let in (the head of the file explains); and what it must be sent into tests/cloud/screens/route_forms.py"
)
_BY_LETTER = ("/join/", "/opinion/")
"""Whoever holds a letter or a link is told what it is about."""
_TO_MACHINES = {"/edge/v1/inventory", "/edge/v1/batches", "/edge/v1/channel", "/hooks/mail", "/metrics"}
"""No person is let in there."""
_SIGNED = ("/edge/", "/hooks/")
"""What is sent there says itself who sends it; no browser does."""
_TYPED = re.compile(r'name="(\w+)" value="" aria-label=')
"""What a list is searched by and narrowed by in words."""

Route = tuple[str, str]


@dataclass
class Walk:
    """How every visitor was answered at every door.

    Attributes:
        told: visitor and route by a name that was told there and is none of theirs.
        lists: the pages with a list, which is a file as well, and what it is narrowed by in words.
    """

    whole: Whole
    visitors: Mapping[str, Visitor]
    private: Mapping[str, tuple[str, ...]]
    marks: dict[Route, str] = field(default_factory=dict)
    told: list[tuple[str, str, str]] = field(default_factory=list)
    lists: dict[str, list[str]] = field(default_factory=dict)

    def hear(self, letter: str, path: str, answer: httpx.Response) -> None:
        """Note what an answer tells that is none of the visitor's, but for what they typed themselves."""
        if not path.startswith(_BY_LETTER):
            typed = unquote_plus(answer.request.read().decode())
            names = [name for name in self.private.get(letter, ()) if name not in typed]
            self.told += [(letter, path, name) for name in names if name in answer.text]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def walk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Walk]:
    """Everybody at every door; nothing that they do stays."""
    whole = await make_whole(tmp_path_factory.mktemp("whole"))
    whole.examples |= await make_spares(whole)
    async with signed_in(whole) as visitors:
        rehearse(whole.database)
        whole.app.state.hub.end()  # a stream of news tells what there is, and ends
        walk = Walk(whole=whole, visitors=visitors, private=_private(whole))
        for method, path in routes(whole.app):
            await _try_door(walk, method, path)
        yield walk
    await whole.close()


def _private(whole: Whole) -> dict[str, tuple[str, ...]]:
    """Return what a visitor must not read anywhere, by their letters."""
    of_the_job = tuple(str(whole.examples[f"{stage}_number"]) for stage in ("assigned", "in_work", "resolved"))
    here = ("3 栋", "办公室温度异常", *whole.private, *of_the_job)
    return {
        OTHER_DESK: here,
        OTHER_WORKER: here,
        COLLEAGUE: ("冯九", *of_the_job),
        HOUSEHOLD: (*whole.private, *of_the_job),
        NEXT_DOOR: (*whole.names, *whole.private),
    }


async def _try_door(walk: Walk, method: str, path: str) -> None:
    marks = ""
    for letter, visitor in walk.visitors.items():
        answer = await knock(walk.whole, visitor, method, path)
        marks += mark(letter, path, answer)
        walk.hear(letter, path, answer)
        if method == "GET" and "format=csv" in answer.text and path not in walk.lists:
            walk.lists[path] = _TYPED.findall(answer.text)
    walk.marks[method, path] = marks


def _table() -> dict[Route, str]:
    """Return the marks of all visitors by method and path, as they are written down."""
    lines = [line.split() for line in TABLE.read_text().splitlines() if line.strip() and not line.startswith("#")]
    table = {(method, path): ours + others for method, path, ours, others in lines}
    assert len(table) == len(lines), "route_roles.txt names a route twice"
    return table


async def test_every_route_has_its_line_and_every_line_its_route(walk: Walk) -> None:
    missing = sorted(walk.marks.keys() - _table().keys())
    assert missing == [], f"{missing}: {HOW_TO_ADD}"
    assert _table().keys() - walk.marks.keys() == set(), "there are no such routes: take their lines out"


async def test_every_route_lets_in_exactly_those_of_its_line(walk: Walk) -> None:
    written = _table()
    others = [
        f"{method} {path}: written {written[method, path]}, found {marks}"
        for (method, path), marks in walk.marks.items()
        if marks != written.get((method, path), marks)
    ]
    assert "\n".join(others) == ""


async def test_every_form_does_what_it_is_for_for_somebody(walk: Walk) -> None:
    let_in = "".join(LETTERS)
    for_nobody = {path for (_method, path), marks in walk.marks.items() if not set(marks) & set(let_in)}
    assert for_nobody == _TO_MACHINES, "mend what they are sent in route_forms.py"


async def test_nobody_is_told_what_is_not_theirs(walk: Walk) -> None:
    assert walk.told == []


async def test_a_list_searched_narrowed_or_taken_along_holds_only_what_its_reader_may_see(walk: Walk) -> None:
    before = len(walk.told)
    assert len(walk.lists) > 20
    for path, columns in walk.lists.items():
        address = path.format(**walk.whole.examples)
        marks = dict.fromkeys(LETTERS, "")
        for letter, visitor in walk.visitors.items():
            names = walk.private.get(letter, ())[:1]
            for asked in ("", *(f"&{column}={name}" for name in names for column in columns)):
                answer = await visitor.ask("GET", f"{address}?format=csv{asked}")
                walk.hear(letter, path, answer)
                marks[letter] = mark(letter, path, answer)
        assert "".join(marks.values()) == walk.marks["GET", path], path
    assert walk.told[before:] == []


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
async def test_whoever_sees_a_list_takes_it_along(walk: Walk, ending: str) -> None:
    files: dict[str, str] = {}
    for path in walk.lists:
        reader = next(letter for letter in walk.marks["GET", path] if letter in LETTERS)
        address = f"{path.format(**walk.whole.examples)}?format={ending}"
        answer = await walk.visitors[reader].ask("GET", address)
        files[path] = answer.headers.get("content-disposition", "shown, not sent")
    assert {path: said for path, said in files.items() if f".{ending}" not in said} == {}


async def test_no_act_is_taken_without_this_browsers_token(walk: Walk) -> None:
    boss = walk.visitors["A"]
    acts = [
        path.format(**walk.whole.examples)
        for method, path in walk.marks
        if method == "POST" and not path.startswith(_SIGNED)
    ]
    tokenless = Visitor(browser=boss.browser, token="", cookies=boss.cookies)
    answers = {path: (await tokenless.ask("POST", path)).status_code for path in acts}
    assert {path: status for path, status in answers.items() if status != 403} == {}


async def test_nothing_that_was_tried_has_stayed(walk: Walk) -> None:
    """Each visitor finds what the one before them found, or the table would depend on the order of its lines."""
    async with walk.whole.database.reading() as session:
        row = await session.get_one(OrganisationRow, walk.whole.site.estate.organisation_id)
        other = await session.get_one(OrganisationRow, walk.whole.neighbour.organisation_id)
    assert (row.name, other.name) == ("云杉物业", "隔壁物业")

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core import listing as listing_module
from cloud.core.database import Database
from cloud.core.listing import Ask, Filter, Listing, Operator, containing, fetch, fetch_several
from cloud.core.outbox import OutboxEvent

_NAMES = ["pump_room", "Pump 100%", "roof", "roof", "cellar"]


@pytest.fixture
async def session(database: Database) -> AsyncIterator[AsyncSession]:
    async with database.transaction() as session:
        session.add_all(
            OutboxEvent(
                organisation_id=1, kind=name, subject=str(n), payload="{}", emitted_at=datetime(2026, 1, n, tzinfo=UTC)
            )
            for n, name in enumerate(_NAMES, start=1)
        )
        await session.flush()
        yield session


def _listing() -> Listing:
    return Listing(
        select=select(OutboxEvent.id, OutboxEvent.kind).where(OutboxEvent.organisation_id == 1),
        columns={"kind": OutboxEvent.kind, "at": OutboxEvent.emitted_at},
        key=OutboxEvent.id,
        order=(OutboxEvent.emitted_at.desc(),),
        search=containing(OutboxEvent.kind),
    )


async def _names(session: AsyncSession, ask: Ask) -> list[str]:
    return [row.kind for row in (await fetch(session, _listing(), ask)).rows]


async def test_nobody_asked_gives_the_listings_own_order(session: AsyncSession) -> None:
    assert await _names(session, Ask()) == _NAMES[::-1]


async def test_rows_of_equal_rank_keep_their_order(session: AsyncSession) -> None:
    found = await fetch(session, _listing(), Ask(sort="kind", descending=True))
    roofs = [row.id for row in found.rows if row.kind == "roof"]
    assert roofs == sorted(roofs, reverse=True)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("PUMP", ["Pump 100%", "pump_room"]),
        ("100%", ["Pump 100%"]),
        ("%", ["Pump 100%"]),
        ("_", ["pump_room"]),
        ("nothing", []),
    ],
    ids=["any case", "a percent sign is one", "alone too", "an underscore is one", "nothing"],
)
async def test_a_search_finds_its_words_as_they_are_typed(session: AsyncSession, words: str, found: list[str]) -> None:
    assert await _names(session, Ask(search=words)) == found


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ([("kind", Operator.IS, ("roof", "cellar"))], ["cellar", "roof", "roof"]),
        ([("kind", Operator.CONTAINS, ("pump",))], ["Pump 100%", "pump_room"]),
        ([("at", Operator.FROM, (datetime(2026, 1, 4, tzinfo=UTC),))], ["cellar", "roof"]),
        ([("at", Operator.UNTIL, (datetime(2026, 1, 2, tzinfo=UTC),))], ["pump_room"]),
        (
            [
                ("kind", Operator.IS, ("roof",)),
                ("at", Operator.FROM, (datetime(2026, 1, 4, tzinfo=UTC),)),
            ],
            ["roof"],
        ),
    ],
    ids=["one of", "contains", "from", "until leaves its end out", "all must hold"],
)
async def test_filters_narrow(
    session: AsyncSession, filters: list[tuple[str, Operator, tuple[object, ...]]], found: list[str]
) -> None:
    parts = tuple(Filter(column=column, operator=operator, values=values) for column, operator, values in filters)
    assert await _names(session, Ask(filters=parts)) == found


async def test_a_page_is_a_stretch_and_the_total_is_of_all(session: AsyncSession) -> None:
    found = await fetch(session, _listing(), Ask(offset=3, limit=3))
    assert [row.kind for row in found.rows] == ["Pump 100%", "pump_room"]
    assert (found.total, found.is_counted) == (5, True)


@pytest.mark.parametrize(("offset", "limit"), [(0, 5), (0, 6), (0, None), (4, 1), (5, 1), (9, 3)])
async def test_the_total_is_of_all_whatever_stretch_is_read(
    session: AsyncSession, offset: int, limit: int | None
) -> None:
    assert (await fetch(session, _listing(), Ask(offset=offset, limit=limit))).total == 5


async def test_stretches_side_by_side_are_those_that_each_would_be_alone(session: AsyncSession) -> None:
    kind = Filter(column="kind", operator=Operator.CONTAINS, values=("pump",))
    asks = [Ask(limit=2), Ask(filters=(kind,)), Ask(offset=9)]
    alone = [await fetch(session, _listing(), ask) for ask in asks]
    together = await fetch_several(session, _listing(), asks, counted=3)
    assert [found.rows for found in together] == [found.rows for found in alone]
    assert [(found.total, found.is_counted) for found in together] == [(3, False), (2, True), (3, False)]


async def test_counting_stops_at_its_limit(session: AsyncSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing_module, "COUNT_LIMIT", 3)
    found = await fetch(session, _listing(), Ask())
    assert (found.total, found.is_counted) == (4, False)

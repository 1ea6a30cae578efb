import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text, delete, event, func, insert, select, text, update
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core import listing as listing_module
from cloud.core.audit import _SEARCH, AuditEntry
from cloud.core.database import Database
from cloud.core.listing import Ask, Listing, Walk, containing, fetch
from cloud.core.search import search_index

_ALPHABET = "水泵房漏停电梯ABab12-_ %/'\"Éé漢𠮷ß."
_AT = datetime(2026, 1, 1, tzinfo=UTC)


def _entry(actor: str, subject: str = "", *, organisation_id: int = 1) -> AuditEntry:
    return AuditEntry(organisation_id=organisation_id, at=_AT, actor=actor, action="a.b", subject=subject)


def _listing(search: object = _SEARCH) -> Listing:
    return Listing(
        select=select(AuditEntry).where(AuditEntry.organisation_id == 1),
        columns={"actor": AuditEntry.__table__.c.actor},
        key=AuditEntry.__table__.c.id,
        search=search,
    )


@pytest.fixture
async def session(database: Database) -> AsyncIterator[AsyncSession]:
    async with database.transaction() as session:
        yield session


async def _found(session: AsyncSession, listing: Listing, words: str, **asked: object) -> tuple[list[int], int]:
    found = await fetch(session, listing, Ask(search=words, **asked))
    return [row.AuditEntry.id for row in found.rows], found.total


@pytest.mark.parametrize("count_limit", [0, 25, 10_000], ids=["never rare", "now and then rare", "few rows"])
async def test_an_index_finds_what_a_scan_finds(
    session: AsyncSession, monkeypatch: pytest.MonkeyPatch, count_limit: int
) -> None:
    monkeypatch.setattr(listing_module, "COUNT_LIMIT", count_limit)
    monkeypatch.setattr(listing_module, "_RARE", count_limit)
    rng = random.Random(11)
    texts = ["".join(rng.choices(_ALPHABET, k=rng.randint(0, 12))) for _ in range(800)]
    session.add_all(_entry(texts[n], texts[-n], organisation_id=1 + n % 7 // 6) for n in range(400))
    await session.flush()
    scan = _listing(containing(AuditEntry.actor, AuditEntry.subject))
    wanted = {text[at : at + length] for text in texts[:60] for length in (1, 2, 3, 5, 9) for at in (0, 2)}
    for words in sorted(wanted - {""}):
        asked = {"sort": "actor", "descending": True, "limit": None}
        by_index, by_scan = (
            await _found(session, _listing(), words, **asked),
            await _found(session, scan, words, **asked),
        )
        assert by_index == by_scan, words


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("漏", [1, 3]),
        ("漏水", [1]),
        ("3 栋", [1]),
        ("pump", [2]),
        ("PUMP ROOM", [2]),
        ("000123", [2]),
        ("水pump", []),
        ("%", []),
    ],
)
async def test_words_are_found_by_the_index_alone(
    session: AsyncSession, monkeypatch: pytest.MonkeyPatch, words: str, found: list[int]
) -> None:
    monkeypatch.setattr(listing_module, "COUNT_LIMIT", 0)
    entries = [_entry("3 栋 漏水"), _entry("Pump room", "2026-000123"), _entry("漏电")]
    session.add_all(entries)
    await session.flush()
    dialect = session.get_bind().dialect.name
    candidates = (await session.scalars(_SEARCH.candidates(words, dialect=dialect))).all()
    assert sorted(entries.index(entry) + 1 for entry in entries if entry.id in candidates) == found


async def test_the_index_follows_every_change_of_a_row(database: Database) -> None:
    notes = Table("notes", MetaData(), Column("id", Integer, primary_key=True), Column("words", Text))
    index = search_index(notes, "words")
    dialect = database.engine.dialect.name
    async with database.engine.begin() as connection:
        await connection.run_sync(notes.metadata.create_all)
        await connection.execute(insert(notes), [{"id": 1, "words": "水泵"}, {"id": 2, "words": None}])
        await connection.execute(update(notes).where(notes.c.id == 2).values(words="水塔"))
        assert (await connection.scalars(index.candidates("水塔", dialect=dialect))).all() == [2]
        await connection.execute(update(notes).where(notes.c.id == 2).values(words="电梯"))
        assert (await connection.scalars(index.candidates("水塔", dialect=dialect))).all() == []
        assert (await connection.scalars(index.candidates("电", dialect=dialect))).all() == [2]
        await connection.execute(delete(notes).where(notes.c.id == 1))
        assert (await connection.scalars(index.candidates("水", dialect=dialect))).all() == []


async def test_a_search_reads_candidates_and_not_the_table(
    session: AsyncSession, monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    if not database.is_sqlite:
        await session.execute(text("SET LOCAL enable_seqscan = off"))
    monkeypatch.setattr(listing_module, "COUNT_LIMIT", 3)
    session.add_all([*(_entry(f"row {n}") for n in range(200)), _entry("漏水")])
    await session.flush()
    plans: list[str] = []
    explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "

    def note(connection: Connection, cursor: object, statement: str, parameters: object, *_: object) -> None:
        if statement.startswith("SELECT audit_entries.id"):
            plan = connection.exec_driver_sql(explain + statement, parameters)
            plans.append(" ".join(str(part) for row in plan for part in row))

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    rows, total = await _found(session, _listing(), "漏水")
    assert (len(rows), total) == (1, 1)
    keys_by, *_rows_by_their_keys = plans
    assert ("INTEGER PRIMARY KEY" if database.is_sqlite else "ix_audit_entries_search") in keys_by


@pytest.mark.parametrize(
    ("looked_at", "counted"), [(0, (5, False)), (3, (5, False)), (7, (7, False)), (20, (20, True)), (25, (20, True))]
)
async def test_words_in_very_many_rows_are_counted_as_far_as_they_are_looked_at(
    session: AsyncSession, monkeypatch: pytest.MonkeyPatch, looked_at: int, counted: tuple[int, bool]
) -> None:
    monkeypatch.setattr(listing_module, "COUNT_LIMIT", 20)
    monkeypatch.setattr(listing_module, "_RARE", 0)
    monkeypatch.setattr(listing_module, "_LOOKED_AT", looked_at)
    session.add_all([*(_entry(f"漏水 {n}") for n in range(20)), _entry("停电")])
    await session.flush()
    found = await fetch(session, _listing(), Ask(search="漏水", limit=5))
    assert [row.AuditEntry.actor for row in found.rows] == [f"漏水 {n}" for n in range(5)]
    assert (found.total, found.is_counted) == counted


async def test_a_walk_takes_every_row_once_in_the_lists_order(session: AsyncSession) -> None:
    session.add_all(_entry(f"{n % 7}") for n in range(60))
    await session.flush()
    walk = Walk()
    ids: list[int] = []
    for offset in range(0, 70, 10):
        found = await fetch(session, _listing(), Ask(sort="actor", offset=offset, limit=10, walk=walk))
        ids += [row.AuditEntry.id for row in found.rows]
        assert found.total == 60
    in_order = select(AuditEntry.id).order_by(AuditEntry.actor, AuditEntry.id)
    assert ids == list(await session.scalars(in_order))
    assert await session.scalar(select(func.count()).select_from(AuditEntry)) == len(ids)

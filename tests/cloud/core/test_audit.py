import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError

from cloud.core.audit import AuditEntry, changed, record
from cloud.core.database import Database
from cloud.core.principal import Principal
from tests.clocks import FixedClock

ZHANG = Principal(organisation_id=1, person_id=7, name="张三")


async def _record(database: Database, clock: FixedClock) -> None:
    async with database.transaction() as session:
        record(
            session, clock, ZHANG, action="test.named", subject="door:1", before={"name": "东"}, after={"name": "西"}
        )


async def test_an_entry_says_who_did_what_when_and_what_changed(database: Database, clock: FixedClock) -> None:
    await _record(database, clock)
    async with database.reading() as session:
        (entry,) = (await session.scalars(select(AuditEntry))).all()
    assert (entry.organisation_id, entry.person_id, entry.actor, entry.at) == (1, 7, "张三", clock.now())
    assert (entry.action, entry.subject) == ("test.named", "door:1")
    assert (entry.before, entry.after) == ({"name": "东"}, {"name": "西"})


async def test_what_was_nothing_is_null_and_not_the_word(database: Database, clock: FixedClock) -> None:
    async with database.transaction() as session:
        record(session, clock, ZHANG, action="test.made", subject="door:1", after={"name": "东"})
    async with database.reading() as session:
        assert await session.scalar(select(AuditEntry.before).where(AuditEntry.before.is_(None))) is None
        assert await session.scalar(text("SELECT count(*) FROM audit_entries WHERE before IS NULL")) == 1


@pytest.mark.parametrize(
    "change", [update(AuditEntry).values(actor="李四"), delete(AuditEntry)], ids=["update", "delete"]
)
async def test_the_database_refuses_to_change_an_entry(database: Database, clock: FixedClock, change: object) -> None:
    await _record(database, clock)
    with pytest.raises(DBAPIError, match="audit_entries is append only"):
        async with database.transaction() as session:
            await session.execute(change)  # type: ignore[call-overload]  # either of two statements
    async with database.reading() as session:
        assert await session.scalar(select(AuditEntry.actor)) == "张三"


async def test_a_secret_is_not_written_down(database: Database, clock: FixedClock) -> None:
    with pytest.raises(ValueError, match="'password_hash' of test\\.named looks like a secret"):
        async with database.transaction() as session:
            record(session, clock, ZHANG, action="test.named", subject="x", after={"password_hash": "x"})


def test_only_what_changed_is_kept() -> None:
    assert changed({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4}) == ({"b": 2, "c": None}, {"b": 3, "c": 4})

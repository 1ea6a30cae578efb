import pytest
from sqlalchemy.exc import DBAPIError

from cloud.core.database import Database
from cloud.fleet import bulk

_TYPES = ("bigint", "text")


def test_sqlite_gets_places_filled_up_with_the_last_row_to_one_of_few_sizes() -> None:
    (source,) = bulk.sources([(n, "x") for n in range(5)], _TYPES, is_sqlite=True)
    assert source == (
        "VALUES (?, ?), (?, ?), (?, ?), (?, ?), (?, ?), (?, ?)",
        (0, "x", 1, "x", 2, "x", 3, "x", 4, "x", 4, "x"),
    )


def test_more_rows_than_a_statement_takes_come_in_several() -> None:
    found = list(bulk.sources([(n,) for n in range(2_500)], ("bigint",), is_sqlite=True))
    assert [len(values) for _, values in found] == [1_024, 1_024, 512]
    assert {value for _, values in found for value in values} == set(range(2_500))


def test_postgresql_gets_its_columns_as_arrays() -> None:
    (source,) = bulk.sources([(1, "a"), (2, "b")], _TYPES, is_sqlite=False)
    assert source == ("SELECT * FROM unnest(%s::bigint[], %s::text[])", ([1, 2], ["a", "b"]))


@pytest.mark.parametrize("is_sqlite", [True, False])
def test_no_rows_are_no_statement(is_sqlite: bool) -> None:
    assert list(bulk.sources([], _TYPES, is_sqlite=is_sqlite)) == []


async def test_what_the_database_refuses_is_told_without_its_values(database: Database) -> None:
    async with database.reading() as session:
        with pytest.raises(DBAPIError) as refused:
            await bulk.find(session, "SELECT nothing FROM ({source}) AS there", [(4711,)], ("bigint",))
    assert "nothing" in str(refused.value)
    assert "4711" not in str(refused.value)

"""Tables whose rows stand for ever: the database itself refuses to change or delete them."""

from sqlalchemy import DDL, Table, event

_SQLITE = """\
CREATE TRIGGER {table}_keep_{what} BEFORE {what} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append only'); END"""

_POSTGRESQL_FUNCTION = """\
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN RAISE EXCEPTION '%% is append only', TG_TABLE_NAME; END$$"""

_POSTGRESQL = """\
CREATE TRIGGER {table}_keep BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"""


def append_only(table: Table) -> None:
    """Have whatever creates `table` from its model also create the triggers; a migration writes them out itself."""
    sqlite = [_SQLITE.format(table=table.name, what=what) for what in ("UPDATE", "DELETE")]
    postgresql = [_POSTGRESQL_FUNCTION, _POSTGRESQL.format(table=table.name)]
    for dialect, statements in (("sqlite", sqlite), ("postgresql", postgresql)):
        for statement in statements:
            ddl = DDL(statement)  # type: ignore[no-untyped-call]  # SQLAlchemy gives its constructor no types
            event.listen(table, "after_create", ddl.execute_if(dialect=dialect))

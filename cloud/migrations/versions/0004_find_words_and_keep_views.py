"""Find words through an index, keep views of lists, and write long lists in the background."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PLAIN = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")

RUNS = """\
SELECT group_concat(hex(substr(words, at, 1)) || ' ' || hex(substr(words, at, 2)) || ' ' || hex(substr(words, at, 3)), \
' ') FROM (WITH RECURSIVE place(words, at) AS \
(SELECT lower({words}), 1 UNION ALL SELECT words, at + 1 FROM place WHERE at < length(words)) \
SELECT words, at FROM place)"""
WORDS = "coalesce({row}.actor, '') || char(31) || coalesce({row}.subject, '')"
NEW, OLD, HELD = (RUNS.format(words=WORDS.format(row=row)) for row in ("new", "old", "audit_entries"))
ADD = f"INSERT INTO audit_entries_search(rowid, runs) SELECT new.id, ({NEW})"
DROP = f"INSERT INTO audit_entries_search(audit_entries_search, rowid, runs) SELECT 'delete', old.id, ({OLD})"

SQLITE = (
    "CREATE VIRTUAL TABLE audit_entries_search USING fts5(runs, content='', detail=none, tokenize='ascii')",
    f"CREATE TRIGGER audit_entries_search_insert AFTER INSERT ON audit_entries BEGIN {ADD}; END",
    f"CREATE TRIGGER audit_entries_search_delete AFTER DELETE ON audit_entries BEGIN {DROP}; END",
    f"CREATE TRIGGER audit_entries_search_update AFTER UPDATE OF actor, subject ON audit_entries "
    f"BEGIN {DROP}; {ADD}; END",
    f"INSERT INTO audit_entries_search(rowid, runs) SELECT id, ({HELD}) FROM audit_entries",
)
POSTGRESQL = (
    """CREATE OR REPLACE FUNCTION search_runs(words text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$SELECT coalesce(array_agg(DISTINCT substr(words, at, size)), '{}')
FROM generate_series(1, length(words)) AS at, generate_series(1, 3) AS size$$""",
    "CREATE INDEX ix_audit_entries_search ON audit_entries USING gin "
    "(search_runs(lower(coalesce(actor, '') || chr(31) || coalesce(subject, ''))))",
)


def upgrade() -> None:
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(sa.text(statement.replace(":", "\\:")))

    op.create_table(
        "list_views",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("person_id", BIG, nullable=False),
        sa.Column("list_name", sa.String(length=40), nullable=False),
        sa.Column("path", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("is_shared", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_list_views_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_list_views_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list_views")),
        sa.UniqueConstraint("person_id", "path", "name", name=op.f("uq_list_views_person_id")),
    )
    op.create_index("ix_list_views_list", "list_views", ["organisation_id", "path"])

    op.create_table(
        "list_habits",
        sa.Column("person_id", BIG, nullable=False),
        sa.Column("path", sa.String(length=200), nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("columns", PLAIN, nullable=True),
        sa.Column("view_id", BIG, nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_list_habits_person_id_people")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_list_habits_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(
            ["view_id"], ["list_views.id"], name=op.f("fk_list_habits_view_id_list_views"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("person_id", "path", name=op.f("pk_list_habits")),
    )
    op.create_index(op.f("ix_list_habits_view_id"), "list_habits", ["view_id"])

    op.create_table(
        "exports",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("person_id", BIG, nullable=False),
        sa.Column("list_name", sa.String(length=40), nullable=False),
        sa.Column("caption", sa.String(length=80), nullable=False),
        sa.Column("path", sa.String(length=200), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("format", sa.String(length=40), nullable=False),
        sa.Column("locale", sa.String(length=20), nullable=False),
        sa.Column("roles", PLAIN, nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("attempt", BIG, nullable=False),
        sa.Column("rows", BIG, nullable=False),
        sa.Column("total", BIG, nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("file_id", BIG, nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_exports_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_exports_person_id_people")),
        sa.ForeignKeyConstraint(["file_id"], ["files.id"], name=op.f("fk_exports_file_id_files")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exports")),
    )
    is_open = sa.text("state IN ('waiting', 'running')")
    op.create_index(
        "ix_exports_open", "exports", ["person_id"], unique=True, sqlite_where=is_open, postgresql_where=is_open
    )
    op.create_index("ix_exports_ended_at", "exports", ["ended_at"])


def downgrade() -> None:
    op.drop_table("exports")
    op.drop_table("list_habits")
    op.drop_table("list_views")
    if op.get_bind().dialect.name == "sqlite":
        for what in ("insert", "delete", "update"):
            op.execute(f"DROP TRIGGER audit_entries_search_{what}")
        op.execute("DROP TABLE audit_entries_search")
    else:
        op.execute("DROP INDEX ix_audit_entries_search")
        op.execute("DROP FUNCTION search_runs(text)")

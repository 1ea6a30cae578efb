"""Write down what comes in at the desk."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

RUNS = """\
SELECT group_concat(hex(substr(words, at, 1)) || ' ' || hex(substr(words, at, 2)) || ' ' || hex(substr(words, at, 3)), \
' ') FROM (WITH RECURSIVE place(words, at) AS \
(SELECT {words}, 1 UNION ALL SELECT words, at + 1 FROM place WHERE at < length(words)) SELECT words, at FROM place)"""


def upgrade() -> None:
    search_people_by(("name", "login", "phone"))

    op.create_table(
        "services",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("community_id", BIG, nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("name_zh", sa.String(length=80), nullable=False),
        sa.Column("name_en", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"], ["communities.id"], name=op.f("fk_services_community_id_communities")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_services_organisation_id_organisations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_services")),
    )
    with op.batch_alter_table("services", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_services_organisation_id"), ["organisation_id"], unique=False)

    op.create_table(
        "visitors",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("community_id", BIG, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("text", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("called_by", BIG, nullable=True),
        sa.Column("called_name", sa.String(length=80), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["called_by"], ["people.id"], name=op.f("fk_visitors_called_by_people")),
        sa.ForeignKeyConstraint(
            ["community_id"], ["communities.id"], name=op.f("fk_visitors_community_id_communities")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_visitors_organisation_id_organisations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visitors")),
        sa.UniqueConstraint("community_id", "day", "number", name=op.f("uq_visitors_community_id")),
    )
    op.create_table(
        "service_prices",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("service_id", BIG, nullable=False),
        sa.Column("minor", BIG, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("note_zh", sa.String(length=500), nullable=False),
        sa.Column("note_en", sa.String(length=500), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", BIG, nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["people.id"], name=op.f("fk_service_prices_created_by_people")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_service_prices_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_service_prices_service_id_services")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_prices")),
    )
    with op.batch_alter_table("service_prices", schema=None) as batch_op:
        batch_op.create_index("ix_service_prices_service", ["service_id", "since"], unique=False)

    op.create_table(
        "callbacks",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("community_id", BIG, nullable=True),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("person_id", BIG, nullable=True),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("unit_id", BIG, nullable=True),
        sa.Column("place_id", BIG, nullable=True),
        sa.Column("place", sa.String(length=300), nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", BIG, nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("promised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_by", BIG, nullable=True),
        sa.Column("taken_name", sa.String(length=80), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"], ["communities.id"], name=op.f("fk_callbacks_community_id_communities")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_callbacks_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_callbacks_person_id_people")),
        sa.ForeignKeyConstraint(["place_id"], ["places.id"], name=op.f("fk_callbacks_place_id_places")),
        sa.ForeignKeyConstraint(["taken_by"], ["people.id"], name=op.f("fk_callbacks_taken_by_people")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_callbacks_unit_id_units")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callbacks")),
    )
    with op.batch_alter_table("callbacks", schema=None) as batch_op:
        batch_op.create_index("ix_callbacks_due", ["state", "told_at", "due_at"], unique=False)
        batch_op.create_index("ix_callbacks_open", ["organisation_id", "state", "due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_callbacks_person_id"), ["person_id"], unique=False)

    op.create_table(
        "desk_hints",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("community_id", BIG, nullable=True),
        sa.Column("unit_id", BIG, nullable=True),
        sa.Column("place_id", BIG, nullable=True),
        sa.Column("text", sa.String(length=500), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_by", BIG, nullable=True),
        sa.Column("author", sa.String(length=80), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["community_id"], ["communities.id"], name=op.f("fk_desk_hints_community_id_communities")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_desk_hints_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(["place_id"], ["places.id"], name=op.f("fk_desk_hints_place_id_places")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_desk_hints_unit_id_units")),
        sa.ForeignKeyConstraint(["written_by"], ["people.id"], name=op.f("fk_desk_hints_written_by_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_hints")),
    )
    with op.batch_alter_table("desk_hints", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_desk_hints_place_id"), ["place_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_desk_hints_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "interactions",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("community_id", BIG, nullable=True),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("ending", sa.String(length=40), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration_s", BIG, nullable=True),
        sa.Column("person_id", BIG, nullable=True),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("unit_id", BIG, nullable=True),
        sa.Column("place_id", BIG, nullable=True),
        sa.Column("place", sa.String(length=300), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("ticket_id", BIG, nullable=True),
        sa.Column("price_id", BIG, nullable=True),
        sa.Column("corrects_id", BIG, nullable=True),
        sa.Column("callback_id", BIG, nullable=True),
        sa.Column("taken_by", BIG, nullable=True),
        sa.Column("taken_name", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["callback_id"], ["callbacks.id"], name=op.f("fk_interactions_callback_id_callbacks")),
        sa.ForeignKeyConstraint(
            ["community_id"], ["communities.id"], name=op.f("fk_interactions_community_id_communities")
        ),
        sa.ForeignKeyConstraint(
            ["corrects_id"], ["interactions.id"], name=op.f("fk_interactions_corrects_id_interactions")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_interactions_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_interactions_person_id_people")),
        sa.ForeignKeyConstraint(["place_id"], ["places.id"], name=op.f("fk_interactions_place_id_places")),
        sa.ForeignKeyConstraint(
            ["price_id"], ["service_prices.id"], name=op.f("fk_interactions_price_id_service_prices")
        ),
        sa.ForeignKeyConstraint(["taken_by"], ["people.id"], name=op.f("fk_interactions_taken_by_people")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_interactions_ticket_id_tickets")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_interactions_unit_id_units")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interactions")),
        sa.UniqueConstraint("organisation_id", "key", name=op.f("uq_interactions_organisation_id")),
    )
    with op.batch_alter_table("interactions", schema=None) as batch_op:
        batch_op.create_index("ix_interactions_begun", ["organisation_id", "begun_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_interactions_callback_id"), ["callback_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_interactions_corrects_id"), ["corrects_id"], unique=False)
        batch_op.create_index("ix_interactions_person", ["person_id", "begun_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_interactions_ticket_id"), ["ticket_id"], unique=False)
        batch_op.create_index("ix_interactions_unit", ["unit_id", "begun_at"], unique=False)

    with op.batch_alter_table("tickets", schema=None) as batch_op:
        batch_op.create_index("ix_tickets_requester", ["requester_id", "opened_at"], unique=False)
        batch_op.create_index("ix_tickets_unit", ["unit_id", "opened_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("tickets", schema=None) as batch_op:
        batch_op.drop_index("ix_tickets_unit")
        batch_op.drop_index("ix_tickets_requester")

    op.drop_table("interactions")
    op.drop_table("desk_hints")
    op.drop_table("callbacks")
    op.drop_table("service_prices")
    op.drop_table("visitors")
    op.drop_table("services")
    search_people_by(("name", "login"))


def search_people_by(columns: tuple[str, ...]) -> None:
    """Make the index over people's texts anew, over other columns."""
    if op.get_bind().dialect.name != "sqlite":
        words = " || chr(31) || ".join(f"coalesce({column}, '')" for column in columns)
        op.execute("DROP INDEX ix_people_search")
        op.execute(f"CREATE INDEX ix_people_search ON people USING gin (search_runs(lower({words})))")
        return
    add = f"INSERT INTO people_search(rowid, runs) SELECT new.id, ({runs(columns, 'new')})"
    drop = f"INSERT INTO people_search(people_search, rowid, runs) SELECT 'delete', old.id, ({runs(columns, 'old')})"
    for what in ("insert", "delete", "update"):
        op.execute(f"DROP TRIGGER people_search_{what}")
    for statement in (
        "DROP TABLE people_search",
        "CREATE VIRTUAL TABLE people_search USING fts5(runs, content='', detail=none, tokenize='ascii')",
        f"CREATE TRIGGER people_search_insert AFTER INSERT ON people BEGIN {add}; END",
        f"CREATE TRIGGER people_search_delete AFTER DELETE ON people BEGIN {drop}; END",
        f"CREATE TRIGGER people_search_update AFTER UPDATE OF {', '.join(columns)} ON people BEGIN {drop}; {add}; END",
        f"INSERT INTO people_search(rowid, runs) SELECT id, ({runs(columns, 'people')}) FROM people",
    ):
        op.execute(sa.text(statement))


def runs(columns: tuple[str, ...], row: str) -> str:
    words = " || char(31) || ".join(f"coalesce({row}.{column}, '')" for column in columns)
    return RUNS.format(words=f"lower({words})")

"""Find people for tickets: rules, skills, searches, offers and the ladder.

Tickets that nobody has are looked for from now on, by the rules that an organisation begins with.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
INSTANT = sa.DateTime(timezone=True)

FIRST_RULES = {
    "cap": 5,
    "accept_min": {"1": 5, "2": 10, "3": 30, "4": 60},
    "asked_at_most": 3,
    "queue_min": 15,
    "kinds": ["alarm", "inspection", "repair"],
    "lead_ids": [],
    "area_ids": [],
    "ladder": [
        {"percent": 50, "whom": "assignee", "only_emergency": False},
        {"percent": 80, "whom": "lead", "only_emergency": False},
        {"percent": 100, "whom": "manager", "only_emergency": False},
        {"percent": 150, "whom": "area", "only_emergency": True},
    ],
}


def upgrade() -> None:
    op.create_table(
        "dispatch_rules",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("version", BIG, nullable=False),
        sa.Column("cap", BIG, nullable=False),
        sa.Column("accept_min", JSON, nullable=False),
        sa.Column("asked_at_most", BIG, nullable=False),
        sa.Column("queue_min", BIG, nullable=False),
        sa.Column("kinds", JSON, nullable=False),
        sa.Column("lead_ids", JSON, nullable=False),
        sa.Column("area_ids", JSON, nullable=False),
        sa.Column("ladder", JSON, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("replaced_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_dispatch_rules_organisation_id_organisations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispatch_rules")),
        sa.UniqueConstraint("organisation_id", "version", name=op.f("uq_dispatch_rules_organisation_id")),
    )
    op.create_table(
        "worker_skills",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("person_id", BIG, nullable=False),
        sa.Column("skill", sa.String(length=40), nullable=False),
        sa.Column("certificate", sa.String(length=40), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_worker_skills_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_worker_skills_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker_skills")),
        sa.UniqueConstraint("person_id", "skill", name=op.f("uq_worker_skills_person_id")),
    )
    with op.batch_alter_table("worker_skills", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_worker_skills_organisation_id"), ["organisation_id"], unique=False)

    op.create_table(
        "whereabouts",
        sa.Column("person_id", BIG, autoincrement=False, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("building_id", BIG, nullable=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["building_id"], ["buildings.id"], name=op.f("fk_whereabouts_building_id_buildings")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_whereabouts_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_whereabouts_person_id_people")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_whereabouts")),
    )
    with op.batch_alter_table("whereabouts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_whereabouts_organisation_id"), ["organisation_id"], unique=False)

    op.create_table(
        "dispatches",
        sa.Column("ticket_id", BIG, autoincrement=False, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("building_id", BIG, nullable=True),
        sa.Column("rules_id", BIG, nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("next_at", INSTANT, nullable=True),
        sa.Column("called_at", INSTANT, nullable=True),
        sa.Column("verdicts", JSON, nullable=True),
        sa.ForeignKeyConstraint(["building_id"], ["buildings.id"], name=op.f("fk_dispatches_building_id_buildings")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_dispatches_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(
            ["rules_id"], ["dispatch_rules.id"], name=op.f("fk_dispatches_rules_id_dispatch_rules")
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_dispatches_ticket_id_tickets")),
        sa.PrimaryKeyConstraint("ticket_id", name=op.f("pk_dispatches")),
    )
    with op.batch_alter_table("dispatches", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_dispatches_next_at"), ["next_at"], unique=False)
        batch_op.create_index(
            "ix_dispatches_searching",
            ["organisation_id", "state"],
            unique=False,
            sqlite_where=sa.text("state != 'over'"),
            postgresql_where=sa.text("state != 'over'"),
        )

    op.create_table(
        "escalations",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("ticket_id", BIG, nullable=False),
        sa.Column("target", sa.String(length=40), nullable=False),
        sa.Column("percent", BIG, nullable=False),
        sa.Column("due_at", INSTANT, nullable=True),
        sa.Column("told_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_escalations_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_escalations_ticket_id_tickets")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalations")),
        sa.UniqueConstraint("ticket_id", "target", "percent", name=op.f("uq_escalations_ticket_id")),
    )
    with op.batch_alter_table("escalations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_escalations_due_at"), ["due_at"], unique=False)

    op.create_table(
        "offers",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("ticket_id", BIG, nullable=False),
        sa.Column("person_id", BIG, nullable=False),
        sa.Column("rules_id", BIG, nullable=True),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("offered_at", INSTANT, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("verdicts", JSON, nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_offers_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_offers_person_id_people")),
        sa.ForeignKeyConstraint(["rules_id"], ["dispatch_rules.id"], name=op.f("fk_offers_rules_id_dispatch_rules")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_offers_ticket_id_tickets")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offers")),
    )
    with op.batch_alter_table("offers", schema=None) as batch_op:
        batch_op.create_index(
            "ix_offers_open",
            ["ticket_id"],
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )
        batch_op.create_index(
            "ix_offers_person",
            ["person_id"],
            unique=False,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )
        batch_op.create_index(batch_op.f("ix_offers_ticket_id"), ["ticket_id"], unique=False)

    _look_for_who_is_missing()


def _look_for_who_is_missing() -> None:
    rules = sa.table(
        "dispatch_rules",
        *(sa.column(name) for name in ("organisation_id", "version", "cap", "asked_at_most", "queue_min")),
        *(sa.column(name, JSON) for name in ("accept_min", "kinds", "lead_ids", "area_ids", "ladder")),
        sa.column("created_at", INSTANT),
    )
    organisations = sa.table("organisations", sa.column("id"), sa.column("created_at", INSTANT))
    connection = op.get_bind()
    for organisation in connection.execute(sa.select(organisations).order_by(organisations.c.id)).all():
        first = {"organisation_id": organisation.id, "version": 1, "created_at": organisation.created_at}
        connection.execute(rules.insert().values(first | FIRST_RULES))
    op.execute(
        "INSERT INTO dispatches (ticket_id, organisation_id, building_id, rules_id, state, since, next_at) "
        "SELECT tickets.id, tickets.organisation_id, places.building_id, dispatch_rules.id, 'new', "
        "tickets.opened_at, tickets.opened_at FROM tickets "
        "JOIN dispatch_rules ON dispatch_rules.organisation_id = tickets.organisation_id "
        "LEFT JOIN places ON places.id = tickets.place_id WHERE tickets.state = 'open' AND tickets.assignee_id IS NULL"
    )


def downgrade() -> None:
    for table in ("offers", "escalations", "dispatches", "whereabouts", "worker_skills", "dispatch_rules"):
        op.drop_table(table)

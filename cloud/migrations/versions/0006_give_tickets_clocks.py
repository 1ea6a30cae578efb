"""Give tickets clocks, a tree of types, whoever asked, several alarms each, and incidents.

Tickets that are there keep their deadlines and their types' numbers, which counted round the clock.
"""

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PLAIN = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
AT = sa.DateTime(timezone=True)

BEFORE = "state IN ('assigned', 'in_work', 'open')"
AFTER = "state IN ('agreed', 'assigned', 'in_work', 'open', 'planned', 'verifying', 'waiting')"
APPEND_ONLY = ("ticket_contacts", "ticket_timer_events")

KINDS = {"alarm_repair": "alarm", "inspection": "inspection", "service": "enquiry"}
NEW_OF_TYPES = (
    ("parent_code", sa.String(length=40), True),
    ("kind", sa.String(length=40), False),
    ("procedure", PLAIN, False),
    ("targets", PLAIN, False),
    ("calendar", sa.String(length=40), False),
    ("skills", PLAIN, False),
    ("payer", sa.String(length=40), False),
    ("keywords", PLAIN, False),
    ("is_emergency", sa.Boolean(), False),
    ("needs_plan", sa.Boolean(), False),
    ("rework_days", BIG, False),
)
OLD_OF_TYPES = (("deadlines", PLAIN), ("procedure_zh", sa.Text()), ("procedure_en", sa.Text()))
NEW_OF_TICKETS = (
    ("unit_id", BIG, True),
    ("kind", sa.String(length=40), False),
    ("requester_id", BIG, True),
    ("requester_name", sa.String(length=80), False),
    ("requester_phone", sa.String(length=20), False),
    ("origin", sa.String(length=40), False),
    ("payer", sa.String(length=40), False),
    ("consent", BIG, False),
    ("waited_in", sa.String(length=40), True),
    ("waiting_for", sa.Text(), False),
    ("emergency_reason", sa.Text(), False),
    ("escalated", BIG, False),
    ("merged_into_id", BIG, True),
    ("incident_id", BIG, True),
    ("resolved_by", BIG, True),
    ("reworked", BIG, False),
)
POINTS_TO = (
    ("unit_id", "units"),
    ("requester_id", "people"),
    ("merged_into_id", "tickets"),
    ("incident_id", "incidents"),
    ("resolved_by", "people"),
)
LOOKED_UP = ("unit_id", "requester_id", "merged_into_id", "incident_id")


def upgrade() -> None:
    _change_types()
    _make_incidents()
    _change_tickets()
    _make_alarms()
    _make_steps_and_contacts()
    _make_timers()
    for table in APPEND_ONLY:
        _keep(table)


def _change_types() -> None:
    with op.batch_alter_table("ticket_types", schema=None) as batch_op:
        for name, kind, _nullable in NEW_OF_TYPES:
            batch_op.add_column(sa.Column(name, kind, nullable=True))
    rows = op.get_bind().execute(sa.text("SELECT id, code, deadlines, procedure_zh, procedure_en FROM ticket_types"))
    types = sa.table("ticket_types", sa.column("id", BIG), *(sa.column(name, kind) for name, kind, _ in NEW_OF_TYPES))
    for row in rows.all():
        deadlines = json.loads(row.deadlines) if isinstance(row.deadlines, str) else row.deadlines
        op.execute(
            types.update()
            .where(types.c.id == row.id)
            .values(
                kind=KINDS.get(row.code, "repair"),
                procedure=_steps(row.procedure_zh, row.procedure_en),
                targets={level: {"solution": minutes} for level, minutes in deadlines.items()},
                calendar="always",
                skills=[],
                payer="company",
                keywords=[],
                is_emergency=False,
                needs_plan=False,
                rework_days=7,
            )
        )
    with op.batch_alter_table("ticket_types", schema=None) as batch_op:
        for name, kind, nullable in NEW_OF_TYPES:
            if not nullable:
                batch_op.alter_column(name, existing_type=kind, nullable=False)
        for name, _kind in OLD_OF_TYPES:
            batch_op.drop_column(name)


def _steps(zh: str, en: str) -> list[dict[str, str]]:
    chinese, english = zh.splitlines(), en.splitlines()
    return [
        {
            "code": f"step{number + 1}",
            "zh": chinese[number] if number < len(chinese) else "",
            "en": english[number] if number < len(english) else "",
        }
        for number in range(max(len(chinese), len(english)))
    ]


def _make_incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("community_id", BIG, nullable=True),
        sa.Column("type_id", BIG, nullable=False),
        sa.Column("priority", BIG, nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("script", sa.Text(), nullable=False),
        sa.Column("notice", sa.Text(), nullable=False),
        sa.Column("opened_at", AT, nullable=False),
        sa.Column("opened_by", BIG, nullable=True),
        sa.Column("due_at", AT, nullable=False),
        sa.Column("closed_at", AT, nullable=True),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("version", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"], ["communities.id"], name=op.f("fk_incidents_community_id_communities")
        ),
        sa.ForeignKeyConstraint(["opened_by"], ["people.id"], name=op.f("fk_incidents_opened_by_people")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_incidents_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(["type_id"], ["ticket_types.id"], name=op.f("fk_incidents_type_id_ticket_types")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
    )
    op.create_index("ix_incidents_opened", "incidents", ["organisation_id", "opened_at"], unique=False)
    op.create_table(
        "incident_places",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("incident_id", BIG, nullable=False),
        sa.Column("place_id", BIG, nullable=True),
        sa.Column("unit_id", BIG, nullable=True),
        sa.Column("label", sa.String(length=400), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_incident_places_incident_id_incidents")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_incident_places_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(["place_id"], ["places.id"], name=op.f("fk_incident_places_place_id_places")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_incident_places_unit_id_units")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_places")),
    )
    op.create_index(op.f("ix_incident_places_incident_id"), "incident_places", ["incident_id"], unique=False)


def _change_tickets() -> None:
    _drop_undone_indices(BEFORE)
    with op.batch_alter_table("tickets", schema=None) as batch_op:
        for name, kind, _nullable in NEW_OF_TICKETS:
            batch_op.add_column(sa.Column(name, kind, nullable=True))
    op.execute(
        "UPDATE tickets SET kind = (SELECT kind FROM ticket_types WHERE ticket_types.id = tickets.type_id), "
        "requester_name = '', requester_phone = '', payer = 'company', consent = 0, waiting_for = '', "
        "emergency_reason = '', escalated = 0, reworked = 0, "
        "origin = CASE WHEN alarm_id IS NULL THEN 'staff' ELSE 'alarm' END"
    )
    with op.batch_alter_table("tickets", schema=None) as batch_op:
        for name, kind, nullable in NEW_OF_TICKETS:
            if not nullable:
                batch_op.alter_column(name, existing_type=kind, nullable=False)
        for name, table in POINTS_TO:
            batch_op.create_foreign_key(batch_op.f(f"fk_tickets_{name}_{table}"), table, [name], ["id"])
    for name in LOOKED_UP:
        op.create_index(op.f(f"ix_tickets_{name}"), "tickets", [name], unique=False)
    _make_undone_indices(AFTER)


def _make_alarms() -> None:
    op.create_table(
        "ticket_alarms",
        sa.Column("alarm_id", BIG, autoincrement=False, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("ticket_id", BIG, nullable=False),
        sa.Column("rule_id", BIG, nullable=True),
        sa.Column("point_id", BIG, nullable=True),
        sa.Column("is_rework", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["alarm_id"], ["alarms.id"], name=op.f("fk_ticket_alarms_alarm_id_alarms")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_ticket_alarms_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_alarms_ticket_id_tickets")),
        sa.PrimaryKeyConstraint("alarm_id", name=op.f("pk_ticket_alarms")),
    )
    op.create_index(op.f("ix_ticket_alarms_ticket_id"), "ticket_alarms", ["ticket_id"], unique=False)
    op.create_index("ix_ticket_alarms_rule", "ticket_alarms", ["rule_id", "point_id"], unique=False)
    op.execute(
        "INSERT INTO ticket_alarms (alarm_id, organisation_id, ticket_id, rule_id, point_id, is_rework) "
        "SELECT alarms.id, tickets.organisation_id, tickets.id, alarms.rule_id, alarms.point_id, false "
        "FROM tickets JOIN alarms ON alarms.id = tickets.alarm_id"
    )
    with op.batch_alter_table("tickets", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_tickets_alarm_id"), type_="unique")
        batch_op.drop_constraint(batch_op.f("fk_tickets_alarm_id_alarms"), type_="foreignkey")
        batch_op.drop_column("alarm_id")


def _make_steps_and_contacts() -> None:
    op.create_table(
        "ticket_steps",
        sa.Column("ticket_id", BIG, autoincrement=False, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("at", AT, nullable=False),
        sa.Column("person_id", BIG, nullable=True),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_ticket_steps_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_ticket_steps_person_id_people")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_steps_ticket_id_tickets")),
        sa.PrimaryKeyConstraint("ticket_id", "code", name=op.f("pk_ticket_steps")),
    )
    op.create_table(
        "ticket_contacts",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("ticket_id", BIG, nullable=False),
        sa.Column("at", AT, nullable=False),
        sa.Column("person_id", BIG, nullable=True),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("how", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("next_step", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_ticket_contacts_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_ticket_contacts_person_id_people")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_contacts_ticket_id_tickets")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_contacts")),
    )
    op.create_index(op.f("ix_ticket_contacts_ticket_id"), "ticket_contacts", ["ticket_id"], unique=False)


def _make_timers() -> None:
    op.create_table(
        "ticket_timers",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("ticket_id", BIG, nullable=False),
        sa.Column("target", sa.String(length=40), nullable=False),
        sa.Column("calendar_id", BIG, nullable=False),
        sa.Column("limit_us", BIG, nullable=False),
        sa.Column("used_us", BIG, nullable=False),
        sa.Column("since", AT, nullable=True),
        sa.Column("level", BIG, nullable=False),
        sa.Column("due_at", AT, nullable=True),
        sa.Column("next_at", AT, nullable=True),
        sa.Column("breached_at", AT, nullable=True),
        sa.Column("ended_at", AT, nullable=True),
        sa.Column("ending", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["calendar_id"], ["calendars.id"], name=op.f("fk_ticket_timers_calendar_id_calendars")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_ticket_timers_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_timers_ticket_id_tickets")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_timers")),
        sa.UniqueConstraint("ticket_id", "target", name=op.f("uq_ticket_timers_ticket_id")),
    )
    op.create_index(op.f("ix_ticket_timers_next_at"), "ticket_timers", ["next_at"], unique=False)
    op.create_table(
        "ticket_timer_events",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("timer_id", BIG, nullable=False),
        sa.Column("at", AT, nullable=False),
        sa.Column("turn", sa.String(length=40), nullable=False),
        sa.Column("level", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_ticket_timer_events_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(
            ["timer_id"], ["ticket_timers.id"], name=op.f("fk_ticket_timer_events_timer_id_ticket_timers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_timer_events")),
    )
    op.create_index(op.f("ix_ticket_timer_events_timer_id"), "ticket_timer_events", ["timer_id"], unique=False)


def _make_undone_indices(where: str) -> None:
    condition = {"sqlite_where": sa.text(where), "postgresql_where": sa.text(where)}
    op.create_index("ix_tickets_assignee", "tickets", ["assignee_id"], unique=False, **condition)
    op.create_index("ix_tickets_undone", "tickets", ["organisation_id", "due_at"], unique=False, **condition)


def _drop_undone_indices(where: str) -> None:
    condition = {"sqlite_where": sa.text(where), "postgresql_where": sa.text(where)}
    op.drop_index("ix_tickets_undone", "tickets", **condition)
    op.drop_index("ix_tickets_assignee", "tickets", **condition)


def _keep(table: str) -> None:
    """Have the database refuse every change of the table's rows."""
    if op.get_bind().dialect.name == "sqlite":
        for what in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_keep_{what} BEFORE {what} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append only'); END"
            )
        return
    op.execute(
        f"CREATE TRIGGER {table}_keep BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    """Go back; of several alarms a ticket keeps the first, and states that were not there before become near ones."""
    for table in (
        "ticket_timer_events", "ticket_timers", "ticket_contacts", "ticket_steps", "incident_places",
    ):
        op.drop_table(table)
    with op.batch_alter_table("tickets", schema=None) as batch_op:
        batch_op.add_column(sa.Column("alarm_id", BIG, nullable=True))
    op.execute(
        "UPDATE tickets SET alarm_id = (SELECT min(alarm_id) FROM ticket_alarms WHERE ticket_id = tickets.id), "
        "state = CASE state WHEN 'planned' THEN 'assigned' WHEN 'agreed' THEN 'assigned' WHEN 'waiting' THEN 'assigned' "
        "WHEN 'verifying' THEN 'in_work' ELSE state END"
    )
    op.drop_table("ticket_alarms")
    _drop_undone_indices(AFTER)
    for name in LOOKED_UP:
        op.drop_index(op.f(f"ix_tickets_{name}"), "tickets")
    with op.batch_alter_table("tickets", schema=None) as batch_op:
        for name, table in POINTS_TO:
            batch_op.drop_constraint(batch_op.f(f"fk_tickets_{name}_{table}"), type_="foreignkey")
        for name, _kind, _nullable in NEW_OF_TICKETS:
            batch_op.drop_column(name)
        batch_op.create_foreign_key(batch_op.f("fk_tickets_alarm_id_alarms"), "alarms", ["alarm_id"], ["id"])
        batch_op.create_unique_constraint(batch_op.f("uq_tickets_alarm_id"), ["alarm_id"])
    _make_undone_indices(BEFORE)
    op.drop_table("incidents")
    _restore_types()


def _restore_types() -> None:
    with op.batch_alter_table("ticket_types", schema=None) as batch_op:
        for name, kind in OLD_OF_TYPES:
            batch_op.add_column(sa.Column(name, kind, nullable=True))
    rows = op.get_bind().execute(sa.text("SELECT id, targets, procedure FROM ticket_types"))
    types = sa.table("ticket_types", sa.column("id", BIG), *(sa.column(name, kind) for name, kind in OLD_OF_TYPES))
    for row in rows.all():
        targets = json.loads(row.targets) if isinstance(row.targets, str) else row.targets
        steps = json.loads(row.procedure) if isinstance(row.procedure, str) else row.procedure
        op.execute(
            types.update()
            .where(types.c.id == row.id)
            .values(
                deadlines={level: minutes["solution"] for level, minutes in targets.items()},
                procedure_zh="\n".join(step["zh"] for step in steps),
                procedure_en="\n".join(step["en"] for step in steps),
            )
        )
    with op.batch_alter_table("ticket_types", schema=None) as batch_op:
        for name, kind in OLD_OF_TYPES:
            batch_op.alter_column(name, existing_type=kind, nullable=False)
        for name, _kind, _nullable in NEW_OF_TYPES:
            batch_op.drop_column(name)

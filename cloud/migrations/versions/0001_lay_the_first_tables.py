"""Lay the first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PLAIN = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")

APPEND_ONLY = (
    "audit_entries",
    "alarm_entries",
    "ticket_entries",
)


def upgrade() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person_id", BIG, nullable=True),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("action", sa.String(length=80), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("before", PLAIN, nullable=True),
        sa.Column("after", PLAIN, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
    )
    with op.batch_alter_table("audit_entries", schema=None) as batch_op:
        batch_op.create_index("ix_audit_entries_at", ["organisation_id", "at"], unique=False)
        batch_op.create_index("ix_audit_entries_subject", ["organisation_id", "subject"], unique=False)

    op.create_table(
        "files",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size_bytes", BIG, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_by", BIG, nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_files")),
    )
    with op.batch_alter_table("files", schema=None) as batch_op:
        batch_op.create_index("ix_files_removed", ["state", "removed_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_files_sha256"), ["sha256"], unique=False)

    op.create_table(
        "job_runs",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_job_runs")),
    )
    op.create_table(
        "organisations",
        sa.Column("id", BIG, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("time_zone", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisations")),
    )
    op.create_table(
        "outbox_events",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("emitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_events")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("outbox_events", schema=None) as batch_op:
        batch_op.create_index("ix_outbox_events_emitted_at", ["emitted_at"], unique=False)

    op.create_table(
        "sign_in_failures",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("failures", BIG, nullable=False),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sign_in_failures")),
    )
    with op.batch_alter_table("sign_in_failures", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_failures_failed_at"), ["failed_at"], unique=False)

    op.create_table(
        "communities",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("time_zone", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_communities_organisation_id_organisations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_communities")),
        sa.UniqueConstraint("organisation_id", "name", name=op.f("uq_communities_organisation_id")),
    )
    op.create_table(
        "outbox_deliveries",
        sa.Column("id", BIG, nullable=False),
        sa.Column("event_id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("handler", sa.String(length=120), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("attempts", BIG, nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["event_id"], ["outbox_events.id"], name=op.f("fk_outbox_deliveries_event_id_outbox_events")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_deliveries")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("outbox_deliveries", schema=None) as batch_op:
        batch_op.create_index("ix_outbox_deliveries_due", ["state", "due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_outbox_deliveries_event_id"), ["event_id"], unique=False)
        batch_op.create_index(
            "ix_outbox_deliveries_lane", ["handler", "subject", "organisation_id", "id"], unique=False
        )

    op.create_table(
        "people",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("login_key", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("roles", sa.String(length=120), nullable=False),
        sa.Column("communities", PLAIN, nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("one_time_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signed_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_people_organisation_id_organisations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("login_key", name=op.f("uq_people_login_key")),
    )
    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_people_organisation_id"), ["organisation_id"], unique=False)

    op.create_table(
        "ticket_numbers",
        sa.Column("organisation_id", BIG, autoincrement=False, nullable=False),
        sa.Column("year", BIG, autoincrement=False, nullable=False),
        sa.Column("last", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_ticket_numbers_organisation_id_organisations")
        ),
        sa.PrimaryKeyConstraint("organisation_id", "year", name=op.f("pk_ticket_numbers")),
    )
    op.create_table(
        "ticket_types",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("version", BIG, nullable=False),
        sa.Column("name_zh", sa.String(length=80), nullable=False),
        sa.Column("name_en", sa.String(length=80), nullable=False),
        sa.Column("default_priority", BIG, nullable=False),
        sa.Column("deadlines", PLAIN, nullable=False),
        sa.Column("procedure_zh", sa.Text(), nullable=False),
        sa.Column("procedure_en", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_ticket_types_organisation_id_organisations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_types")),
        sa.UniqueConstraint("organisation_id", "code", "version", name=op.f("uq_ticket_types_organisation_id")),
    )
    op.create_table(
        "buildings",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("community_id", BIG, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"], ["communities.id"], name=op.f("fk_buildings_community_id_communities")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_buildings_organisation_id_organisations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_buildings")),
        sa.UniqueConstraint("community_id", "name", name=op.f("uq_buildings_community_id")),
    )
    op.create_table(
        "sessions",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("person_id", BIG, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("agent", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_sessions_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_sessions_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sessions_token_hash")),
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sessions_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sessions_seen_at"), ["seen_at"], unique=False)

    op.create_table(
        "units",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("community_id", BIG, nullable=False),
        sa.Column("building_id", BIG, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["building_id"], ["buildings.id"], name=op.f("fk_units_building_id_buildings")),
        sa.ForeignKeyConstraint(["community_id"], ["communities.id"], name=op.f("fk_units_community_id_communities")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_units_organisation_id_organisations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_units")),
        sa.UniqueConstraint("building_id", "name", name=op.f("uq_units_building_id")),
    )
    with op.batch_alter_table("units", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_units_community_id"), ["community_id"], unique=False)

    op.create_table(
        "places",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("community_id", BIG, nullable=False),
        sa.Column("building_id", BIG, nullable=True),
        sa.Column("unit_id", BIG, nullable=True),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["building_id"], ["buildings.id"], name=op.f("fk_places_building_id_buildings")),
        sa.ForeignKeyConstraint(["community_id"], ["communities.id"], name=op.f("fk_places_community_id_communities")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_places_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_places_unit_id_units")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_places")),
    )
    with op.batch_alter_table("places", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_places_building_id"), ["building_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_places_community_id"), ["community_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_places_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "boxes",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("community_id", BIG, nullable=False),
        sa.Column("place_id", BIG, nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("public_key", sa.String(length=43), nullable=True),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("hardware", sa.String(length=200), nullable=False),
        sa.Column("software", sa.String(length=80), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("inventory_revision", BIG, nullable=False),
        sa.Column("configuration_revision", BIG, nullable=False),
        sa.Column("configured_revision", BIG, nullable=False),
        sa.Column("configuration_error", sa.Text(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["communities.id"], name=op.f("fk_boxes_community_id_communities")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_boxes_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(["place_id"], ["places.id"], name=op.f("fk_boxes_place_id_places")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_boxes")),
        sa.UniqueConstraint("public_key", name=op.f("uq_boxes_public_key")),
    )
    with op.batch_alter_table("boxes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_boxes_changed_at"), ["changed_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_boxes_organisation_id"), ["organisation_id"], unique=False)

    op.create_table(
        "box_presences",
        sa.Column("box_id", BIG, autoincrement=False, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("session", sa.String(length=32), nullable=False),
        sa.Column("boot", sa.String(length=32), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pending", BIG, nullable=True),
        sa.Column("buffer_hours_left", sa.Double(), nullable=True),
        sa.Column("cloned_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["box_id"], ["boxes.id"], name=op.f("fk_box_presences_box_id_boxes")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_box_presences_organisation_id_organisations")
        ),
        sa.PrimaryKeyConstraint("box_id", name=op.f("pk_box_presences")),
    )
    op.create_table(
        "box_stores",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("box_id", BIG, nullable=False),
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("head", BIG, nullable=False),
        sa.Column("head_us", BIG, nullable=False),
        sa.Column("pending", BIG, nullable=False),
        sa.Column("first_batch_us", BIG, nullable=False),
        sa.Column("last_batch_us", BIG, nullable=False),
        sa.ForeignKeyConstraint(["box_id"], ["boxes.id"], name=op.f("fk_box_stores_box_id_boxes")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_box_stores_organisation_id_organisations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_box_stores")),
        sa.UniqueConstraint("box_id", "store", name=op.f("uq_box_stores_box_id")),
    )
    op.create_table(
        "claim_codes",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("community_id", BIG, nullable=False),
        sa.Column("place_id", BIG, nullable=True),
        sa.Column("box_id", BIG, nullable=True),
        sa.Column("box_name", sa.String(length=120), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("issued_by", BIG, nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_by_key", sa.String(length=43), nullable=True),
        sa.Column("claimed_box_id", BIG, nullable=True),
        sa.ForeignKeyConstraint(["box_id"], ["boxes.id"], name=op.f("fk_claim_codes_box_id_boxes")),
        sa.ForeignKeyConstraint(["claimed_box_id"], ["boxes.id"], name=op.f("fk_claim_codes_claimed_box_id_boxes")),
        sa.ForeignKeyConstraint(
            ["community_id"], ["communities.id"], name=op.f("fk_claim_codes_community_id_communities")
        ),
        sa.ForeignKeyConstraint(["issued_by"], ["people.id"], name=op.f("fk_claim_codes_issued_by_people")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_claim_codes_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(["place_id"], ["places.id"], name=op.f("fk_claim_codes_place_id_places")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_codes")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_claim_codes_code_hash")),
    )
    with op.batch_alter_table("claim_codes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_claim_codes_organisation_id"), ["organisation_id"], unique=False)

    op.create_table(
        "devices",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("box_id", BIG, nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("profile", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["box_id"], ["boxes.id"], name=op.f("fk_devices_box_id_boxes")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_devices_organisation_id_organisations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_devices")),
        sa.UniqueConstraint("box_id", "key", name=op.f("uq_devices_box_id")),
    )
    op.create_table(
        "held_ranges",
        sa.Column("store_id", BIG, autoincrement=False, nullable=False),
        sa.Column("first", BIG, autoincrement=False, nullable=False),
        sa.Column("last", BIG, nullable=False),
        sa.Column("first_us", BIG, nullable=False),
        sa.Column("last_us", BIG, nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["box_stores.id"], name=op.f("fk_held_ranges_store_id_box_stores")),
        sa.PrimaryKeyConstraint("store_id", "first", name=op.f("pk_held_ranges")),
    )
    op.create_table(
        "lost_ranges",
        sa.Column("store_id", BIG, autoincrement=False, nullable=False),
        sa.Column("first", BIG, autoincrement=False, nullable=False),
        sa.Column("last", BIG, nullable=False),
        sa.Column("declared_us", BIG, nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["box_stores.id"], name=op.f("fk_lost_ranges_store_id_box_stores")),
        sa.PrimaryKeyConstraint("store_id", "first", name=op.f("pk_lost_ranges")),
    )
    op.create_table(
        "points",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("box_id", BIG, nullable=False),
        sa.Column("device_id", BIG, nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("row_class", sa.String(length=40), nullable=False),
        sa.Column("resolution", sa.String(length=40), nullable=True),
        sa.Column("period_s", sa.Double(), nullable=False),
        sa.Column("watched", sa.Boolean(), nullable=False),
        sa.Column("late_us", BIG, nullable=False),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["box_id"], ["boxes.id"], name=op.f("fk_points_box_id_boxes")),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name=op.f("fk_points_device_id_devices")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_points_organisation_id_organisations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_points")),
        sa.UniqueConstraint("box_id", "key", name=op.f("uq_points_box_id")),
    )
    with op.batch_alter_table("points", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_points_device_id"), ["device_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_points_organisation_id"), ["organisation_id"], unique=False)

    op.create_table(
        "set_aside_rows",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("box_id", BIG, nullable=False),
        sa.Column("store_id", BIG, nullable=False),
        sa.Column("seq", BIG, nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("point_key", sa.String(length=200), nullable=False),
        sa.Column("time_us", BIG, nullable=False),
        sa.Column("value", sa.String(length=32), nullable=False),
        sa.Column("flags", BIG, nullable=False),
        sa.Column("set_aside_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["box_id"], ["boxes.id"], name=op.f("fk_set_aside_rows_box_id_boxes")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_set_aside_rows_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(["store_id"], ["box_stores.id"], name=op.f("fk_set_aside_rows_store_id_box_stores")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_set_aside_rows")),
        sa.UniqueConstraint("store_id", "seq", "reason", name=op.f("uq_set_aside_rows_store_id")),
    )
    with op.batch_alter_table("set_aside_rows", schema=None) as batch_op:
        batch_op.create_index("ix_set_aside_rows_box", ["box_id", "id"], unique=False)

    op.create_table(
        "alarm_rules",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("point_id", BIG, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("terms", PLAIN, nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("priority", BIG, nullable=False),
        sa.Column("name_zh", sa.String(length=120), nullable=False),
        sa.Column("name_en", sa.String(length=120), nullable=False),
        sa.Column("consequence_zh", sa.Text(), nullable=False),
        sa.Column("consequence_en", sa.Text(), nullable=False),
        sa.Column("first_action_zh", sa.Text(), nullable=False),
        sa.Column("first_action_en", sa.Text(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("terms_version", BIG, nullable=False),
        sa.Column("judged_after", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", BIG, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_alarm_rules_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(["point_id"], ["points.id"], name=op.f("fk_alarm_rules_point_id_points")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm_rules")),
    )
    with op.batch_alter_table("alarm_rules", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alarm_rules_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_alarm_rules_point_id"), ["point_id"], unique=False)

    op.create_table(
        "latest_values",
        sa.Column("point_id", BIG, autoincrement=False, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("time_us", BIG, nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("flags", BIG, nullable=False),
        sa.Column("received_us", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_latest_values_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(["point_id"], ["points.id"], name=op.f("fk_latest_values_point_id_points")),
        sa.PrimaryKeyConstraint("point_id", name=op.f("pk_latest_values")),
    )
    op.create_table(
        "point_bindings",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("device_id", BIG, nullable=True),
        sa.Column("point_id", BIG, nullable=True),
        sa.Column("place_id", BIG, nullable=False),
        sa.Column("label", sa.String(length=120), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(device_id IS NULL) <> (point_id IS NULL)", name=op.f("ck_point_bindings_device_or_point")),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name=op.f("fk_point_bindings_device_id_devices")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_point_bindings_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(["place_id"], ["places.id"], name=op.f("fk_point_bindings_place_id_places")),
        sa.ForeignKeyConstraint(["point_id"], ["points.id"], name=op.f("fk_point_bindings_point_id_points")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_point_bindings")),
    )
    with op.batch_alter_table("point_bindings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_point_bindings_device_id"), ["device_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_point_bindings_place_id"), ["place_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_point_bindings_point_id"), ["point_id"], unique=False)
        batch_op.create_index(
            "uq_point_bindings_device",
            ["device_id"],
            unique=True,
            sqlite_where=sa.text("until_at IS NULL"),
            postgresql_where=sa.text("until_at IS NULL"),
        )
        batch_op.create_index(
            "uq_point_bindings_point",
            ["point_id"],
            unique=True,
            sqlite_where=sa.text("until_at IS NULL"),
            postgresql_where=sa.text("until_at IS NULL"),
        )

    op.create_table(
        "alarm_rule_states",
        sa.Column("rule_id", BIG, autoincrement=False, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("point_id", BIG, nullable=False),
        sa.Column("box_id", BIG, nullable=False),
        sa.Column("time_us", BIG, nullable=True),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("side", sa.String(length=40), nullable=True),
        sa.Column("left_us", BIG, nullable=True),
        sa.Column("next_side", sa.String(length=40), nullable=True),
        sa.Column("next_us", BIG, nullable=True),
        sa.Column("past", PLAIN, nullable=False),
        sa.Column("due_us", BIG, nullable=True),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["box_id"], ["boxes.id"], name=op.f("fk_alarm_rule_states_box_id_boxes")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_alarm_rule_states_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(["point_id"], ["points.id"], name=op.f("fk_alarm_rule_states_point_id_points")),
        sa.ForeignKeyConstraint(["rule_id"], ["alarm_rules.id"], name=op.f("fk_alarm_rule_states_rule_id_alarm_rules")),
        sa.PrimaryKeyConstraint("rule_id", name=op.f("pk_alarm_rule_states")),
    )
    with op.batch_alter_table("alarm_rule_states", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alarm_rule_states_box_id"), ["box_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_alarm_rule_states_due_us"), ["due_us"], unique=False)
        batch_op.create_index(batch_op.f("ix_alarm_rule_states_point_id"), ["point_id"], unique=False)

    op.create_table(
        "alarms",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("community_id", BIG, nullable=True),
        sa.Column("place_id", BIG, nullable=True),
        sa.Column("box_id", BIG, nullable=False),
        sa.Column("point_id", BIG, nullable=True),
        sa.Column("rule_id", BIG, nullable=True),
        sa.Column("terms_version", BIG, nullable=True),
        sa.Column("cause", sa.String(length=40), nullable=True),
        sa.Column("side", sa.String(length=40), nullable=True),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("priority", BIG, nullable=False),
        sa.Column("place", sa.String(length=400), nullable=False),
        sa.Column("label", sa.String(length=120), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("raised_value", sa.Double(), nullable=True),
        sa.Column("limit", sa.Double(), nullable=True),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("returned_value", sa.Double(), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", BIG, nullable=True),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_noted", sa.Boolean(), nullable=False),
        sa.Column("occurrences", BIG, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["acknowledged_by"], ["people.id"], name=op.f("fk_alarms_acknowledged_by_people")),
        sa.ForeignKeyConstraint(["box_id"], ["boxes.id"], name=op.f("fk_alarms_box_id_boxes")),
        sa.ForeignKeyConstraint(["community_id"], ["communities.id"], name=op.f("fk_alarms_community_id_communities")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_alarms_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(["place_id"], ["places.id"], name=op.f("fk_alarms_place_id_places")),
        sa.ForeignKeyConstraint(["point_id"], ["points.id"], name=op.f("fk_alarms_point_id_points")),
        sa.ForeignKeyConstraint(["rule_id"], ["alarm_rules.id"], name=op.f("fk_alarms_rule_id_alarm_rules")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarms")),
    )
    with op.batch_alter_table("alarms", schema=None) as batch_op:
        batch_op.create_index(
            "ix_alarms_asking",
            ["organisation_id"],
            unique=False,
            sqlite_where=sa.text("acknowledged_at IS NULL AND announced_at IS NOT NULL"),
            postgresql_where=sa.text("acknowledged_at IS NULL AND announced_at IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_alarms_box_id"), ["box_id"], unique=False)
        batch_op.create_index(
            "ix_alarms_cleared",
            ["organisation_id", "returned_at"],
            unique=False,
            sqlite_where=sa.text("returned_at IS NOT NULL AND announced_at IS NOT NULL"),
            postgresql_where=sa.text("returned_at IS NOT NULL AND announced_at IS NOT NULL"),
        )
        batch_op.create_index("ix_alarms_raised", ["organisation_id", "raised_at"], unique=False)
        batch_op.create_index("ix_alarms_rule", ["rule_id", "raised_at"], unique=False)
        batch_op.create_index(
            "ix_alarms_standing",
            ["organisation_id"],
            unique=False,
            sqlite_where=sa.text("returned_at IS NULL"),
            postgresql_where=sa.text("returned_at IS NULL"),
        )
        batch_op.create_index(
            "ix_alarms_unannounced",
            ["box_id"],
            unique=False,
            sqlite_where=sa.text("returned_at IS NULL AND announced_at IS NULL"),
            postgresql_where=sa.text("returned_at IS NULL AND announced_at IS NULL"),
        )
        batch_op.create_index(
            "uq_alarms_standing_cause",
            ["box_id", "cause"],
            unique=True,
            sqlite_where=sa.text("returned_at IS NULL AND cause IS NOT NULL"),
            postgresql_where=sa.text("returned_at IS NULL AND cause IS NOT NULL"),
        )
        batch_op.create_index(
            "uq_alarms_standing_rule",
            ["rule_id", "point_id"],
            unique=True,
            sqlite_where=sa.text("returned_at IS NULL AND rule_id IS NOT NULL"),
            postgresql_where=sa.text("returned_at IS NULL AND rule_id IS NOT NULL"),
        )

    op.create_table(
        "alarm_entries",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("alarm_id", BIG, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person_id", BIG, nullable=True),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("deed", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["alarm_id"], ["alarms.id"], name=op.f("fk_alarm_entries_alarm_id_alarms")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_alarm_entries_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_alarm_entries_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm_entries")),
    )
    with op.batch_alter_table("alarm_entries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alarm_entries_alarm_id"), ["alarm_id"], unique=False)

    op.create_table(
        "tickets",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("community_id", BIG, nullable=True),
        sa.Column("place_id", BIG, nullable=True),
        sa.Column("number", sa.String(length=11), nullable=False),
        sa.Column("type_id", BIG, nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("priority", BIG, nullable=False),
        sa.Column("subject_zh", sa.String(length=200), nullable=False),
        sa.Column("subject_en", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("place", sa.String(length=400), nullable=False),
        sa.Column("alarm_id", BIG, nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", BIG, nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("assignee_id", BIG, nullable=True),
        sa.Column("assignee_name", sa.String(length=80), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("reopened", BIG, nullable=False),
        sa.Column("version", BIG, nullable=False),
        sa.ForeignKeyConstraint(["alarm_id"], ["alarms.id"], name=op.f("fk_tickets_alarm_id_alarms")),
        sa.ForeignKeyConstraint(["assignee_id"], ["people.id"], name=op.f("fk_tickets_assignee_id_people")),
        sa.ForeignKeyConstraint(["community_id"], ["communities.id"], name=op.f("fk_tickets_community_id_communities")),
        sa.ForeignKeyConstraint(["opened_by"], ["people.id"], name=op.f("fk_tickets_opened_by_people")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_tickets_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(["place_id"], ["places.id"], name=op.f("fk_tickets_place_id_places")),
        sa.ForeignKeyConstraint(["type_id"], ["ticket_types.id"], name=op.f("fk_tickets_type_id_ticket_types")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tickets")),
        sa.UniqueConstraint("alarm_id", name=op.f("uq_tickets_alarm_id")),
        sa.UniqueConstraint("organisation_id", "number", name=op.f("uq_tickets_organisation_id")),
    )
    with op.batch_alter_table("tickets", schema=None) as batch_op:
        batch_op.create_index(
            "ix_tickets_assignee",
            ["assignee_id"],
            unique=False,
            sqlite_where=sa.text("state IN ('assigned', 'in_work', 'open')"),
            postgresql_where=sa.text("state IN ('assigned', 'in_work', 'open')"),
        )
        batch_op.create_index("ix_tickets_opened", ["organisation_id", "opened_at"], unique=False)
        batch_op.create_index(
            "ix_tickets_undone",
            ["organisation_id", "due_at"],
            unique=False,
            sqlite_where=sa.text("state IN ('assigned', 'in_work', 'open')"),
            postgresql_where=sa.text("state IN ('assigned', 'in_work', 'open')"),
        )

    op.create_table(
        "ticket_entries",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("ticket_id", BIG, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person_id", BIG, nullable=True),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("deed", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_ticket_entries_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_ticket_entries_person_id_people")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_entries_ticket_id_tickets")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_entries")),
    )
    with op.batch_alter_table("ticket_entries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ticket_entries_ticket_id"), ["ticket_id"], unique=False)

    for table in APPEND_ONLY:
        _keep(table)


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
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN RAISE EXCEPTION '% is append only', TG_TABLE_NAME; END$$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_keep BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    with op.batch_alter_table("ticket_entries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ticket_entries_ticket_id"))

    op.drop_table("ticket_entries")
    with op.batch_alter_table("tickets", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_tickets_undone",
            sqlite_where=sa.text("state IN ('assigned', 'in_work', 'open')"),
            postgresql_where=sa.text("state IN ('assigned', 'in_work', 'open')"),
        )
        batch_op.drop_index("ix_tickets_opened")
        batch_op.drop_index(
            "ix_tickets_assignee",
            sqlite_where=sa.text("state IN ('assigned', 'in_work', 'open')"),
            postgresql_where=sa.text("state IN ('assigned', 'in_work', 'open')"),
        )

    op.drop_table("tickets")
    with op.batch_alter_table("alarm_entries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_alarm_entries_alarm_id"))

    op.drop_table("alarm_entries")
    with op.batch_alter_table("alarms", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_alarms_standing_rule",
            sqlite_where=sa.text("returned_at IS NULL AND rule_id IS NOT NULL"),
            postgresql_where=sa.text("returned_at IS NULL AND rule_id IS NOT NULL"),
        )
        batch_op.drop_index(
            "uq_alarms_standing_cause",
            sqlite_where=sa.text("returned_at IS NULL AND cause IS NOT NULL"),
            postgresql_where=sa.text("returned_at IS NULL AND cause IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_alarms_unannounced",
            sqlite_where=sa.text("returned_at IS NULL AND announced_at IS NULL"),
            postgresql_where=sa.text("returned_at IS NULL AND announced_at IS NULL"),
        )
        batch_op.drop_index(
            "ix_alarms_standing",
            sqlite_where=sa.text("returned_at IS NULL"),
            postgresql_where=sa.text("returned_at IS NULL"),
        )
        batch_op.drop_index("ix_alarms_rule")
        batch_op.drop_index("ix_alarms_raised")
        batch_op.drop_index(
            "ix_alarms_cleared",
            sqlite_where=sa.text("returned_at IS NOT NULL AND announced_at IS NOT NULL"),
            postgresql_where=sa.text("returned_at IS NOT NULL AND announced_at IS NOT NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_alarms_box_id"))
        batch_op.drop_index(
            "ix_alarms_asking",
            sqlite_where=sa.text("acknowledged_at IS NULL AND announced_at IS NOT NULL"),
            postgresql_where=sa.text("acknowledged_at IS NULL AND announced_at IS NOT NULL"),
        )

    op.drop_table("alarms")
    with op.batch_alter_table("alarm_rule_states", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_alarm_rule_states_point_id"))
        batch_op.drop_index(batch_op.f("ix_alarm_rule_states_due_us"))
        batch_op.drop_index(batch_op.f("ix_alarm_rule_states_box_id"))

    op.drop_table("alarm_rule_states")
    with op.batch_alter_table("point_bindings", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_point_bindings_point",
            sqlite_where=sa.text("until_at IS NULL"),
            postgresql_where=sa.text("until_at IS NULL"),
        )
        batch_op.drop_index(
            "uq_point_bindings_device",
            sqlite_where=sa.text("until_at IS NULL"),
            postgresql_where=sa.text("until_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_point_bindings_point_id"))
        batch_op.drop_index(batch_op.f("ix_point_bindings_place_id"))
        batch_op.drop_index(batch_op.f("ix_point_bindings_device_id"))

    op.drop_table("point_bindings")
    op.drop_table("latest_values")
    with op.batch_alter_table("alarm_rules", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_alarm_rules_point_id"))
        batch_op.drop_index(batch_op.f("ix_alarm_rules_organisation_id"))

    op.drop_table("alarm_rules")
    with op.batch_alter_table("set_aside_rows", schema=None) as batch_op:
        batch_op.drop_index("ix_set_aside_rows_box")

    op.drop_table("set_aside_rows")
    with op.batch_alter_table("points", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_points_organisation_id"))
        batch_op.drop_index(batch_op.f("ix_points_device_id"))

    op.drop_table("points")
    op.drop_table("lost_ranges")
    op.drop_table("held_ranges")
    op.drop_table("devices")
    with op.batch_alter_table("claim_codes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_claim_codes_organisation_id"))

    op.drop_table("claim_codes")
    op.drop_table("box_stores")
    op.drop_table("box_presences")
    with op.batch_alter_table("boxes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_boxes_organisation_id"))
        batch_op.drop_index(batch_op.f("ix_boxes_changed_at"))

    op.drop_table("boxes")
    with op.batch_alter_table("places", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_places_unit_id"))
        batch_op.drop_index(batch_op.f("ix_places_community_id"))
        batch_op.drop_index(batch_op.f("ix_places_building_id"))

    op.drop_table("places")
    with op.batch_alter_table("units", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_units_community_id"))

    op.drop_table("units")
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sessions_seen_at"))
        batch_op.drop_index(batch_op.f("ix_sessions_person_id"))

    op.drop_table("sessions")
    op.drop_table("buildings")
    op.drop_table("ticket_types")
    op.drop_table("ticket_numbers")
    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_people_organisation_id"))

    op.drop_table("people")
    with op.batch_alter_table("outbox_deliveries", schema=None) as batch_op:
        batch_op.drop_index("ix_outbox_deliveries_lane")
        batch_op.drop_index(batch_op.f("ix_outbox_deliveries_event_id"))
        batch_op.drop_index("ix_outbox_deliveries_due")

    op.drop_table("outbox_deliveries")
    op.drop_table("communities")
    with op.batch_alter_table("sign_in_failures", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sign_in_failures_failed_at"))

    op.drop_table("sign_in_failures")
    with op.batch_alter_table("outbox_events", schema=None) as batch_op:
        batch_op.drop_index("ix_outbox_events_emitted_at")

    op.drop_table("outbox_events")
    op.drop_table("organisations")
    op.drop_table("job_runs")
    with op.batch_alter_table("files", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_files_sha256"))
        batch_op.drop_index("ix_files_removed")

    op.drop_table("files")
    with op.batch_alter_table("audit_entries", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_entries_subject")
        batch_op.drop_index("ix_audit_entries_at")

    op.drop_table("audit_entries")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")

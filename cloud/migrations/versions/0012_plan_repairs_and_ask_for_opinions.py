"""Plan repairs and ask for opinions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PLAIN = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")

_KEPT = (
    "repair_surveys",
    "repair_photos",
    "repair_replies",
    "repair_results",
    "repair_charges",
    "repair_stock_moves",
    "maintenance_inspections",
)
"""The tables whose rows stand for ever."""


def upgrade() -> None:
    op.create_table('feedback_rules',
    sa.Column('organisation_id', BIG, autoincrement=False, nullable=False),
    sa.Column('cap_days', BIG, nullable=False),
    sa.Column('poor_at', BIG, nullable=False),
    sa.Column('on_poor', sa.String(length=40), nullable=False),
    sa.Column('change_hours', BIG, nullable=False),
    sa.Column('open_days', BIG, nullable=False),
    sa.Column('version', BIG, nullable=False),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisations.id'], name=op.f('fk_feedback_rules_organisation_id_organisations')),
    sa.PrimaryKeyConstraint('organisation_id', name=op.f('pk_feedback_rules'))
    )
    op.create_table('repair_prices',
    sa.Column('id', BIG, nullable=False),
    sa.Column('organisation_id', BIG, nullable=False),
    sa.Column('code', sa.String(length=40), nullable=False),
    sa.Column('version', BIG, nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('name_zh', sa.String(length=80), nullable=False),
    sa.Column('name_en', sa.String(length=80), nullable=False),
    sa.Column('unit', sa.String(length=16), nullable=False),
    sa.Column('price_minor', BIG, nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('replaced_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisations.id'], name=op.f('fk_repair_prices_organisation_id_organisations')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_repair_prices')),
    sa.UniqueConstraint('organisation_id', 'code', 'version', name=op.f('uq_repair_prices_organisation_id'))
    )
    op.create_table('repair_stock',
    sa.Column('organisation_id', BIG, autoincrement=False, nullable=False),
    sa.Column('item', sa.String(length=40), nullable=False),
    sa.Column('on_hand_milli', BIG, nullable=False),
    sa.CheckConstraint('on_hand_milli >= 0', name=op.f('ck_repair_stock_not_below_zero')),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisations.id'], name=op.f('fk_repair_stock_organisation_id_organisations')),
    sa.PrimaryKeyConstraint('organisation_id', 'item', name=op.f('pk_repair_stock'))
    )
    op.create_table('done_keys',
    sa.Column('organisation_id', BIG, autoincrement=False, nullable=False),
    sa.Column('person_id', BIG, autoincrement=False, nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('act', sa.String(length=120), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisations.id'], name=op.f('fk_done_keys_organisation_id_organisations')),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_done_keys_person_id_people')),
    sa.PrimaryKeyConstraint('organisation_id', 'person_id', 'key', name=op.f('pk_done_keys'))
    )
    with op.batch_alter_table('done_keys', schema=None) as batch_op:
        batch_op.create_index('ix_done_keys_at', ['at'], unique=False)

    op.create_table('maintenance_checks',
    sa.Column('ticket_id', BIG, autoincrement=False, nullable=False),
    sa.Column('code', sa.String(length=40), nullable=False),
    sa.Column('organisation_id', BIG, nullable=False),
    sa.Column('outcome', sa.String(length=40), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('person_id', BIG, nullable=True),
    sa.Column('actor', sa.String(length=80), nullable=False),
    sa.Column('repair_ticket_id', BIG, nullable=True),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisations.id'], name=op.f('fk_maintenance_checks_organisation_id_organisations')),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_maintenance_checks_person_id_people')),
    sa.ForeignKeyConstraint(['repair_ticket_id'], ['tickets.id'], name=op.f('fk_maintenance_checks_repair_ticket_id_tickets')),
    sa.ForeignKeyConstraint(['ticket_id'], ['tickets.id'], name=op.f('fk_maintenance_checks_ticket_id_tickets')),
    sa.PrimaryKeyConstraint('ticket_id', 'code', name=op.f('pk_maintenance_checks'))
    )
    op.create_table('opinion_requests',
    sa.Column('id', BIG, nullable=False),
    sa.Column('organisation_id', BIG, nullable=False),
    sa.Column('ticket_id', BIG, nullable=False),
    sa.Column('person_id', BIG, nullable=False),
    sa.Column('worker_id', BIG, nullable=True),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('closes_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisations.id'], name=op.f('fk_opinion_requests_organisation_id_organisations')),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_opinion_requests_person_id_people')),
    sa.ForeignKeyConstraint(['ticket_id'], ['tickets.id'], name=op.f('fk_opinion_requests_ticket_id_tickets')),
    sa.ForeignKeyConstraint(['worker_id'], ['people.id'], name=op.f('fk_opinion_requests_worker_id_people')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_opinion_requests')),
    sa.UniqueConstraint('ticket_id', name=op.f('uq_opinion_requests_ticket_id')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_opinion_requests_token_hash'))
    )
    with op.batch_alter_table('opinion_requests', schema=None) as batch_op:
        batch_op.create_index('ix_opinion_requests_person', ['person_id', 'asked_at'], unique=False)

    op.create_table('repair_photos',
    sa.Column('id', BIG, nullable=False),
    sa.Column('organisation_id', BIG, nullable=False),
    sa.Column('ticket_id', BIG, nullable=False),
    sa.Column('file_id', BIG, nullable=False),
    sa.Column('stage', sa.String(length=40), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('width', BIG, nullable=False),
    sa.Column('height', BIG, nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['file_id'], ['files.id'], name=op.f('fk_repair_photos_file_id_files')),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisations.id'], name=op.f('fk_repair_photos_organisation_id_organisations')),
    sa.ForeignKeyConstraint(['ticket_id'], ['tickets.id'], name=op.f('fk_repair_photos_ticket_id_tickets')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_repair_photos')),
    sa.UniqueConstraint('file_id', name=op.f('uq_repair_photos_file_id'))
    )
    with op.batch_alter_table('repair_photos', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_repair_photos_ticket_id'), ['ticket_id'], unique=False)

    op.create_table('repair_plans',
    sa.Column('id', BIG, nullable=False),
    sa.Column('organisation_id', BIG, nullable=False),
    sa.Column('ticket_id', BIG, nullable=False),
    sa.Column('version', BIG, nullable=False),
    sa.Column('standing', sa.String(length=40), nullable=False),
    sa.Column('payer', sa.String(length=40), nullable=False),
    sa.Column('lines', PLAIN, nullable=False),
    sa.Column('budget_minor', BIG, nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('visits', BIG, nullable=False),
    sa.Column('finish_on', sa.Date(), nullable=False),
    sa.Column('valid_until', sa.DateTime(timezone=True), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('proposed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('proposed_by', BIG, nullable=True),
    sa.Column('actor', sa.String(length=80), nullable=False),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisations.id'], name=op.f('fk_repair_plans_organisation_id_organisations')),
    sa.ForeignKeyConstraint(['proposed_by'], ['people.id'], name=op.f('fk_repair_plans_proposed_by_people')),
    sa.ForeignKeyConstraint(['ticket_id'], ['tickets.id'], name=op.f('fk_repair_plans_ticket_id_tickets')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_repair_plans')),
    sa.UniqueConstraint('ticket_id', 'version', name=op.f('uq_repair_plans_ticket_id'))
    )
    with op.batch_alter_table('repair_plans', schema=None) as batch_op:
        batch_op.create_index('ix_repair_plans_lapsing', ['valid_until'], unique=False, sqlite_where=sa.text("standing IN ('asked', 'question')"), postgresql_where=sa.text("standing IN ('asked', 'question')"))

    op.create_table('repair_results',
    sa.Column('id', BIG, nullable=False),
    sa.Column('organisation_id', BIG, nullable=False),
    sa.Column('ticket_id', BIG, nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('person_id', BIG, nullable=True),
    sa.Column('actor', sa.String(length=80), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisations.id'], name=op.f('fk_repair_results_organisation_id_organisations')),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_repair_results_person_id_people')),
    sa.ForeignKeyConstraint(['ticket_id'], ['tickets.id'], name=op.f('fk_repair_results_ticket_id_tickets')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_repair_results'))
    )
    with op.batch_alter_table('repair_results', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_repair_results_ticket_id'), ['ticket_id'], unique=False)

    op.create_table('repair_stock_moves',
    sa.Column('id', BIG, nullable=False),
    sa.Column('organisation_id', BIG, nullable=False),
    sa.Column('item', sa.String(length=40), nullable=False),
    sa.Column('move', sa.String(length=40), nullable=False),
    sa.Column('quantity_milli', BIG, nullable=False),
    sa.Column('ticket_id', BIG, nullable=True),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('person_id', BIG, nullable=True),
    sa.Column('actor', sa.String(length=80), nullable=False),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisations.id'], name=op.f('fk_repair_stock_moves_organisation_id_organisations')),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_repair_stock_moves_person_id_people')),
    sa.ForeignKeyConstraint(['ticket_id'], ['tickets.id'], name=op.f('fk_repair_stock_moves_ticket_id_tickets')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_repair_stock_moves'))
    )
    with op.batch_alter_table('repair_stock_moves', schema=None) as batch_op:
        batch_op.create_index('ix_repair_stock_moves_item', ['organisation_id', 'item', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_repair_stock_moves_ticket_id'), ['ticket_id'], unique=False)

    op.create_table('repair_surveys',
    sa.Column('id', BIG, nullable=False),
    sa.Column('organisation_id', BIG, nullable=False),
    sa.Column('ticket_id', BIG, nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('person_id', BIG, nullable=True),
    sa.Column('actor', sa.String(length=80), nullable=False),
    sa.Column('findings', sa.Text(), nullable=False),
    sa.Column('hazard', sa.String(length=40), nullable=False),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisations.id'], name=op.f('fk_repair_surveys_organisation_id_organisations')),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_repair_surveys_person_id_people')),
    sa.ForeignKeyConstraint(['ticket_id'], ['tickets.id'], name=op.f('fk_repair_surveys_ticket_id_tickets')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_repair_surveys'))
    )
    with op.batch_alter_table('repair_surveys', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_repair_surveys_ticket_id'), ['ticket_id'], unique=False)

    op.create_table('repair_visits',
    sa.Column('id', BIG, nullable=False),
    sa.Column('organisation_id', BIG, nullable=False),
    sa.Column('ticket_id', BIG, nullable=False),
    sa.Column('number', BIG, nullable=False),
    sa.Column('windows', PLAIN, nullable=False),
    sa.Column('offered_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('starts_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('chosen_by', BIG, nullable=True),
    sa.Column('arrived_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('left_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('labour_minutes', BIG, nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('signer', sa.String(length=80), nullable=False),
    sa.Column('signature_id', BIG, nullable=True),
    sa.Column('missed_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['chosen_by'], ['people.id'], name=op.f('fk_repair_visits_chosen_by_people')),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisations.id'], name=op.f('fk_repair_visits_organisation_id_organisations')),
    sa.ForeignKeyConstraint(['signature_id'], ['files.id'], name=op.f('fk_repair_visits_signature_id_files')),
    sa.ForeignKeyConstraint(['ticket_id'], ['tickets.id'], name=op.f('fk_repair_visits_ticket_id_tickets')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_repair_visits')),
    sa.UniqueConstraint('ticket_id', 'number', name=op.f('uq_repair_visits_ticket_id'))
    )
    with op.batch_alter_table('repair_visits', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_repair_visits_ticket_id'), ['ticket_id'], unique=False)

    op.create_table('opinions',
    sa.Column('request_id', BIG, autoincrement=False, nullable=False),
    sa.Column('organisation_id', BIG, nullable=False),
    sa.Column('rating', BIG, nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('acted_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisations.id'], name=op.f('fk_opinions_organisation_id_organisations')),
    sa.ForeignKeyConstraint(['request_id'], ['opinion_requests.id'], name=op.f('fk_opinions_request_id_opinion_requests')),
    sa.PrimaryKeyConstraint('request_id', name=op.f('pk_opinions'))
    )
    op.create_table('repair_charges',
    sa.Column('result_id', BIG, autoincrement=False, nullable=False),
    sa.Column('organisation_id', BIG, nullable=False),
    sa.Column('ticket_id', BIG, nullable=False),
    sa.Column('plan_id', BIG, nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('payer', sa.String(length=40), nullable=False),
    sa.Column('lines', PLAIN, nullable=False),
    sa.Column('amount_minor', BIG, nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisations.id'], name=op.f('fk_repair_charges_organisation_id_organisations')),
    sa.ForeignKeyConstraint(['plan_id'], ['repair_plans.id'], name=op.f('fk_repair_charges_plan_id_repair_plans')),
    sa.ForeignKeyConstraint(['result_id'], ['repair_results.id'], name=op.f('fk_repair_charges_result_id_repair_results')),
    sa.ForeignKeyConstraint(['ticket_id'], ['tickets.id'], name=op.f('fk_repair_charges_ticket_id_tickets')),
    sa.PrimaryKeyConstraint('result_id', name=op.f('pk_repair_charges')),
    sa.UniqueConstraint('plan_id', name=op.f('uq_repair_charges_plan_id'))
    )
    with op.batch_alter_table('repair_charges', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_repair_charges_ticket_id'), ['ticket_id'], unique=False)

    op.create_table('repair_replies',
    sa.Column('id', BIG, nullable=False),
    sa.Column('organisation_id', BIG, nullable=False),
    sa.Column('ticket_id', BIG, nullable=False),
    sa.Column('plan_id', BIG, nullable=False),
    sa.Column('reply', sa.String(length=40), nullable=False),
    sa.Column('budget_minor', BIG, nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('means', sa.String(length=40), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('decider_id', BIG, nullable=True),
    sa.Column('decider', sa.String(length=80), nullable=False),
    sa.Column('person_id', BIG, nullable=True),
    sa.Column('actor', sa.String(length=80), nullable=False),
    sa.ForeignKeyConstraint(['decider_id'], ['people.id'], name=op.f('fk_repair_replies_decider_id_people')),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisations.id'], name=op.f('fk_repair_replies_organisation_id_organisations')),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_repair_replies_person_id_people')),
    sa.ForeignKeyConstraint(['plan_id'], ['repair_plans.id'], name=op.f('fk_repair_replies_plan_id_repair_plans')),
    sa.ForeignKeyConstraint(['ticket_id'], ['tickets.id'], name=op.f('fk_repair_replies_ticket_id_tickets')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_repair_replies'))
    )
    with op.batch_alter_table('repair_replies', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_repair_replies_ticket_id'), ['ticket_id'], unique=False)

    op.create_table('maintenance_plans',
    sa.Column('id', BIG, nullable=False),
    sa.Column('organisation_id', BIG, nullable=False),
    sa.Column('community_id', BIG, nullable=False),
    sa.Column('place_id', BIG, nullable=False),
    sa.Column('place', sa.String(length=400), nullable=False),
    sa.Column('name_zh', sa.String(length=80), nullable=False),
    sa.Column('name_en', sa.String(length=80), nullable=False),
    sa.Column('checklist', PLAIN, nullable=False),
    sa.Column('repair_type', sa.String(length=40), nullable=False),
    sa.Column('rhythm', sa.String(length=40), nullable=False),
    sa.Column('every', BIG, nullable=False),
    sa.Column('first_on', sa.Date(), nullable=True),
    sa.Column('turn', BIG, nullable=False),
    sa.Column('next_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('point_id', BIG, nullable=True),
    sa.Column('next_milli', BIG, nullable=True),
    sa.Column('is_active', sa.Boolean(), nullable=False),
    sa.Column('version', BIG, nullable=False),
    sa.ForeignKeyConstraint(['community_id'], ['communities.id'], name=op.f('fk_maintenance_plans_community_id_communities')),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisations.id'], name=op.f('fk_maintenance_plans_organisation_id_organisations')),
    sa.ForeignKeyConstraint(['place_id'], ['places.id'], name=op.f('fk_maintenance_plans_place_id_places')),
    sa.ForeignKeyConstraint(['point_id'], ['points.id'], name=op.f('fk_maintenance_plans_point_id_points')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_maintenance_plans'))
    )
    with op.batch_alter_table('maintenance_plans', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_maintenance_plans_next_at'), ['next_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_maintenance_plans_organisation_id'), ['organisation_id'], unique=False)

    op.create_table('maintenance_inspections',
    sa.Column('ticket_id', BIG, autoincrement=False, nullable=False),
    sa.Column('organisation_id', BIG, nullable=False),
    sa.Column('plan_id', BIG, nullable=False),
    sa.Column('due', sa.String(length=40), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('checklist', PLAIN, nullable=False),
    sa.Column('repair_type', sa.String(length=40), nullable=False),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisations.id'], name=op.f('fk_maintenance_inspections_organisation_id_organisations')),
    sa.ForeignKeyConstraint(['plan_id'], ['maintenance_plans.id'], name=op.f('fk_maintenance_inspections_plan_id_maintenance_plans')),
    sa.ForeignKeyConstraint(['ticket_id'], ['tickets.id'], name=op.f('fk_maintenance_inspections_ticket_id_tickets')),
    sa.PrimaryKeyConstraint('ticket_id', name=op.f('pk_maintenance_inspections')),
    sa.UniqueConstraint('plan_id', 'due', name=op.f('uq_maintenance_inspections_plan_id'))
    )
    for table in _KEPT:
        _keep(table)


def _keep(table: str) -> None:
    """Have the database refuse to change or delete a table's rows."""
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
    for table in (
        "maintenance_inspections",
        "maintenance_plans",
        "repair_replies",
        "repair_charges",
        "opinions",
        "repair_visits",
        "repair_surveys",
        "repair_stock_moves",
        "repair_results",
        "repair_plans",
        "repair_photos",
        "opinion_requests",
        "maintenance_checks",
        "done_keys",
        "repair_stock",
        "repair_prices",
        "feedback_rules",
    ):
        op.drop_table(table)

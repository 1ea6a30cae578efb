"""Let owners in: people without a login, their telephones, and who occupies which unit."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.add_column(sa.Column("phone", sa.String(length=16), nullable=True))
        batch_op.alter_column("login", existing_type=sa.String(length=64), nullable=True)
        batch_op.alter_column("login_key", existing_type=sa.String(length=200), nullable=True)
        batch_op.alter_column("password_hash", existing_type=sa.String(length=200), nullable=True)
        batch_op.create_index(batch_op.f("ix_people_phone"), ["phone"], unique=False)
        batch_op.create_unique_constraint(batch_op.f("uq_people_organisation_id"), ["organisation_id", "phone"])

    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("is_by_code", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.alter_column("is_by_code", existing_type=sa.Boolean(), server_default=None)

    op.create_table(
        "occupancies",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("community_id", BIG, nullable=False),
        sa.Column("unit_id", BIG, nullable=False),
        sa.Column("person_id", BIG, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["community_id"], ["communities.id"], name=op.f("fk_occupancies_community_id_communities")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_occupancies_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_occupancies_person_id_people")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_occupancies_unit_id_units")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_occupancies")),
    )
    with op.batch_alter_table("occupancies", schema=None) as batch_op:
        batch_op.create_index("ix_occupancies_community", ["organisation_id", "community_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_occupancies_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_occupancies_unit_id"), ["unit_id"], unique=False)


def downgrade() -> None:
    op.drop_table("occupancies")
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.drop_column("is_by_code")

    # What owners did keeps their name: they stay as people of the only kind there was, and can't sign in.
    op.execute(
        "UPDATE people SET login = 'owner.' || id, login_key = 'owner.' || id, password_hash = '', "
        "is_active = false, roles = ',worker,' WHERE login IS NULL"
    )
    op.execute("UPDATE people SET roles = replace(roles, ',owner,', ',') WHERE roles LIKE '%,owner,%'")
    op.execute("DELETE FROM sessions WHERE person_id IN (SELECT id FROM people WHERE NOT is_active)")
    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_people_organisation_id"), type_="unique")
        batch_op.drop_index(batch_op.f("ix_people_phone"))
        batch_op.alter_column("password_hash", existing_type=sa.String(length=200), nullable=False)
        batch_op.alter_column("login_key", existing_type=sa.String(length=200), nullable=False)
        batch_op.alter_column("login", existing_type=sa.String(length=64), nullable=False)
        batch_op.drop_column("phone")

"""Explain calls by incidents."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("interactions") as batch:
        batch.add_column(sa.Column("incident_id", BIG, nullable=True))
        batch.create_foreign_key(op.f("fk_interactions_incident_id_incidents"), "incidents", ["incident_id"], ["id"])
        batch.create_index(op.f("ix_interactions_incident_id"), ["incident_id"])


def downgrade() -> None:
    with op.batch_alter_table("interactions") as batch:
        batch.drop_index(op.f("ix_interactions_incident_id"))
        batch.drop_constraint(op.f("fk_interactions_incident_id_incidents"), type_="foreignkey")
        batch.drop_column("incident_id")

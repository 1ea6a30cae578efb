"""Clock incidents: when there is something to say, what was breached; and let them concern whole buildings."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    with op.batch_alter_table("incidents") as incidents:
        incidents.add_column(sa.Column("next_at", INSTANT, nullable=True))
        incidents.add_column(sa.Column("breached_at", INSTANT, nullable=True))
        incidents.create_index("ix_incidents_next_at", ["next_at"])
    with op.batch_alter_table("incident_places") as places:
        places.add_column(sa.Column("building_id", BIG, nullable=True))
        places.create_foreign_key("fk_incident_places_building_id_buildings", "buildings", ["building_id"], ["id"])
    op.execute("UPDATE incidents SET next_at = due_at WHERE closed_at IS NULL")
    op.execute("UPDATE incidents SET breached_at = due_at WHERE closed_at > due_at")


def downgrade() -> None:
    with op.batch_alter_table("incident_places") as places:
        places.drop_constraint("fk_incident_places_building_id_buildings", type_="foreignkey")
        places.drop_column("building_id")
    with op.batch_alter_table("incidents") as incidents:
        incidents.drop_index("ix_incidents_next_at")
        incidents.drop_column("breached_at")
        incidents.drop_column("next_at")

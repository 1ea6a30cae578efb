"""Find tickets by index: every index of tickets begins with the organisation, as every query does."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

UNDONE = "state IN ('agreed', 'assigned', 'in_work', 'open', 'planned', 'verifying', 'waiting')"
NEW = {
    "ix_tickets_requester": ["organisation_id", "requester_id", "opened_at"],
    "ix_tickets_unit": ["organisation_id", "unit_id", "opened_at"],
    "ix_tickets_merged": ["organisation_id", "merged_into_id"],
    "ix_tickets_incident": ["organisation_id", "incident_id"],
}
NEW_OF_UNDONE = {
    "ix_tickets_undone": ["organisation_id", "due_at", "state"],
    "ix_tickets_board": ["organisation_id", "state", "due_at"],
}
OLD = {
    "ix_tickets_requester": ["requester_id", "opened_at"],
    "ix_tickets_unit": ["unit_id", "opened_at"],
    "ix_tickets_merged_into_id": ["merged_into_id"],
    "ix_tickets_incident_id": ["incident_id"],
}
OLD_OF_UNDONE = {"ix_tickets_undone": ["organisation_id", "due_at"]}


def upgrade() -> None:
    replace({**OLD, **OLD_OF_UNDONE}, NEW, NEW_OF_UNDONE)


def downgrade() -> None:
    replace({**NEW, **NEW_OF_UNDONE}, OLD, OLD_OF_UNDONE)


def replace(gone: dict[str, list[str]], made: dict[str, list[str]], of_undone: dict[str, list[str]]) -> None:
    for name in gone:
        op.drop_index(name, table_name="tickets")
    for name, columns in made.items():
        op.create_index(name, "tickets", columns)
    for name, columns in of_undone.items():
        where = sa.text(UNDONE)
        op.create_index(name, "tickets", columns, sqlite_where=where, postgresql_where=where)

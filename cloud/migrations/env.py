"""What Alembic runs for every command; the connection comes from cloud.migrations.upgrading, never from a file."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import JSON, BigInteger, Enum
from sqlalchemy.types import TypeDecorator

from cloud.migrations.models import METADATA, is_described


def _render(kind: str, thing: Any, _context: object) -> str | Literal[False]:
    """Return how a column's type is written into a revision: as plain SQLAlchemy, which outlives our own types."""
    if kind != "type":
        return False
    match thing:
        case BigInteger():
            return "BIG"
        case JSON():
            return "PLAIN"
        case Enum():
            return f"sa.String(length={thing.length})"
        case TypeDecorator():
            return f"sa.{thing.impl_instance!r}"
        case _:
            return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    render_item=_render,
    include_name=is_described,
)
with context.begin_transaction():
    context.run_migrations()

"""Acts that are carried out to their very commit and then undone, so that each finds what the one before it found."""

from sqlalchemy import event
from sqlalchemy.engine import Connection

from cloud.core.database import Database


def rehearse(database: Database) -> None:
    """Let nothing that is done with a database from now on stay."""

    @event.listens_for(database.engine.sync_engine, "commit")
    def undo(connection: Connection) -> None:
        connection.connection.rollback()

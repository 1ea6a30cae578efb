"""An act that is sent twice is done once: whoever sends it gives it a key, and the same key again changes nothing."""

import re
import secrets
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, Index, String, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from cloud.core.clock import Clock
from cloud.core.database import Base
from cloud.core.errors import Conflict, Malformed
from cloud.core.principal import Principal

KEPT = timedelta(days=90)
"""For how long a repeat is known: longer than a telephone lies in a drawer with something unsent on it."""

KEY_LENGTH = 64
_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")
_ACT_LENGTH = 120


class DoneKey(Base):
    """That a person's act of this key is done; committed with what it did, so that both are there or neither is."""

    __tablename__ = "done_keys"

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), primary_key=True, autoincrement=False)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(String(KEY_LENGTH), primary_key=True)
    act: Mapped[str] = mapped_column(String(_ACT_LENGTH))
    at: Mapped[datetime]

    __table_args__ = (Index("ix_done_keys_at", "at"),)


def new_key() -> str:
    """Return a key that no other act has."""
    return secrets.token_urlsafe(18)


async def is_first(session: AsyncSession, clock: Clock, principal: Principal, *, key: str, act: str) -> bool:
    """Return whether an act comes for the first time, and have its repeats known once the transaction is committed.

    Of two that come at once, one waits for the other's end, and is the first if the other was undone.

    Args:
        session: of the transaction that does the act.
        clock: the cloud's.
        principal: who acts.
        key: made by whoever sends the act; 16 to 64 letters, digits, - and _.
        act: what is done to what, e.g. `survey ticket:17`.

    Raises:
        Malformed: the key can't be one.
        Conflict: the key was used for another act.
    """
    if not _KEY.fullmatch(key):
        raise Malformed("The form's key is missing: open the page again.", "key")
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    ours = {"organisation_id": principal.organisation_id, "person_id": principal.person_id, "key": key}
    added = await session.execute(
        insert(DoneKey)
        .values(**ours, act=act[:_ACT_LENGTH], at=clock.now())
        .on_conflict_do_nothing()
        .returning(DoneKey.key)
    )
    if added.first() is not None:
        return True
    known = select(DoneKey.act).where(
        DoneKey.organisation_id == principal.organisation_id, DoneKey.person_id == principal.person_id,
        DoneKey.key == key,
    )  # fmt: skip
    if await session.scalar(known) != act[:_ACT_LENGTH]:
        raise Conflict("This form was used for something else already: open the page again.", "key")
    return False


async def forget_old(session: AsyncSession, clock: Clock) -> None:
    """Forget keys older than KEPT; a job."""
    await session.execute(delete(DoneKey).where(DoneKey.at < clock.now() - KEPT))

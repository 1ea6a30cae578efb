"""Learning types from an organisation's own closed tickets: when, from what, and what came of it."""

import asyncio
import logging
import os
import sys
from collections import Counter
from datetime import datetime, timedelta
from importlib.util import find_spec
from typing import Any

import msgspec
from sqlalchemy import ForeignKey, Index, String, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from cloud.core import files
from cloud.core.clock import Clock
from cloud.core.database import Base, Database, Json
from cloud.core.files import FileDamaged, FileStore
from cloud.core.principal import Principal
from cloud.tickets.domain import Origin, State
from cloud.tickets.learned import Guess, Learned, Model, Report, Unreadable
from cloud.tickets.tables import TicketRow, TicketTypeRow, types_in_force
from firmware_configs.look.words import _

FEWEST_TICKETS = 200
FEWEST_TYPES = 2
FEWEST_OF_A_TYPE = 5
"""Each is left out once in five rounds of cross-validation."""

CONFIDENT = 0.6
"""From which probability on a guess is shown."""

EVERY = timedelta(days=7)
_MOST_TICKETS = 20_000
_LONGEST_S = 500.0

_log = logging.getLogger(__name__)


class LearningRow(Base):
    """A try to learn types; its id is the model's version.

    Attributes:
        tickets: closed tickets with words that there were.
        file_id: the model; None when none was learnt.
        report: learned.Report as plain data; None when none was learnt.
        reason: catalogue id of why none was learnt.
    """

    __tablename__ = "ticket_learnings"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    at: Mapped[datetime]
    tickets: Mapped[int]
    file_id: Mapped[int | None] = mapped_column(ForeignKey("files.id"))
    report: Mapped[dict[str, Any] | None] = mapped_column(Json)
    reason: Mapped[str] = mapped_column(String(200), default="")

    __table_args__ = (Index("ix_ticket_learnings_at", "organisation_id", "at"),)

    @property
    def figures(self) -> Report | None:
        """Return what is to be said of the model; None when none was learnt."""
        return msgspec.convert(self.report, Report) if self.report else None


class _Learnt(msgspec.Struct, frozen=True, kw_only=True):
    """What training.py writes."""

    model: Model
    report: Report


def can_learn() -> bool:
    """Return whether the extra `learning` is installed."""
    return find_spec("sklearn") is not None


async def last_try(session: AsyncSession, principal: Principal) -> LearningRow | None:
    """Return what the last try to learn came to."""
    mine = select(LearningRow).where(LearningRow.organisation_id == principal.organisation_id)
    return await session.scalar(mine.order_by(LearningRow.at.desc(), LearningRow.id.desc()).limit(1))


async def guess(session: AsyncSession, store: FileStore | None, principal: Principal, *, text: str) -> Guess | None:
    """Return the type that earlier tickets speak for; None when they leave it open, or nothing was learnt."""
    file_id = await session.scalar(
        select(LearningRow.file_id)
        .where(LearningRow.organisation_id == principal.organisation_id, LearningRow.file_id.is_not(None))
        .order_by(LearningRow.at.desc(), LearningRow.id.desc())
        .limit(1)
    )
    if file_id is None or store is None:
        return None
    file = await files.find(session, principal, file_id)
    try:
        likeliest = Learned.decode(await store.load(file.sha256)).guess(text)
    except (FileDamaged, Unreadable):
        _log.warning("the model of types in file %s can't be read: keywords alone suggest", file_id)
        return None
    return likeliest if likeliest is not None and likeliest.probability >= CONFIDENT else None


async def learn_due(database: Database, clock: Clock, *, store: FileStore) -> None:
    """Learn for every organisation that has not for a while; a job with its own transactions."""
    async with database.reading() as session:
        due = await _due(session, clock)
    for organisation_id in due:
        await learn(database, clock, Principal.system(organisation_id), store=store)


async def learn(database: Database, clock: Clock, principal: Principal, *, store: FileStore) -> None:
    """Learn an organisation's types, in a program of its own, and keep what came of it."""
    async with database.reading() as session:
        lesson = await _lesson(session, principal)
    enough = {code for code, count in Counter(code for _text, code in lesson).items() if count >= FEWEST_OF_A_TYPE}
    told = [(text, code) for text, code in lesson if code in enough]
    if len(told) < FEWEST_TICKETS or len(enough) < FEWEST_TYPES:
        await _keep(database, clock, principal, tickets=len(lesson), reason=_("Too few closed tickets with words."))
        return
    learnt = await _train(told)
    if learnt is None:
        await _keep(database, clock, principal, tickets=len(lesson), reason=_("The training broke off."))
        return
    saved = await store.save(msgspec.msgpack.encode(learnt.model))
    async with database.transaction() as session:
        file_id = await files.add(
            session, clock, principal, saved, name="types.msgpack", media_type="application/msgpack"
        )
        row = LearningRow(organisation_id=principal.organisation_id, at=clock.now(), tickets=len(lesson))
        row.file_id, row.report = file_id, msgspec.to_builtins(learnt.report)
        await _forget_model(session, clock, principal)
        session.add(row)


async def _due(session: AsyncSession, clock: Clock) -> list[int]:
    # any organisation: a job looks after all of them
    lately = select(LearningRow.organisation_id).where(LearningRow.at > clock.now() - EVERY)
    found = select(TicketTypeRow.organisation_id).where(TicketTypeRow.organisation_id.not_in(lately)).distinct()
    return list(await session.scalars(found.order_by(TicketTypeRow.organisation_id)))


async def _lesson(session: AsyncSession, principal: Principal) -> list[tuple[str, str]]:
    """Return the words and the type of the latest resolved tickets that people reported."""
    known = {row.code for row in await types_in_force(session, organisation_id=principal.organisation_id)}
    rows = await session.execute(
        select(TicketRow.subject_zh, TicketRow.subject_en, TicketRow.description, TicketTypeRow.code)
        .join(TicketTypeRow, TicketTypeRow.id == TicketRow.type_id)
        .where(TicketRow.organisation_id == principal.organisation_id, TicketRow.state == State.RESOLVED)
        .where(TicketRow.origin.not_in([Origin.ALARM, Origin.PLAN]), TicketTypeRow.code.in_(known))
        .order_by(TicketRow.opened_at.desc())
        .limit(_MOST_TICKETS)
    )
    told = [(f"{zh or en}\n{more}".strip(), code) for zh, en, more, code in rows]
    return [(text, code) for text, code in told if text]


async def _train(told: list[tuple[str, str]]) -> _Learnt | None:
    """Return what a program of its own learns; None when it fails, of which its last words are logged."""
    lesson = msgspec.msgpack.encode({"texts": [text for text, _code in told], "types": [code for _text, code in told]})
    pipe = asyncio.subprocess.PIPE
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # people are served meanwhile
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cloud.tickets.training", stdin=pipe, stdout=pipe, stderr=pipe, env=environment
    )
    try:
        async with asyncio.timeout(_LONGEST_S):
            written, said = await program.communicate(lesson)
    except TimeoutError:
        _log.warning("learning types took more than %s s", _LONGEST_S)
        return None
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()
    if program.returncode:
        _log.error("learning types failed: %s", said.decode(errors="replace")[-400:])
        return None
    return msgspec.msgpack.decode(written, type=_Learnt)


async def _keep(database: Database, clock: Clock, principal: Principal, *, tickets: int, reason: str) -> None:
    async with database.transaction() as session:
        session.add(
            LearningRow(
                organisation_id=principal.organisation_id, at=clock.now(), tickets=tickets, file_id=None, reason=reason
            )
        )


async def _forget_model(session: AsyncSession, clock: Clock, principal: Principal) -> None:
    """Let the models before be removed: only the last is asked."""
    rows = await session.scalars(
        select(LearningRow).where(
            LearningRow.organisation_id == principal.organisation_id, LearningRow.file_id.is_not(None)
        )
    )
    for row in rows:
        if row.file_id is not None:
            await files.remove(session, clock, principal, row.file_id)
            row.file_id = None

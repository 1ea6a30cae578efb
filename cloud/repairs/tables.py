"""The rows of repairs: what was found, planned, agreed to, done and charged."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar, cast

from sqlalchemy import ForeignKey, Index, SQLColumnExpression, String, Table, Text, UniqueConstraint, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from cloud.core.append_only import append_only
from cloud.core.database import Base, Json
from cloud.core.money import Money
from cloud.core.principal import Principal
from cloud.repairs.domain import UNANSWERED, Hazard, Line, LineKind, Means, Reply, Stage, Standing, Terms
from cloud.tickets.domain import Payer

NAME_LENGTH = 80
CODE_LENGTH = 40


class SurveyRow(Base):
    """What somebody found on the spot; append only."""

    __tablename__ = "repair_surveys"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), index=True)
    at: Mapped[datetime]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    actor: Mapped[str] = mapped_column(String(NAME_LENGTH))
    findings: Mapped[str] = mapped_column(Text)
    hazard: Mapped[Hazard]


append_only(cast("Table", SurveyRow.__table__))


class PhotoRow(Base):
    """That a stored file shows a repair; append only."""

    __tablename__ = "repair_photos"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), index=True)
    file_id: Mapped[int] = mapped_column(ForeignKey("files.id"), unique=True)
    stage: Mapped[Stage]
    name: Mapped[str] = mapped_column(String(200))
    width: Mapped[int]
    height: Mapped[int]
    at: Mapped[datetime]


append_only(cast("Table", PhotoRow.__table__))


class PlanRow(Base):
    """A version of a ticket's plan; of it only what became of it changes.

    Attributes:
        lines: each with `kind`, `item`, `text`, `quantity`, `unit` and `rate_minor`.
        budget_minor: what the lines come to, frozen beside them.
    """

    __tablename__ = "repair_plans"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    version: Mapped[int]
    standing: Mapped[Standing]
    payer: Mapped[Payer]
    lines: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    budget_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    visits: Mapped[int]
    finish_on: Mapped[date]
    valid_until: Mapped[datetime]
    text: Mapped[str] = mapped_column(Text)
    proposed_at: Mapped[datetime]
    proposed_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    actor: Mapped[str] = mapped_column(String(NAME_LENGTH))

    __table_args__ = (UniqueConstraint("ticket_id", "version"),)

    @property
    def terms(self) -> Terms:
        return Terms(
            lines=tuple(_line(each, self.currency) for each in self.lines),
            payer=self.payer,
            visits=self.visits,
            finish_on=self.finish_on,
            valid_until=self.valid_until,
            text=self.text,
        )


_IS_UNANSWERED = PlanRow.standing.in_(sorted(UNANSWERED))
Index("ix_repair_plans_lapsing", PlanRow.valid_until, sqlite_where=_IS_UNANSWERED, postgresql_where=_IS_UNANSWERED)


class ReplyRow(Base):
    """What was said to one version of a plan, and to exactly which amount; append only.

    Attributes:
        decider_id: who said it; None where those who do the work answer a question.
        person_id: who wrote it down, which is the decider when they did it themselves.
    """

    __tablename__ = "repair_replies"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), index=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("repair_plans.id"))
    reply: Mapped[Reply]
    budget_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    means: Mapped[Means]
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    decider_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    decider: Mapped[str] = mapped_column(String(NAME_LENGTH))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    actor: Mapped[str] = mapped_column(String(NAME_LENGTH))


append_only(cast("Table", ReplyRow.__table__))


class VisitRow(Base):
    """A visit: offered in windows, agreed on, and what came of it.

    Attributes:
        windows: pairs of instants as ISO 8601 text, the first one first.
        labour_minutes: of all who came.
        signer: who signed; `signature_id` the drawing when they drew one.
    """

    __tablename__ = "repair_visits"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), index=True)
    number: Mapped[int]
    windows: Mapped[list[list[str]]] = mapped_column(Json)
    offered_at: Mapped[datetime]
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    chosen_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    arrived_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]
    labour_minutes: Mapped[int] = mapped_column(default=0)
    text: Mapped[str] = mapped_column(Text, default="")
    signer: Mapped[str] = mapped_column(String(NAME_LENGTH), default="")
    signature_id: Mapped[int | None] = mapped_column(ForeignKey("files.id"))
    missed_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("ticket_id", "number"),)


class ResultRow(Base):
    """What came of a repair, as it was reported; append only."""

    __tablename__ = "repair_results"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), index=True)
    at: Mapped[datetime]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    actor: Mapped[str] = mapped_column(String(NAME_LENGTH))
    text: Mapped[str] = mapped_column(Text)


append_only(cast("Table", ResultRow.__table__))


class ChargeRow(Base):
    """What a result handed to billing; append only, so that neither it nor its plan is charged twice.

    Attributes:
        lines: as in PlanRow.
    """

    __tablename__ = "repair_charges"

    result_id: Mapped[int] = mapped_column(ForeignKey("repair_results.id"), primary_key=True, autoincrement=False)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), index=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("repair_plans.id"), unique=True)
    at: Mapped[datetime]
    payer: Mapped[Payer]
    lines: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))


append_only(cast("Table", ChargeRow.__table__))

_Row = TypeVar("_Row", SurveyRow, PhotoRow, ReplyRow, ResultRow, ChargeRow)


def written(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Return lines as rows hold them."""
    return [
        {
            "kind": str(line.kind),
            "item": line.item,
            "text": line.text,
            "quantity": str(line.quantity),
            "unit": line.unit,
            "rate_minor": line.rate.minor,
        }
        for line in lines
    ]


def read_lines(lines: Sequence[dict[str, Any]], currency: str) -> tuple[Line, ...]:
    """Return the lines that a row holds."""
    return tuple(_line(each, currency) for each in lines)


async def plans_of(session: AsyncSession, principal: Principal, ticket_id: int) -> Sequence[PlanRow]:
    """Return a ticket's plans, the newest first."""
    found = await session.scalars(
        select(PlanRow)
        .where(PlanRow.organisation_id == principal.organisation_id, PlanRow.ticket_id == ticket_id)
        .order_by(PlanRow.version.desc())
        .execution_options(populate_existing=True)
    )
    return found.all()


async def asked_plans(
    session: AsyncSession, principal: Principal, ticket_ids: Collection[int], *, now: datetime
) -> dict[int, PlanRow]:
    """Return the plans of these tickets that wait for an answer and are still valid, by ticket."""
    found = await session.scalars(
        select(PlanRow).where(
            PlanRow.organisation_id == principal.organisation_id,
            PlanRow.ticket_id.in_(ticket_ids),
            PlanRow.standing == Standing.ASKED,
            PlanRow.valid_until > now,
        )
    )
    return {row.ticket_id: row for row in found}


async def replies_to(session: AsyncSession, principal: Principal, ticket_id: int) -> Sequence[ReplyRow]:
    """Return what was said to a ticket's plans, the first word first."""
    return await _of_ticket(session, principal, ReplyRow, ticket_id, order=ReplyRow.id)


async def lapsing_plans(session: AsyncSession, *, before: datetime, limit: int) -> Sequence[PlanRow]:
    """Return plans of any organisation that nobody answered while they were valid, locked, the first to lapse first."""
    found = await session.scalars(
        select(PlanRow)  # any organisation: a job's
        .where(_IS_UNANSWERED, PlanRow.valid_until <= before)
        .order_by(PlanRow.valid_until)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return found.all()


async def surveys_of(session: AsyncSession, principal: Principal, ticket_id: int) -> Sequence[SurveyRow]:
    """Return what was found at a ticket's place, the newest first."""
    return await _of_ticket(session, principal, SurveyRow, ticket_id, order=SurveyRow.id.desc())


async def photos_of(session: AsyncSession, principal: Principal, ticket_id: int) -> Sequence[PhotoRow]:
    """Return a ticket's photos, the first one first."""
    return await _of_ticket(session, principal, PhotoRow, ticket_id, order=PhotoRow.id)


async def ticket_of_photo(session: AsyncSession, principal: Principal, file_id: int) -> int | None:
    """Return the ticket whose repair a file shows; None when it shows none."""
    return await session.scalar(
        select(PhotoRow.ticket_id).where(
            PhotoRow.organisation_id == principal.organisation_id, PhotoRow.file_id == file_id
        )
    )


async def visits_of(session: AsyncSession, principal: Principal, ticket_ids: Sequence[int]) -> Sequence[VisitRow]:
    """Return tickets' visits, the first one first."""
    found = await session.scalars(
        select(VisitRow)
        .where(VisitRow.organisation_id == principal.organisation_id, VisitRow.ticket_id.in_(ticket_ids))
        .order_by(VisitRow.ticket_id, VisitRow.number)
        .execution_options(populate_existing=True)
    )
    return found.all()


async def results_of(session: AsyncSession, principal: Principal, ticket_id: int) -> Sequence[ResultRow]:
    """Return a ticket's results, the newest first."""
    return await _of_ticket(session, principal, ResultRow, ticket_id, order=ResultRow.id.desc())


async def charges_of(session: AsyncSession, principal: Principal, ticket_id: int) -> Sequence[ChargeRow]:
    """Return what was charged for a ticket, the newest first."""
    return await _of_ticket(session, principal, ChargeRow, ticket_id, order=ChargeRow.result_id.desc())


async def _of_ticket(
    session: AsyncSession, principal: Principal, rows: type[_Row], ticket_id: int, *, order: SQLColumnExpression[int]
) -> Sequence[_Row]:
    asked = select(rows).where(rows.organisation_id == principal.organisation_id, rows.ticket_id == ticket_id)
    return (await session.scalars(asked.order_by(order))).all()


def _line(each: dict[str, Any], currency: str) -> Line:
    return Line(
        kind=LineKind(each["kind"]),
        item=each["item"],
        text=each["text"],
        quantity=Decimal(each["quantity"]),
        unit=each["unit"],
        rate=Money(each["rate_minor"], currency),
    )

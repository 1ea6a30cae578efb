"""The rows of opinions."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from cloud.core.database import Base
from cloud.core.principal import Principal
from cloud.feedback.domain import OnPoor


class FeedbackRulesRow(Base):
    """How an organisation asks, where it chose otherwise than the defaults; see domain.FeedbackRules."""

    __tablename__ = "feedback_rules"

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), primary_key=True, autoincrement=False)
    cap_days: Mapped[int]
    poor_at: Mapped[int]
    on_poor: Mapped[OnPoor]
    change_hours: Mapped[int]
    open_days: Mapped[int]
    version: Mapped[int]


class RequestRow(Base):
    """That somebody was asked for an opinion: once for a ticket.

    Attributes:
        token_hash: SHA-256 of what the link holds; the token itself stands in the message alone.
        worker_id: who had done the work.
    """

    __tablename__ = "opinion_requests"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    worker_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    asked_at: Mapped[datetime]
    closes_at: Mapped[datetime]

    __table_args__ = (Index("ix_opinion_requests_person", "person_id", "asked_at"),)


class OpinionRow(Base):
    """The one opinion that answers a request.

    Attributes:
        at: when it was first given; it may be changed for a while from then on.
        acted_at: when a poor one was acted on, so that changing it to and fro acts once.
    """

    __tablename__ = "opinions"

    request_id: Mapped[int] = mapped_column(ForeignKey("opinion_requests.id"), primary_key=True, autoincrement=False)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    rating: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    changed_at: Mapped[datetime]
    acted_at: Mapped[datetime | None]


async def rules_of(session: AsyncSession, organisation_id: int) -> FeedbackRulesRow | None:
    """Return how an organisation asks; None while it never chose."""
    return await session.scalar(
        select(FeedbackRulesRow)
        .where(FeedbackRulesRow.organisation_id == organisation_id)
        .execution_options(populate_existing=True)
    )


async def request_of_token(session: AsyncSession, token_hash: str) -> RequestRow | None:
    """Return the request that a link answers, of whichever organisation: the link is all that its reader has."""
    # any organisation: the token names one request, and its organisation with it
    return await session.scalar(select(RequestRow).where(RequestRow.token_hash == token_hash))


async def request_of_ticket(session: AsyncSession, principal: Principal, ticket_id: int) -> RequestRow | None:
    """Return the request about a ticket."""
    return await session.scalar(
        select(RequestRow).where(
            RequestRow.organisation_id == principal.organisation_id, RequestRow.ticket_id == ticket_id
        )
    )


async def was_asked_since(session: AsyncSession, principal: Principal, person_id: int, since: datetime) -> bool:
    """Return whether somebody was asked about anything after an instant."""
    asked = select(RequestRow.id).where(
        RequestRow.organisation_id == principal.organisation_id,
        RequestRow.person_id == person_id,
        RequestRow.asked_at > since,
    )
    return await session.scalar(asked.limit(1)) is not None


async def opinion_of(session: AsyncSession, organisation_id: int, request_id: int) -> OpinionRow | None:
    """Return the opinion that answers a request."""
    return await session.scalar(
        select(OpinionRow)
        .where(OpinionRow.organisation_id == organisation_id, OpinionRow.request_id == request_id)
        .execution_options(populate_existing=True)
    )


async def newest_opinions(
    session: AsyncSession, principal: Principal, *, up_to: int, since: datetime
) -> Sequence[tuple[RequestRow, OpinionRow]]:
    """Return the opinions that are no better than `up_to` and were given since an instant, the newest first."""
    rows = await session.execute(
        select(RequestRow, OpinionRow)
        .join(OpinionRow, OpinionRow.request_id == RequestRow.id)
        .where(RequestRow.organisation_id == principal.organisation_id)
        .where(OpinionRow.rating <= up_to, OpinionRow.at > since)
        .order_by(OpinionRow.at.desc(), OpinionRow.request_id.desc())
    )
    return [(row[0], row[1]) for row in rows]


async def opinions_about(
    session: AsyncSession, principal: Principal, ticket_ids: Collection[int]
) -> dict[int, tuple[RequestRow, OpinionRow]]:
    """Return the opinions that were given about tickets, with what they answer."""
    rows = await session.execute(
        select(RequestRow, OpinionRow)
        .join(OpinionRow, OpinionRow.request_id == RequestRow.id)
        .where(RequestRow.organisation_id == principal.organisation_id, RequestRow.ticket_id.in_(ticket_ids))
    )
    return {row[0].ticket_id: (row[0], row[1]) for row in rows}

"""The rows of dispatch: rules, skills, where a ticket's search stands, offers, steps of the ladder."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, literal, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud.core.database import Base, Json
from cloud.tickets.domain import Target
from cloud.tickets.tables import CODE_LENGTH

CERTIFICATE_LENGTH = 40


class Search(StrEnum):
    """Where the search for somebody who does a ticket stands."""

    NEW = "new"  # to be looked at at once
    OFFERED = "offered"  # somebody is asked and has time to answer
    WAITING = "waiting"  # for somebody to have fewer jobs
    NO_CANDIDATE = "no_candidate"  # nobody could do it however little they had to do
    QUEUED = "queued"  # the dispatcher's: all were asked, or its kind is given by hand
    OVER = "over"  # somebody has it, or nobody is needed now


class OfferState(StrEnum):
    """What became of an offer."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    LAPSED = "lapsed"  # nobody answered in time
    WITHDRAWN = "withdrawn"  # the ticket went elsewhere meanwhile
    GIVEN = "given"  # an emergency: nobody was asked
    RETURNED = "returned"  # somebody had it and gave it back


TURNED_DOWN = frozenset({OfferState.DECLINED, OfferState.LAPSED, OfferState.RETURNED, OfferState.ACCEPTED})
"""States whose person is not asked again; who accepted has had it, since it is free again."""


class DispatchRuleRow(Base):
    """A version of an organisation's rules; see dispatch_rules.DispatchRules.

    Attributes:
        accept_min: minutes by priority, whose number is the key.
        ladder: steps, each with `percent`, `whom` and `only_emergency`.
        replaced_at: when a newer version took its place; None for the one in force.
    """

    __tablename__ = "dispatch_rules"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    version: Mapped[int]
    cap: Mapped[int]
    accept_min: Mapped[dict[str, int]] = mapped_column(Json)
    asked_at_most: Mapped[int]
    queue_min: Mapped[int]
    kinds: Mapped[list[str]] = mapped_column(Json)
    lead_ids: Mapped[list[int]] = mapped_column(Json)
    area_ids: Mapped[list[int]] = mapped_column(Json)
    ladder: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    created_at: Mapped[datetime]
    replaced_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("organisation_id", "version"),)


class WorkerSkillRow(Base):
    """What somebody can do, and by which certificate; `valid_until` is the last day, None when it never ends."""

    __tablename__ = "worker_skills"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    skill: Mapped[str] = mapped_column(String(CODE_LENGTH))
    certificate: Mapped[str] = mapped_column(String(CERTIFICATE_LENGTH))
    valid_until: Mapped[date | None]

    __table_args__ = (UniqueConstraint("person_id", "skill"),)


class WhereaboutsRow(Base):
    """In which building somebody worked last, and when they last had to do with a job."""

    __tablename__ = "whereabouts"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True, autoincrement=False)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    building_id: Mapped[int | None] = mapped_column(ForeignKey("buildings.id"))
    at: Mapped[datetime]


class DispatchRow(Base):
    """The search for somebody who does a ticket.

    Attributes:
        rules_id: the rules that were in force when it was opened; its ladder is theirs.
        since: since when the search stands where it stands.
        next_at: when to look again; None when nothing is due.
        called_at: when a supervisor was called because it found nobody.
        verdicts: the last verdict on everybody, as verdicts.stored wrote it.
    """

    __tablename__ = "dispatches"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), primary_key=True, autoincrement=False)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    building_id: Mapped[int | None] = mapped_column(ForeignKey("buildings.id"))
    rules_id: Mapped[int] = mapped_column(ForeignKey("dispatch_rules.id"))
    state: Mapped[Search]
    since: Mapped[datetime]
    next_at: Mapped[datetime | None] = mapped_column(index=True)
    called_at: Mapped[datetime | None]
    verdicts: Mapped[dict[str, Any] | None] = mapped_column(Json)


IS_SEARCHING = DispatchRow.state != literal(Search.OVER, literal_execute=True)
"""Written out, not bound: SQLite takes a partial index only for the very words that it was made with."""

_NOT_OVER = text("state != 'over'")
Index(
    "ix_dispatches_searching",
    DispatchRow.organisation_id,
    DispatchRow.state,
    sqlite_where=_NOT_OVER,
    postgresql_where=_NOT_OVER,
)


class OfferRow(Base):
    """That somebody was asked to take a ticket, or was given it, why, and what they said.

    Attributes:
        due_at: until when they can answer.
        reason: why they declined.
        verdicts: the verdict on everybody at that moment, as verdicts.stored wrote it.
    """

    __tablename__ = "offers"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    rules_id: Mapped[int | None] = mapped_column(ForeignKey("dispatch_rules.id"))
    state: Mapped[OfferState]
    offered_at: Mapped[datetime]
    due_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(Text, default="")
    verdicts: Mapped[dict[str, Any] | None] = mapped_column(Json)


IS_OPEN = OfferRow.state == literal(OfferState.OPEN, literal_execute=True)
"""Written out, as IS_SEARCHING is."""

_IS_OPEN = text("state = 'open'")
Index("ix_offers_open", OfferRow.ticket_id, unique=True, sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN)
Index("ix_offers_person", OfferRow.person_id, sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN)


class EscalationRow(Base):
    """A step of the ladder that a ticket has climbed, or will climb at `due_at` if it is not done by then."""

    __tablename__ = "escalations"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    target: Mapped[Target]
    percent: Mapped[int]
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    told_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("ticket_id", "target", "percent"),)

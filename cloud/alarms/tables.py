"""The rows of rules and alarms, and how they are found."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, ForeignKey, Index, Select, String, Table, Text, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from cloud.alarms.domain import Cause, Deed, Side
from cloud.alarms.terms import Kind
from cloud.core.append_only import append_only
from cloud.core.database import Base, Json
from cloud.core.principal import Principal

NAME_LENGTH = 120
PLACE_LENGTH = 400


class RuleRow(Base):
    """What is abnormal at a point, and what it means.

    Attributes:
        terms: the fields of its kind's terms, in `unit`.
        terms_version: grows when its terms begin anew, and tells their alarms from those of the terms before.
        judged_after: readings up to here were judged by other terms, and are not judged again by these.
        version: grows with every change, so that two people do not overwrite each other.
    """

    __tablename__ = "alarm_rules"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    point_id: Mapped[int] = mapped_column(ForeignKey("points.id"), index=True)
    kind: Mapped[Kind]
    terms: Mapped[dict[str, Any]] = mapped_column(Json)
    unit: Mapped[str] = mapped_column(String(40))
    priority: Mapped[int]
    name_zh: Mapped[str] = mapped_column(String(NAME_LENGTH))
    name_en: Mapped[str] = mapped_column(String(NAME_LENGTH))
    consequence_zh: Mapped[str] = mapped_column(Text)
    consequence_en: Mapped[str] = mapped_column(Text)
    first_action_zh: Mapped[str] = mapped_column(Text)
    first_action_en: Mapped[str] = mapped_column(Text)
    is_enabled: Mapped[bool]
    terms_version: Mapped[int] = mapped_column(default=1)
    judged_after: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class RuleStateRow(Base):
    """How far a rule has judged: judgement.State in columns; its lock is the rule's.

    Attributes:
        box_id: of the rule's point.
        due_us: when the passing of time alone changes the state.
        heard_at: the cloud's time when the last readings came.
    """

    __tablename__ = "alarm_rule_states"

    rule_id: Mapped[int] = mapped_column(ForeignKey("alarm_rules.id"), primary_key=True, autoincrement=False)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    point_id: Mapped[int] = mapped_column(ForeignKey("points.id"), index=True)
    box_id: Mapped[int] = mapped_column(ForeignKey("boxes.id"), index=True)
    time_us: Mapped[int | None]
    value: Mapped[float | None]
    side: Mapped[Side | None]
    left_us: Mapped[int | None]
    next_side: Mapped[Side | None]
    next_us: Mapped[int | None]
    past: Mapped[list[tuple[int, float]]] = mapped_column(Json)
    due_us: Mapped[int | None] = mapped_column(index=True)
    heard_at: Mapped[datetime | None]


class AlarmRow(Base):
    """An alarm: one episode of one rule, or something that Gatehouse itself raised about a box.

    Attributes:
        rule_id: None when `cause` says what happened.
        place: its names when it was raised, from the widest to the narrowest; `label` is what is measured there.
        raised_at: by the reading's own time, as `returned_at` is.
        limit: the bound that was passed, in `unit`; per hour for a rate, in seconds for silence.
        announced_at: when it asked for a person; None for history, and while a backlog may still undo it.
        withdrawn_at: when later readings showed that it was none; it is kept because people know of it.
        is_noted: somebody wrote about it, or works on it.
        occurrences: how often what Gatehouse raised itself has happened; 1 for a rule's alarm.
    """

    __tablename__ = "alarms"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    community_id: Mapped[int | None] = mapped_column(ForeignKey("communities.id"))
    place_id: Mapped[int | None] = mapped_column(ForeignKey("places.id"))
    box_id: Mapped[int] = mapped_column(ForeignKey("boxes.id"), index=True)
    point_id: Mapped[int | None] = mapped_column(ForeignKey("points.id"))
    rule_id: Mapped[int | None] = mapped_column(ForeignKey("alarm_rules.id"))
    terms_version: Mapped[int | None]
    cause: Mapped[Cause | None]
    side: Mapped[Side | None]
    unit: Mapped[str] = mapped_column(String(40))
    priority: Mapped[int]
    place: Mapped[str] = mapped_column(String(PLACE_LENGTH))
    label: Mapped[str] = mapped_column(String(NAME_LENGTH))
    raised_at: Mapped[datetime]
    raised_value: Mapped[float | None]
    limit: Mapped[float | None]
    returned_at: Mapped[datetime | None]
    returned_value: Mapped[float | None]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    announced_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    is_noted: Mapped[bool] = mapped_column(default=False)
    occurrences: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]

    @property
    def is_seen(self) -> bool:
        """Return whether a person may know of it, so that it may not vanish."""
        return self.announced_at is not None or self.acknowledged_at is not None or self.is_noted


STANDS = AlarmRow.returned_at.is_(None)
_UNANNOUNCED = STANDS & AlarmRow.announced_at.is_(None)
CLEARED = AlarmRow.returned_at.is_not(None) & AlarmRow.announced_at.is_not(None)
ASKS = AlarmRow.acknowledged_at.is_(None) & AlarmRow.announced_at.is_not(None)

Index(
    "uq_alarms_standing_rule",
    AlarmRow.rule_id,
    AlarmRow.point_id,
    unique=True,
    sqlite_where=STANDS & AlarmRow.rule_id.is_not(None),
    postgresql_where=STANDS & AlarmRow.rule_id.is_not(None),
)
Index(
    "uq_alarms_standing_cause",
    AlarmRow.box_id,
    AlarmRow.cause,
    unique=True,
    sqlite_where=STANDS & AlarmRow.cause.is_not(None),
    postgresql_where=STANDS & AlarmRow.cause.is_not(None),
)
Index("ix_alarms_standing", AlarmRow.organisation_id, sqlite_where=STANDS, postgresql_where=STANDS)
Index("ix_alarms_unannounced", AlarmRow.box_id, sqlite_where=_UNANNOUNCED, postgresql_where=_UNANNOUNCED)
Index("ix_alarms_asking", AlarmRow.organisation_id, sqlite_where=ASKS, postgresql_where=ASKS)
Index(
    "ix_alarms_cleared", AlarmRow.organisation_id, AlarmRow.returned_at, sqlite_where=CLEARED, postgresql_where=CLEARED
)
Index("ix_alarms_raised", AlarmRow.organisation_id, AlarmRow.raised_at)
Index("ix_alarms_rule", AlarmRow.rule_id, AlarmRow.raised_at)


class AlarmEntryRow(Base):
    """A line of an alarm's record; append only.

    Attributes:
        person_id: None when Gatehouse did it.
        actor: the person's name at the time; empty when Gatehouse did it.
    """

    __tablename__ = "alarm_entries"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    alarm_id: Mapped[int] = mapped_column(ForeignKey("alarms.id"), index=True)
    at: Mapped[datetime]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    actor: Mapped[str] = mapped_column(String(NAME_LENGTH))
    deed: Mapped[Deed]
    text: Mapped[str] = mapped_column(Text, default="")


append_only(cast("Table", AlarmEntryRow.__table__))


def in_sight(principal: Principal) -> ColumnElement[bool]:
    """Return the condition that leaves the alarms that the principal may see."""
    ours = AlarmRow.organisation_id == principal.organisation_id
    return ours if principal.communities is None else ours & AlarmRow.community_id.in_(principal.communities)


def visible_alarms(principal: Principal) -> Select[Any]:
    """Return the alarms that the principal may see, each with its rule or None."""
    # any organisation: in_sight leaves only the principal's
    pairs = select(AlarmRow, RuleRow).outerjoin(RuleRow, RuleRow.id == AlarmRow.rule_id).where(in_sight(principal))
    return cast("Select[Any]", pairs)


async def locked_alarms(
    session: AsyncSession, principal: Principal, *, alarm_ids: Collection[int]
) -> Sequence[AlarmRow]:
    """Return alarms that the principal may see, by id; nobody else changes them meanwhile."""
    # any organisation: in_sight leaves only the principal's
    found = await session.scalars(
        select(AlarmRow)
        .where(in_sight(principal), AlarmRow.id.in_(alarm_ids))
        .order_by(AlarmRow.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return found.all()


async def locked_rules(
    session: AsyncSession, *, organisation_id: int, point_ids: Collection[int]
) -> Sequence[tuple[RuleRow, RuleStateRow]]:
    """Return the rules in force at the points with their states, which nobody else moves until the end of this."""
    rows = await session.execute(
        select(RuleRow, RuleStateRow)
        .join(RuleStateRow, RuleStateRow.rule_id == RuleRow.id)
        .where(RuleStateRow.organisation_id == organisation_id, RuleStateRow.point_id.in_(point_ids))
        .where(RuleRow.is_enabled, RuleRow.removed_at.is_(None))
        .order_by(RuleStateRow.rule_id)  # everybody takes the locks in one order
        .with_for_update()  # of the rule too: its terms and its state must be of one moment
        .execution_options(populate_existing=True)
    )
    return [(rule, state) for rule, state in rows]


async def locked_rule(
    session: AsyncSession, principal: Principal, *, rule_id: int
) -> tuple[RuleRow, RuleStateRow] | None:
    """Return a rule that is not removed, with its state; nobody else judges by it or changes it meanwhile."""
    rows = await session.execute(
        select(RuleRow, RuleStateRow)
        .join(RuleStateRow, RuleStateRow.rule_id == RuleRow.id)
        .where(RuleRow.organisation_id == principal.organisation_id, RuleRow.id == rule_id)
        .where(RuleRow.removed_at.is_(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found = rows.first()
    return None if found is None else (found[0], found[1])


async def locked_due_rules(
    session: AsyncSession, *, until_us: int, limit: int
) -> Sequence[tuple[RuleRow, RuleStateRow]]:
    """Return rules whose time has run out and that nobody else is at, the longest overdue first."""
    # any organisation: a job looks after all of them
    rows = await session.execute(
        select(RuleRow, RuleStateRow)
        .join(RuleStateRow, RuleStateRow.rule_id == RuleRow.id)
        .where(RuleStateRow.due_us <= until_us, RuleRow.is_enabled, RuleRow.removed_at.is_(None))
        .order_by(RuleStateRow.due_us)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return [(rule, state) for rule, state in rows]


async def standing_alarm(session: AsyncSession, *, organisation_id: int, rule_id: int) -> AlarmRow | None:
    """Return the rule's alarm that has not returned, locked."""
    return await session.scalar(
        select(AlarmRow)
        .where(AlarmRow.organisation_id == organisation_id, AlarmRow.rule_id == rule_id, STANDS)
        .with_for_update()
    )


async def standing_cause(session: AsyncSession, *, organisation_id: int, box_id: int, cause: Cause) -> AlarmRow | None:
    """Return what Gatehouse itself raised about the box and has not returned, locked."""
    return await session.scalar(
        select(AlarmRow)
        .where(AlarmRow.organisation_id == organisation_id, AlarmRow.box_id == box_id, AlarmRow.cause == cause, STANDS)
        .with_for_update()
    )


async def alarms_within(
    session: AsyncSession, *, organisation_id: int, rule_id: int, terms_version: int, first: datetime, last: datetime
) -> Sequence[AlarmRow]:
    """Return the alarms of a rule's terms that stood anywhere from `first` to `last`, by their beginning, locked."""
    found = await session.scalars(
        select(AlarmRow)
        .where(AlarmRow.organisation_id == organisation_id, AlarmRow.rule_id == rule_id)
        .where(AlarmRow.terms_version == terms_version, AlarmRow.withdrawn_at.is_(None), AlarmRow.raised_at <= last)
        .where(or_(STANDS, AlarmRow.returned_at >= first))
        .order_by(AlarmRow.raised_at)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return found.all()


async def unannounced_alarms(
    session: AsyncSession, *, organisation_id: int, box_id: int, raised_since: datetime | None
) -> Sequence[AlarmRow]:
    """Return the box's standing alarms that have not asked for anybody, locked; None for whenever they were raised."""
    statement = select(AlarmRow).where(
        AlarmRow.organisation_id == organisation_id, AlarmRow.box_id == box_id, _UNANNOUNCED
    )
    if raised_since is not None:
        statement = statement.where(AlarmRow.raised_at >= raised_since)
    return (await session.scalars(statement.order_by(AlarmRow.id).with_for_update())).all()


async def forgotten_alarms(session: AsyncSession, *, before: datetime, limit: int) -> Sequence[AlarmRow]:
    """Return standing alarms that wait since `before` for a box that has said nothing since then either."""
    # any organisation: a job looks after all of them
    last_heard = select(func.max(RuleStateRow.heard_at)).where(RuleStateRow.box_id == AlarmRow.box_id).scalar_subquery()
    found = await session.scalars(
        select(AlarmRow)
        .where(_UNANNOUNCED, AlarmRow.created_at < before)
        .where(or_(last_heard.is_(None), last_heard < before))
        .order_by(AlarmRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return found.all()


async def standing_causes(session: AsyncSession, *, cause: Cause) -> Sequence[AlarmRow]:
    """Return everything of a cause that has not returned, locked."""
    # any organisation: a job looks after all of them
    found = await session.scalars(select(AlarmRow).where(AlarmRow.cause == cause, STANDS).with_for_update())
    return found.all()


async def raises_since(
    session: AsyncSession, principal: Principal, *, rule_ids: Collection[int], since: datetime
) -> dict[int, int]:
    """Return how often each rule has raised since an instant; a rule that has not is left out."""
    rows = await session.execute(
        select(AlarmRow.rule_id, func.count())
        .where(AlarmRow.organisation_id == principal.organisation_id)
        .where(AlarmRow.rule_id.in_(rule_ids), AlarmRow.raised_at >= since, AlarmRow.withdrawn_at.is_(None))
        .group_by(AlarmRow.rule_id)
    )
    return {rule_id: count for rule_id, count in rows if rule_id is not None}


def entry(alarm: AlarmRow, principal: Principal, *, at: datetime, deed: Deed, text: str = "") -> AlarmEntryRow:
    """Return a line for an alarm's record."""
    return AlarmEntryRow(
        organisation_id=alarm.organisation_id,
        alarm_id=alarm.id,
        at=at,
        person_id=principal.person_id,
        actor=principal.name if principal.person_id is not None else "",
        deed=deed,
        text=text,
    )

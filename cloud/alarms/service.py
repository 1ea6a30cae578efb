"""What people do with alarms, and what they see of them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.alarms.book import end
from cloud.alarms.domain import ENDED_BY_NOTICE, Act, Cause, Deed, Notice, Priority, Side, Stage, moved, stage_of
from cloud.alarms.tables import (
    ASKS,
    CLEARED,
    STANDS,
    AlarmEntryRow,
    AlarmRow,
    RuleRow,
    entry,
    in_sight,
    locked_alarms,
    raises_since,
    visible_alarms,
)
from cloud.alarms.terms import Kind
from cloud.core.clock import Clock, to_us
from cloud.core.errors import Conflict, NotFound, Refused
from cloud.core.listing import Ask, Found, Listing, containing, fetch
from cloud.core.principal import Principal, Role
from cloud.core.words import Words
from firmware_configs.look.words import _

STANDING = timedelta(hours=24)
"""An alarm that is active for longer counts as standing: it needs a plan, not a glance."""

FLOOD = timedelta(minutes=10)
"""The time over which new alarms are counted; more than ten in it are a flood (ISA-18.2)."""

COUNTED = timedelta(hours=24)

_TEXT_LENGTH = 2_000
_ALARMS = cast("Table", AlarmRow.__table__).c
_RULES = cast("Table", RuleRow.__table__).c


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """An alarm as people see it.

    Attributes:
        kind: of the rule's terms; None when `cause` says what happened.
        name, consequence, first_action: the rule's words; None when `cause` says what happened.
        unit: of the raised value; limits of a rate are per hour, of silence in seconds.
        occurrences: how often what Gatehouse raised itself has happened; 1 for a rule's alarm.
    """

    id: int
    priority: Priority
    cause: Cause | None
    kind: Kind | None
    side: Side | None
    name: Words | None
    consequence: Words | None
    first_action: Words | None
    rule_id: int | None
    point_id: int | None
    box_id: int
    community_id: int | None
    place_id: int | None
    place: str
    label: str
    unit: str
    raised_at: datetime
    raised_value: float | None
    limit: float | None
    returned_at: datetime | None
    returned_value: float | None
    acknowledged_at: datetime | None
    acknowledged_by: int | None
    announced_at: datetime | None
    withdrawn_at: datetime | None
    occurrences: int

    @property
    def is_active(self) -> bool:
        """Return whether the value is still abnormal."""
        return self.returned_at is None

    @property
    def stage(self) -> Stage:
        """Return where it stands between the value and the person."""
        return stage_of(active=self.is_active, acknowledged=self.acknowledged_at is not None)

    @property
    def notice(self) -> Notice:
        """Return whether anybody was asked to take notice, and has."""
        if self.acknowledged_at is not None:
            return Notice.TAKEN
        return Notice.NEVER_ASKED if self.announced_at is None else Notice.ASKED


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of an alarm's record; `actor` is empty when Gatehouse did it."""

    at: datetime
    deed: Deed
    actor: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How much there is to look at now.

    Attributes:
        standing: active for more than 24 hours.
        recent: raised in the last 10 minutes.
        last_cleared_at: when the newest alarm returned; None when none ever did.
    """

    active: int
    unacknowledged: int
    standing: int
    recent: int
    last_cleared_at: datetime | None


async def acknowledge(
    session: AsyncSession, clock: Clock, principal: Principal, *, alarm_ids: Collection[int], note: str = ""
) -> list[int]:
    """Take notice of alarms; return those that nobody had taken notice of before.

    What Gatehouse raised itself ends with it, unless it has a state of its own that returns.

    Raises:
        NotFound: one of them is not the principal's to see.
        Conflict: the only one asked for is acknowledged already.
    """
    principal.require(Role.OPERATOR)
    _check_text(note, "note")
    alarms = await _locked(session, principal, alarm_ids=alarm_ids)
    fresh = [alarm for alarm in alarms if alarm.acknowledged_at is None or len(alarms) == 1]
    for alarm in fresh:
        moved(_stage(alarm), Act.ACKNOWLEDGE)
        alarm.acknowledged_at, alarm.acknowledged_by = clock.now(), principal.person_id
        session.add(entry(alarm, principal, at=clock.now(), deed=Deed.ACKNOWLEDGED, text=note.strip()))
    await session.flush()
    for alarm in fresh:
        if alarm.cause in ENDED_BY_NOTICE and alarm.returned_at is None:
            await end(session, clock, alarm, at_us=to_us(clock.now()), value=None)
    return [alarm.id for alarm in fresh]


async def unacknowledge(
    session: AsyncSession, clock: Clock, principal: Principal, *, alarm_ids: Collection[int]
) -> None:
    """Take one's own acknowledgements back: the alarms ask again.

    Raises:
        NotFound: one of them is not the principal's to see.
        Conflict: one is not acknowledged, or somebody else has acknowledged it.
    """
    principal.require(Role.OPERATOR)
    for alarm in await _locked(session, principal, alarm_ids=alarm_ids):
        moved(_stage(alarm), Act.UNACKNOWLEDGE)
        if alarm.acknowledged_by != principal.person_id:
            raise Conflict(_("Somebody else has acknowledged this alarm."))
        alarm.acknowledged_at, alarm.acknowledged_by = None, None
        session.add(entry(alarm, principal, at=clock.now(), deed=Deed.UNACKNOWLEDGED))
    await session.flush()


async def note(session: AsyncSession, clock: Clock, principal: Principal, *, alarm_id: int, text: str) -> None:
    """Write a note into an alarm's record.

    Raises:
        Refused: nothing is written, or too much.
    """
    principal.require(Role.OPERATOR)
    if not text.strip():
        raise Refused(_("Write something first."), "text")
    _check_text(text, "text")
    (alarm,) = await _locked(session, principal, alarm_ids=[alarm_id])
    alarm.is_noted = True
    session.add(entry(alarm, principal, at=clock.now(), deed=Deed.NOTED, text=text.strip()))
    await session.flush()


async def keep(session: AsyncSession, principal: Principal, *, alarm_id: int) -> None:
    """Let an alarm that somebody works on stay, and say when it is over, whatever late readings show.

    Raises:
        NotFound: there is none that the principal may see.
    """
    (alarm,) = await _locked(session, principal, alarm_ids=[alarm_id])
    alarm.is_noted = True
    await session.flush()


async def alarm(session: AsyncSession, principal: Principal, *, alarm_id: int) -> Alarm:
    """Return one alarm.

    Raises:
        NotFound: there is none that the principal may see.
    """
    found = await alarms(session, principal, alarm_ids=[alarm_id])
    if not found:
        raise NotFound(_("There is no such alarm."))
    return found[0]


async def alarms(session: AsyncSession, principal: Principal, *, alarm_ids: Collection[int]) -> list[Alarm]:
    """Return alarms by id; ids that the principal may not see are left out."""
    if not alarm_ids:
        return []
    # any organisation: visible_alarms leaves only the principal's
    rows = await session.execute(visible_alarms(principal).where(AlarmRow.id.in_(alarm_ids)).order_by(AlarmRow.id))
    return [to_alarm(row, rule) for row, rule in rows]


async def record(session: AsyncSession, principal: Principal, *, alarm_id: int) -> list[Entry]:
    """Return what was done to an alarm that the principal has seen, the newest first."""
    rows = await session.scalars(
        select(AlarmEntryRow)
        .where(AlarmEntryRow.organisation_id == principal.organisation_id, AlarmEntryRow.alarm_id == alarm_id)
        .order_by(AlarmEntryRow.id.desc())
    )
    return [Entry(at=row.at, deed=row.deed, actor=row.actor, text=row.text) for row in rows]


async def list_alarms(session: AsyncSession, principal: Principal, ask: Ask, *, only_current: bool) -> Found[Alarm]:
    """Return alarms, the gravest and newest first.

    Args:
        session: of the request.
        principal: who asks.
        ask: search, filters, order and stretch.
        only_current: those that are active or ask for an acknowledgement; else all, the newest first.
    """
    found = await fetch(session, _listing(principal, only_current=only_current), ask)
    return found.of([to_alarm(row.AlarmRow, row.RuleRow) for row in found.rows])


async def history_of(session: AsyncSession, principal: Principal, *, alarm: Alarm, limit: int) -> list[Alarm]:
    """Return the other alarms of the same rule, or of the same cause at the same box, the newest first."""
    # any organisation: visible_alarms leaves only the principal's
    alike = (
        AlarmRow.rule_id == alarm.rule_id
        if alarm.rule_id is not None
        else (AlarmRow.box_id == alarm.box_id) & (AlarmRow.cause == alarm.cause)
    )
    rows = await session.execute(
        visible_alarms(principal)
        .where(alike, AlarmRow.id != alarm.id)
        .order_by(AlarmRow.raised_at.desc(), AlarmRow.id.desc())
        .limit(limit)
    )
    return [to_alarm(row, rule) for row, rule in rows]


async def counts(session: AsyncSession, clock: Clock, principal: Principal, seen: Collection[Alarm]) -> dict[int, int]:
    """Return by alarm how often its rule has raised in the last 24 hours, or its cause has happened."""
    rule_ids = {alarm.rule_id for alarm in seen if alarm.rule_id is not None}
    raises = await raises_since(session, principal, rule_ids=rule_ids, since=clock.now() - COUNTED)
    return {alarm.id: raises.get(alarm.rule_id or 0, 0) or alarm.occurrences for alarm in seen}


async def load(session: AsyncSession, clock: Clock, principal: Principal) -> Load:
    """Return how much there is to look at now."""
    # any organisation: in_sight leaves only the principal's
    now, ours = clock.now(), in_sight(principal)
    standing = select(func.count(), func.sum(case((AlarmRow.raised_at < now - STANDING, 1), else_=0))).where(
        ours, STANDS
    )
    active, long_active = (await session.execute(standing)).one()
    recent = select(func.count()).where(ours, AlarmRow.raised_at >= now - FLOOD, AlarmRow.announced_at.is_not(None))
    # The newest end by its index; a maximum would read every alarm there ever was.
    cleared = select(AlarmRow.returned_at).where(ours, CLEARED).order_by(AlarmRow.returned_at.desc()).limit(1)
    return Load(
        active=active,
        unacknowledged=await session.scalar(select(func.count()).where(ours, ASKS)) or 0,
        standing=long_active or 0,
        recent=await session.scalar(recent) or 0,
        last_cleared_at=await session.scalar(cleared),
    )


async def count_asking(session: AsyncSession, principal: Principal) -> int:
    """Return how many alarms ask for an acknowledgement."""
    # any organisation: in_sight leaves only the principal's
    return await session.scalar(select(func.count()).where(in_sight(principal), ASKS)) or 0


def to_alarm(row: AlarmRow, rule: RuleRow | None) -> Alarm:
    """Return the alarm that its rows hold."""
    return Alarm(
        id=row.id,
        priority=Priority(row.priority),
        cause=row.cause,
        kind=rule.kind if rule else None,
        side=row.side,
        name=Words(zh=rule.name_zh, en=rule.name_en) if rule else None,
        consequence=Words(zh=rule.consequence_zh, en=rule.consequence_en) if rule else None,
        first_action=Words(zh=rule.first_action_zh, en=rule.first_action_en) if rule else None,
        rule_id=row.rule_id,
        point_id=row.point_id,
        box_id=row.box_id,
        community_id=row.community_id,
        place_id=row.place_id,
        place=row.place,
        label=row.label,
        unit=row.unit,
        raised_at=row.raised_at,
        raised_value=row.raised_value,
        limit=row.limit,
        returned_at=row.returned_at,
        returned_value=row.returned_value,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
        announced_at=row.announced_at,
        withdrawn_at=row.withdrawn_at,
        occurrences=row.occurrences,
    )


def _listing(principal: Principal, *, only_current: bool) -> Listing:
    # any organisation: visible_alarms leaves only the principal's
    seen = visible_alarms(principal)
    return Listing(
        select=seen.where(or_(STANDS, ASKS)) if only_current else seen,
        columns={
            "priority": _ALARMS.priority,
            "what": func.coalesce(_RULES.name_zh, _ALARMS.cause),
            "place": _ALARMS.place,
            "since": _ALARMS.raised_at,
            "returned": _ALARMS.returned_at,
            "active": case((STANDS, 1), else_=0),
            "acknowledged": case(
                (AlarmRow.acknowledged_at.is_not(None), Notice.TAKEN), (ASKS, Notice.ASKED), else_=Notice.NEVER_ASKED
            ),
        },
        key=_ALARMS.id,
        order=(_ALARMS.priority, _ALARMS.raised_at.desc()) if only_current else (_ALARMS.raised_at.desc(),),
        search=containing(_RULES.name_zh, _RULES.name_en, _ALARMS.place, _ALARMS.label),
    )


async def _locked(session: AsyncSession, principal: Principal, *, alarm_ids: Collection[int]) -> Sequence[AlarmRow]:
    found = await locked_alarms(session, principal, alarm_ids=alarm_ids)
    if len(found) != len(set(alarm_ids)):
        raise NotFound(_("There is no such alarm."))
    return found


def _stage(alarm: AlarmRow) -> Stage:
    return stage_of(active=alarm.returned_at is None, acknowledged=alarm.acknowledged_at is not None)


def _check_text(text: str, field: str) -> None:
    if len(text) > _TEXT_LENGTH:
        raise Refused(_("Too long: at most %(length)d characters."), field, length=_TEXT_LENGTH)

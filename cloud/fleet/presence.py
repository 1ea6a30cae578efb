"""The rows behind the channel: which session of a box counts, what it last said, and what it has to be told."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, bindparam, case, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.clock import Clock, to_us
from cloud.core.database import hold
from cloud.core.errors import NotSignedIn
from cloud.core.outbox import emit
from cloud.fleet.domain import BoxCloned, BoxIdentity, BoxState
from cloud.fleet.receipts import held_ranges
from cloud.fleet.tables import BoxRow, PointRow, PresenceRow, StoreRow
from protocols.ranges import Range
from protocols.wire import Configured, Hello, Ping

CLONE_SAID_EVERY = timedelta(hours=1)
"""Two machines with one key push each other out without end; that is one piece of news."""

_STORES_TOLD = 16
"""Stores whose ranges a box is told: its own, and those before it that it may still read from."""

_SOFTWARE_LENGTH = 80

_PRESENCES = cast("Table", PresenceRow.__table__)
_STORES = cast("Table", StoreRow.__table__)
_SEEN = (
    update(_PRESENCES)
    .where(_PRESENCES.c.box_id == bindparam("of"))
    .values({name: bindparam(f"to_{name}") for name in ("seen_at", "pending", "buffer_hours_left")})
)
_HEAD_TOLD = (
    update(_STORES)
    .where(_STORES.c.box_id == bindparam("of"), _STORES.c.store == bindparam("named"))
    .values(
        head=case((_STORES.c.head < bindparam("told"), bindparam("told")), else_=_STORES.c.head),
        head_us=bindparam("at"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A heartbeat that is not written down yet, and the session that it came on."""

    box: BoxIdentity
    session: str
    boot: str
    store: str
    ping: Ping


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What a box that said hello is told."""

    held: dict[str, list[Range]]
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """How a box stands now: the key that it is let in with, and the revision of what it should do."""

    box_id: int
    key: str | None
    revision: int


async def open_session(session: AsyncSession, clock: Clock, box: BoxIdentity, *, number: str, hello: Hello) -> Opened:
    """Make session `number` the one that counts for its box.

    Raises:
        NotSignedIn: the box is no longer let in with its key.
    """
    ours = BoxRow.organisation_id == box.organisation_id
    row = await session.scalar(select(BoxRow).where(ours, BoxRow.id == box.box_id))
    if row is None or row.public_key != box.key:
        raise NotSignedIn("This box is no longer let in with its key: claim it again.")
    row.software = hello.software[:_SOFTWARE_LENGTH]
    row.configured_revision = hello.configuration
    if hello.configuration > row.configuration_revision:  # a cloud that was restored, or a box that was another's
        row.configuration_revision = hello.configuration + 1
    await hold(session, f"presence {box.box_id}")
    present = await session.get(PresenceRow, box.box_id, with_for_update=True)
    if present is None:
        present = PresenceRow(box_id=box.box_id, organisation_id=box.organisation_id)
        session.add(present)
    present.session, present.boot = number, hello.boot
    present.opened_at = present.seen_at = clock.now()
    present.closed_at = present.pending = present.buffer_hours_left = None
    await _tell_heads(session, [(box.box_id, hello.store, hello.head)], now_us=to_us(clock.now()))
    return Opened(held=await _held_of(session, box, hello.store), revision=row.configuration_revision)


async def close_session(session: AsyncSession, clock: Clock, *, box_id: int, number: str) -> None:
    """Write down that a session has ended, if it is still the one that counts."""
    # any organisation: a session's number is its own
    ended = update(PresenceRow).where(PresenceRow.box_id == box_id, PresenceRow.session == number)
    await session.execute(ended.values(closed_at=clock.now()))


async def note_heartbeats(session: AsyncSession, clock: Clock, heard: Sequence[Heard]) -> list[Heard]:
    """Write down heartbeats; return those that came on a session which no longer counts.

    Such a session is alive beside the one that counts. Where the two are different boots, a card was copied.
    """
    # any organisation: every box has proved who it is
    chosen = select(PresenceRow).where(PresenceRow.box_id.in_({one.box.box_id for one in heard}))
    rows = {row.box_id: row for row in await session.scalars(chosen.order_by(PresenceRow.box_id).with_for_update())}
    counting = [one for one in heard if rows[one.box.box_id].session == one.session]
    pushed_out = [one for one in heard if rows[one.box.box_id].session != one.session]
    now = clock.now()
    if counting:
        await session.execute(
            _SEEN,
            [
                {
                    "of": one.box.box_id,
                    "to_seen_at": now,
                    "to_pending": one.ping.pending,
                    "to_buffer_hours_left": one.ping.buffer_hours_left,
                }
                for one in counting
            ],
        )
        await _tell_heads(session, [(one.box.box_id, one.store, one.ping.head) for one in counting], now_us=to_us(now))
    for one in pushed_out:
        row = rows[one.box.box_id]
        said_lately = row.cloned_at is not None and now - row.cloned_at < CLONE_SAID_EVERY
        if row.boot != one.boot and not said_lately:
            row.cloned_at = now
            boots = [one.boot, row.boot]
            organisation_id = one.box.organisation_id
            await emit(session, clock, BoxCloned(organisation_id=organisation_id, box_id=one.box.box_id, boots=boots))
    return pushed_out


async def quiet_boxes(session: AsyncSession, *, since: datetime) -> dict[int, int]:
    """Return the organisations of the boxes, by box, that are let in and have said nothing since an instant."""
    # any organisation: a job looks after all of them
    sent = select(StoreRow.id).where(StoreRow.box_id == BoxRow.id, StoreRow.last_batch_us >= to_us(since))
    rows = await session.execute(
        select(BoxRow.id, BoxRow.organisation_id)
        .outerjoin(PresenceRow, PresenceRow.box_id == BoxRow.id)
        .where(BoxRow.state == BoxState.ACTIVE, BoxRow.claimed_at < since)
        .where(or_(PresenceRow.seen_at.is_(None), PresenceRow.seen_at < since))
        .where(~sent.exists())
    )
    return {row.id: row.organisation_id for row in rows}


async def orders_since(session: AsyncSession, since: datetime) -> list[Orders]:
    """Return how the boxes stand that were changed since an instant."""
    # any organisation: the channel serves all of them
    columns = (BoxRow.id, BoxRow.public_key, BoxRow.configuration_revision)
    rows = await session.execute(select(*columns).where(BoxRow.changed_at >= since))
    return [Orders(box_id=box_id, key=key, revision=revision) for box_id, key, revision in rows]


async def watched_points(session: AsyncSession, box_ids: Collection[int]) -> Mapping[int, list[str]]:
    """Return the keys of the points that rules look at, by box; one without any has an empty list."""
    # any organisation: the channel serves all of them
    watched: dict[int, list[str]] = {box_id: [] for box_id in box_ids}
    chosen = select(PointRow.box_id, PointRow.key).where(PointRow.box_id.in_(box_ids), PointRow.watched)
    for box_id, key in await session.execute(chosen.where(PointRow.gone_at.is_(None)).order_by(PointRow.key)):
        watched[box_id].append(key)
    return watched


async def note_configured(session: AsyncSession, box: BoxIdentity, *, configured: Configured) -> None:
    """Write down what became of a configuration."""
    became: dict[str, str | int | None] = {"configuration_error": configured.error}
    if configured.error is None:
        became["configured_revision"] = configured.revision
    await session.execute(
        update(BoxRow).where(BoxRow.organisation_id == box.organisation_id, BoxRow.id == box.box_id).values(became)
    )


async def _held_of(session: AsyncSession, box: BoxIdentity, current: str) -> dict[str, list[Range]]:
    rows = await session.execute(
        select(StoreRow.id, StoreRow.store)
        .where(StoreRow.organisation_id == box.organisation_id, StoreRow.box_id == box.box_id)
        .order_by((StoreRow.store == current).desc(), StoreRow.last_batch_us.desc())
        .limit(_STORES_TOLD)
    )
    names = {row.id: row.store for row in rows}
    held = await held_ranges(session, names)
    return {store: [part.numbers for part in held[store_id]] for store_id, store in names.items()}


async def _tell_heads(session: AsyncSession, heads: Sequence[tuple[int, str, int]], *, now_us: int) -> None:
    await session.execute(
        _HEAD_TOLD, [{"of": box_id, "named": store, "told": head, "at": now_us} for box_id, store, head in heads]
    )

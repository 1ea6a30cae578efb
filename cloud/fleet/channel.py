"""The boxes' standing connections: who is there, what it should do from now on, and whether it is there twice.

Presence lives in rows, so that every worker knows it. The newest session of a box is the one that counts. An older
one is left alone until it speaks: a line that went dead never does, and a copied card does with its next heartbeat.
"""

import asyncio
import logging
import math
import secrets
from collections.abc import Callable, Sequence
from datetime import timedelta
from enum import IntEnum
from typing import Protocol

import msgspec
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.clock import Clock, to_us
from cloud.core.database import Database
from cloud.core.errors import GatehouseError
from cloud.fleet import presence
from cloud.fleet.domain import HEARTBEAT_S, MISSED_HEARTBEATS, BoxIdentity
from cloud.fleet.presence import Heard
from cloud.fleet.versions import VersionRefused, check_version
from protocols.wire import WIRE_VERSION, Configuration, Configured, FromBox, FromCloud, Hello, Ping, Pong, Welcome

_HELLO_S = 20.0
_SEND_S = 10.0
_TICK_S = 1.0
_CLOCKS_APART = timedelta(seconds=30)
"""Workers' clocks differ; a change is looked for this long after its time, and told once a session all the same."""

_decoder: msgspec.json.Decoder[FromBox] = msgspec.json.Decoder(FromBox)
_log = logging.getLogger(__name__)


class Ending(IntEnum):
    """Why the cloud closes a channel, as WebSocket close codes of our own."""

    GOING_AWAY = 1001  # this process stops: come again
    NO_MESSAGE = 4400  # what came is no message, or none of a version that the cloud speaks
    NOT_SIGNED_IN = 4401  # the box was shown out, or has another key by now
    SILENT = 4408  # no heartbeat came for three times its period
    PUSHED_OUT = 4409  # a newer session of the same box counts


class LineClosed(Exception):
    """The other side is gone."""


class Line(Protocol):
    """A WebSocket, as the channel needs it."""

    async def receive(self) -> str | bytes:
        """Return the next message; raises LineClosed when there will be none."""

    async def send(self, text: str) -> None:
        """Send a message; raises LineClosed when nobody takes it."""

    async def close(self, code: int, reason: str) -> None:
        """End the connection; safe to call when it has ended."""


class _Ended(Exception):
    """The cloud ends the channel."""

    def __init__(self, ending: Ending, reason: str) -> None:
        super().__init__(reason)
        self.ending = ending
        self.reason = reason


class _Session:
    """One connection of a box that has said hello."""

    def __init__(self, box: BoxIdentity, line: Line, hello: Hello) -> None:
        self.number = secrets.token_hex(16)
        self.box = box
        self.hello = hello
        self.told_revision = hello.configuration
        self.unsaved: Ping | None = None
        self._line = line

    async def send(self, message: FromCloud) -> None:
        try:
            async with asyncio.timeout(_SEND_S):
                await self._line.send(msgspec.json.encode(message).decode())
        except TimeoutError as error:
            raise LineClosed("the box takes nothing any more") from error

    async def configure(self, revision: int, watched: list[str]) -> None:
        """Tell what to do from now on; a box that has left is told when it comes again."""
        self.told_revision = revision
        try:
            await self.send(Configuration(revision=revision, watched=watched))
        except LineClosed:
            _log.debug("box %s left before it was configured", self.box.box_id)

    async def end(self, ending: Ending, reason: str) -> None:
        await self._line.close(ending, reason)

    def heard(self) -> Heard | None:
        """Return the heartbeat that is to be written down, once."""
        ping, self.unsaved = self.unsaved, None
        if ping is None:
            return None
        return Heard(box=self.box, session=self.number, boot=self.hello.boot, store=self.hello.store, ping=ping)


class Channels:
    """The channels that end in this process; one for a process. `run` must run beside them."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        heartbeat_s: float = HEARTBEAT_S,
        note_change: Callable[[AsyncSession, int], None] = lambda _session, _organisation_id: None,
    ) -> None:
        """Serve channels.

        Args:
            database: where presence is kept.
            clock: the cloud's.
            heartbeat_s: how often a box shall speak.
            note_change: called in the transaction that makes a box of an organisation come or go, and, at most once
                in a heartbeat's period, in one that writes its boxes' heartbeats down.
        """
        self._database = database
        self._clock = clock
        self._heartbeat_s = heartbeat_s
        self._note_change = note_change
        self._sessions: dict[str, _Session] = {}
        self._looked_at = clock.now()
        self._noted_s: dict[int, float] = {}

    async def serve(self, box: BoxIdentity, line: Line) -> None:
        """Speak with a box that has proved who it is until one of the two ends it."""
        try:
            await self._serve(box, line)
        except LineClosed:
            pass
        except _Ended as ended:
            await line.close(ended.ending, ended.reason)
        except asyncio.CancelledError:
            await line.close(Ending.GOING_AWAY, "this process stops")
            raise

    async def run(self) -> None:
        """Write heartbeats down and tell boxes what has changed, until cancelled."""
        while True:
            await asyncio.sleep(_TICK_S)
            try:
                await self.tick()
            except SQLAlchemyError:
                _log.exception("the channels could not reach the database; the next look is in %s s", _TICK_S)

    async def tick(self) -> None:
        """Do once what `run` does every second."""
        await self._save_heartbeats()
        await self._tell_changes()

    async def _serve(self, box: BoxIdentity, line: Line) -> None:
        hello = await self._next(line, within_s=_HELLO_S)
        if not isinstance(hello, Hello):
            raise _Ended(Ending.NO_MESSAGE, "say hello first")
        try:
            check_version(hello.v)
        except VersionRefused as error:
            raise _Ended(Ending.NO_MESSAGE, str(error)) from error
        session = _Session(box, line, hello)
        try:
            async with self._database.transaction() as transaction:
                opened = await presence.open_session(transaction, self._clock, box, number=session.number, hello=hello)
                self._note_change(transaction, box.organisation_id)
        except GatehouseError as error:
            raise _Ended(Ending.NOT_SIGNED_IN, str(error)) from error
        self._sessions[session.number] = session
        _log.info("box %s is here, boot %s", box.box_id, hello.boot)
        try:
            now_us = to_us(self._clock.now())
            await session.send(Welcome(v=WIRE_VERSION, time_us=now_us, heartbeat_s=self._heartbeat_s, held=opened.held))
            await self._configure([(session, opened.revision)])
            await self._listen(session, line)
        finally:
            del self._sessions[session.number]
            async with self._database.transaction() as transaction:
                await presence.close_session(transaction, self._clock, box_id=box.box_id, number=session.number)
                self._note_change(transaction, box.organisation_id)
            _log.info("box %s is gone, boot %s", box.box_id, hello.boot)

    async def _listen(self, session: _Session, line: Line) -> None:
        while True:
            message = await self._next(line, within_s=MISSED_HEARTBEATS * self._heartbeat_s)
            match message:
                case Ping():
                    session.unsaved = message
                    await session.send(Pong(id=message.id, time_us=to_us(self._clock.now())))
                case Configured():
                    if message.error is not None:
                        _log.warning("box %s refused configuration %s", session.box.box_id, message.revision)
                    async with self._database.transaction() as transaction:
                        await presence.note_configured(transaction, session.box, configured=message)
                case Hello():
                    raise _Ended(Ending.NO_MESSAGE, "one hello is enough")

    async def _next(self, line: Line, *, within_s: float) -> FromBox:
        try:
            async with asyncio.timeout(within_s):
                return _decoder.decode(await line.receive())
        except TimeoutError as error:
            raise _Ended(Ending.SILENT, f"nothing came for {within_s:.0f} s") from error
        except msgspec.MsgspecError as error:
            raise _Ended(Ending.NO_MESSAGE, str(error)) from error

    async def _save_heartbeats(self) -> None:
        heard = [one for session in self._sessions.values() if (one := session.heard())]
        if not heard:
            return
        async with self._database.transaction() as transaction:
            pushed_out = await presence.note_heartbeats(transaction, self._clock, heard)
            self._note_heartbeats(transaction, {one.box.organisation_id for one in heard})
        for one in pushed_out:
            _log.warning("box %s is here twice, boot %s is the older", one.box.box_id, one.boot)
            if session := self._sessions.get(one.session):
                await session.end(Ending.PUSHED_OUT, "a newer session of this box counts")

    def _note_heartbeats(self, transaction: AsyncSession, organisation_ids: set[int]) -> None:
        """Say that boxes moved on; of many boxes one speaks every second, which is no reason to draw pages so often."""
        now_s = asyncio.get_running_loop().time()
        for organisation_id in organisation_ids:
            if now_s - self._noted_s.get(organisation_id, -math.inf) >= self._heartbeat_s:
                self._noted_s[organisation_id] = now_s
                self._note_change(transaction, organisation_id)

    async def _tell_changes(self) -> None:
        if not self._sessions:
            return
        now = self._clock.now()
        async with self._database.reading() as reading:
            changed = await presence.orders_since(reading, self._looked_at - _CLOCKS_APART)
        self._looked_at = now
        orders = {one.box_id: one for one in changed}
        concerned = [session for session in self._sessions.values() if session.box.box_id in orders]
        for session in concerned:
            if orders[session.box.box_id].key != session.box.key:
                await session.end(Ending.NOT_SIGNED_IN, "this box was shown out, or has another key by now")
        await self._configure([(session, orders[session.box.box_id].revision) for session in concerned])

    async def _configure(self, wanted: Sequence[tuple[_Session, int]]) -> None:
        """Tell sessions what to do from now on, where they have not been told this revision."""
        untold = [(session, revision) for session, revision in wanted if session.told_revision != revision]
        if not untold:
            return
        async with self._database.reading() as reading:
            watched = await presence.watched_points(reading, {session.box.box_id for session, _ in untold})
        await asyncio.gather(
            *(session.configure(revision, watched[session.box.box_id]) for session, revision in untold)
        )

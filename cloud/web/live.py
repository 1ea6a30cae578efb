"""News for open pages: a version for each topic, and the one stream per browser that says which one moved.

The stream carries no content, only `topic version`; the page then asks for its fragment again, with its rights and
its ETag. A missed event costs nothing: the next one, or the greeting after a reconnect, brings the same version.
"""

import asyncio
import secrets
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.database import tell

HEARTBEAT_S = 15.0
"""A page calls itself not live after 20 s of silence, so one lost heartbeat does not alarm anybody."""

CHANNEL = "gatehouse_news"
"""On which other processes are told which topic moved."""

_Subject = tuple[int, str]


class Hub:
    """The versions of all topics in this process, and who waits for them."""

    def __init__(self) -> None:
        # Every process counts for itself: a page drawn by one and told by another must not take equal numbers for
        # the same news, so a version is told with the name of who counted.
        self._name = secrets.token_hex(3)
        self._versions: defaultdict[_Subject, int] = defaultdict(int)
        self._waiting: defaultdict[int, set[asyncio.Event]] = defaultdict(set)
        self._has_ended = False

    def hear(self, text: str) -> None:
        """Take over what another process told on CHANNEL; an empty text says that something may have been missed."""
        if not text:
            for organisation_id, topic in list(self._versions):
                self.bump(organisation_id, topic)
            return
        organisation, _, topic = text.partition(" ")
        self.bump(int(organisation), topic)

    def end(self) -> None:
        """End all streams: the program stops, and would wait for them."""
        self._has_ended = True
        for waiting in self._waiting.values():
            for news in waiting:
                news.set()

    def bump(self, organisation_id: int, topic: str) -> None:
        """Say that something behind `topic` changed, after the change is committed."""
        self._versions[organisation_id, topic] += 1
        for waiting in self._waiting[organisation_id]:
            waiting.set()

    def versions(self, organisation_id: int) -> dict[str, int]:
        """Return the version of each topic that has ever moved."""
        return {topic: version for (owner, topic), version in self._versions.items() if owner == organisation_id}

    def told(self, organisation_id: int) -> dict[str, str]:
        """Return each topic's version as pages and streams name it: equal only when nothing was missed."""
        return {topic: f"{self._name}.{version}" for topic, version in self.versions(organisation_id).items()}

    @contextmanager
    def _awaiting(self, organisation_id: int) -> Iterator[asyncio.Event]:
        news = asyncio.Event()
        self._waiting[organisation_id].add(news)
        try:
            yield news
        finally:
            self._waiting[organisation_id].discard(news)

    async def stream(self, organisation_id: int, *, heartbeat_s: float = HEARTBEAT_S) -> AsyncGenerator[str]:
        """Yield server-sent events: every topic's version at first, then those that moved, and heartbeats between."""
        known: dict[str, str] = {}
        with self._awaiting(organisation_id) as news:
            while not self._has_ended:
                news.clear()
                moved = {t: v for t, v in self.told(organisation_id).items() if known.get(t) != v}
                known |= moved
                yield _events(moved) or ": alive\n\nevent: beat\ndata:\n\n"
                with suppress(TimeoutError):
                    async with asyncio.timeout(heartbeat_s):
                        await news.wait()


def changed(session: AsyncSession, hub: Hub, *, organisation_id: int, topics: Iterable[str]) -> None:
    """Bump `topics` in every process when, and only if, the session's transaction is committed."""
    topics = tuple(topics)
    for topic in topics:
        tell(session, CHANNEL, f"{organisation_id} {topic}")

    def bump(_session: object) -> None:
        for topic in topics:
            hub.bump(organisation_id, topic)

    event.listen(session.sync_session, "after_commit", bump, once=True)


def _events(moved: dict[str, str]) -> str:
    return "".join(f"event: news\ndata: {topic} {version}\n\n" for topic, version in moved.items())

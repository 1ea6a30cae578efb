"""What the cloud has told the box to do, kept over restarts."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

import msgspec

from edge.sync.durable import replace_file
from protocols import wire

log = logging.getLogger(__name__)

CONFIGURATION_FILE = "configuration.json"


class _Kept(msgspec.Struct, frozen=True):
    revision: int = 0
    watched: list[str] = []


class Configuration:
    """The revision in force and its parts, handed to whom they concern."""

    def __init__(self, file: Path, kept: _Kept, *, watch: Callable[[frozenset[str]], None]) -> None:
        """Hold what `Configuration.load` has read."""
        self._file = file
        self._kept = kept
        self._watch = watch
        watch(frozenset(kept.watched))

    @classmethod
    def load(cls, folder: Path, *, watch: Callable[[frozenset[str]], None]) -> Self:
        """Return the configuration kept in the folder, in force at once; revision 0 where there is none.

        Args:
            folder: Where the box keeps its files.
            watch: Takes the keys of the points whose readings are uploaded at once.
        """
        file = folder / CONFIGURATION_FILE
        try:
            kept = msgspec.json.decode(file.read_bytes(), type=_Kept)
        except FileNotFoundError:
            kept = _Kept()
        except (OSError, msgspec.MsgspecError) as error:
            log.warning("%s can't be used (%s): the cloud will send the configuration again", file, error)
            kept = _Kept()
        return cls(file, kept, watch=watch)

    @property
    def revision(self) -> int:
        """The revision in force; 0 before the first."""
        return self._kept.revision

    async def take(self, configuration: wire.Configuration) -> wire.Configured:
        """Put a configuration in force and keep it, or say why not."""
        revision = configuration.revision
        if revision < self._kept.revision:
            return wire.Configured(
                revision=revision,
                error=f"revision {revision} is older than {self._kept.revision}, which is in force; send a newer one",
            )
        try:
            await self._keep(_Kept(revision, configuration.watched))
        except OSError as error:
            return wire.Configured(revision=revision, error=f"could not be kept: {error}; make room on the box's disk")
        return wire.Configured(revision=revision)

    async def watch_points(self, keys: Sequence[str]) -> None:
        """Take the watched points of an inventory's answer; the revision stays."""
        if set(keys) == set(self._kept.watched):
            return
        try:
            await self._keep(_Kept(self._kept.revision, list(keys)))
        except OSError as error:
            log.warning("the watched points could not be kept (%s); they are in force until a restart", error)
            self._watch(frozenset(keys))

    async def _keep(self, kept: _Kept) -> None:
        await asyncio.to_thread(replace_file, self._file, msgspec.json.encode(kept))
        self._kept = kept
        self._watch(frozenset(kept.watched))

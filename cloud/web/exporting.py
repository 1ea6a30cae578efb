"""The job that writes long lists: one at a time, as their page would show them to whoever asked, with their rights."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from starlette.types import ASGIApp

from cloud.accounts.askers import Asker
from cloud.core import exports
from cloud.core.clock import Clock
from cloud.core.database import Database
from cloud.core.exports import ExportRow, ExportState
from cloud.core.files import FileStore
from cloud.core.principal import Role
from cloud.web import export
from cloud.web.catalogues import Locale
from cloud.web.live import Hub, changed
from cloud.web.replay import TAKEN, Listed, replay
from firmware_configs.look.words import _

EXPORTS = "exports"
"""The topic of pages that show how far exports are."""

_LONGEST_S = 500.0  # below the time that a job gets, so that it ends with a reason
_NOTED_EVERY = 5  # stretches


async def build_due(
    database: Database, clock: Clock, *, files: FileStore, hub: Hub, site: Callable[[], ASGIApp]
) -> None:
    """Write the files that are asked for, the oldest first; a job."""
    while True:
        async with database.transaction() as session:
            row = await exports.claim(session, clock)
            if row is not None:
                changed(session, hub, organisation_id=row.organisation_id, topics=(EXPORTS,))
        if row is None:
            return
        if row.state is ExportState.RUNNING:
            await _Build(database, clock, hub, row).run(site(), files)


class _Build:
    """One file being written."""

    def __init__(self, database: Database, clock: Clock, hub: Hub, row: ExportRow) -> None:
        self._database = database
        self._clock = clock
        self._hub = hub
        self._row = row
        self._rows = 0
        self._name = ""
        self._file = Path()

    async def run(self, site: ASGIApp, files: FileStore) -> None:
        """Write the file and keep it, or note why there is none."""
        row = self._row
        roles = frozenset(Role(role) for role in row.roles)
        asker = Asker(organisation_id=row.organisation_id, person_id=row.person_id, roles=roles)
        with TemporaryDirectory(prefix="gatehouse-export-") as folder:
            self._file = Path(folder) / f"list.{row.format}"
            try:
                async with asyncio.timeout(_LONGEST_S):
                    locale = Locale(row.locale)
                    status = await replay(
                        site, path=row.path, query=row.query, asker=asker, locale=locale, take=self._take
                    )
            except TimeoutError:
                await self._give_up(ExportState.FAILED, _("It took too long: narrow the list with a filter."))
                return
            if self._name:
                await self._keep(files)
            elif 400 <= status < 500:
                await self._give_up(ExportState.REFUSED, _("You may not see this list any more."))
            elif status != TAKEN:
                await self._give_up(ExportState.FAILED, _("Something broke on our side: try again."))

    async def _take(self, listed: Listed) -> None:
        number = 0
        async with export.opened(listed, self._row.format, self._file) as sheet:
            async for found in export.stretches(listed.asked.ask, listed.load):
                lines = export.lines(listed.asked.columns, found.rows, listed.reader)
                await asyncio.to_thread(sheet.add, lines)
                self._rows += len(lines)
                if number % _NOTED_EVERY == 0 and not await self._goes_on(found.total):
                    return
                number += 1
        self._name = export.file_name(listed, self._row.format)

    async def _goes_on(self, total: int) -> bool:
        async with self._database.transaction() as session:
            changed(session, self._hub, organisation_id=self._row.organisation_id, topics=(EXPORTS,))
            return await exports.note(session, self._row, rows=self._rows, total=total)

    async def _keep(self, files: FileStore) -> None:
        saved = await files.save_file(self._file)
        async with self._database.transaction() as session:
            changed(session, self._hub, organisation_id=self._row.organisation_id, topics=(EXPORTS,))
            await exports.finish(session, self._clock, self._row, saved, name=self._name, rows=self._rows)

    async def _give_up(self, state: ExportState, reason: str) -> None:
        async with self._database.transaction() as session:
            changed(session, self._hub, organisation_id=self._row.organisation_id, topics=(EXPORTS,))
            await exports.give_up(session, self._clock, self._row, state, reason=reason)

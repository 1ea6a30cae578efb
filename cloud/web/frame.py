"""What all pages of one running cloud share; made once by `install` and found on the application."""

from dataclasses import dataclass
from typing import Protocol
from zoneinfo import ZoneInfo

from jinja2 import Environment
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import HTTPConnection

from cloud.core.clock import Clock
from cloud.core.database import Database
from cloud.core.principal import Principal
from cloud.web.live import Hub
from cloud.web.screen import Entry


class MaySee(Protocol):
    """How a slice says whether a file of its own is the principal's to see; False for files that are not its own."""

    async def __call__(self, session: AsyncSession, principal: Principal, *, file_id: int) -> bool:
        """Return whether the principal may see the file."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The collaborators of every page.

    Attributes:
        zone: the local time of pages that belong to no community.
        may_see: who is asked whether a stored file is somebody's to see.
    """

    database: Database
    clock: Clock
    hub: Hub
    environment: Environment
    entries: tuple[Entry, ...]
    zone: ZoneInfo
    may_see: tuple[MaySee, ...] = ()


def frame_of(connection: HTTPConnection) -> Frame:
    """Return the frame of the application that took the request."""
    frame: Frame = connection.app.state.frame
    return frame

"""What all pages of one running cloud share; made once by `install` and found on the application."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from jinja2 import Environment
from starlette.requests import HTTPConnection

from cloud.core.clock import Clock
from cloud.core.database import Database
from cloud.web.live import Hub
from cloud.web.screen import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The collaborators of every page.

    Attributes:
        zone: the local time of pages that belong to no community.
    """

    database: Database
    clock: Clock
    hub: Hub
    environment: Environment
    entries: tuple[Entry, ...]
    zone: ZoneInfo


def frame_of(connection: HTTPConnection) -> Frame:
    """Return the frame of the application that took the request."""
    frame: Frame = connection.app.state.frame
    return frame

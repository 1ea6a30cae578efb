"""The box's way to its cloud, built from the settings."""

import platform
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

import aiohttp

from edge.app.trust import trust
from edge.settings.sections import CloudSettings
from edge.sync.cloud import Cloud
from edge.sync.cloudtime import CloudTime
from edge.sync.identity import Identity

SOFTWARE = f"gatehouse-edge {version('gatehouse')}"

_MODEL = Path("/sys/firmware/devicetree/base/model")
"""A Pi says there which one it is."""


@asynccontextmanager
async def way_to_cloud(settings: CloudSettings, *, identity: Identity, time: CloudTime) -> AsyncIterator[Cloud]:
    """Yield the cloud of the settings, over a session of its own.

    Raises:
        SettingsRefused: the certificate authority can't be read.
    """
    # True is the library's own context: another one would hold the system's authorities a second time.
    trusted = trust(settings.ca_file, field="cloud.ca_file") if settings.ca_file else True
    connector = aiohttp.TCPConnector(ssl=trusted)
    async with aiohttp.ClientSession(connector=connector) as session:
        yield Cloud(session, url=settings.url, identity=identity, time=time)


def hardware() -> str:
    """Return what machine this is."""
    try:
        return _MODEL.read_text().rstrip("\0")
    except OSError:
        return f"{platform.system()} {platform.machine()}"

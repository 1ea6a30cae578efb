"""Joining the organisation that issued a claim code."""

from edge.app.cloud import SOFTWARE, hardware, way_to_cloud
from edge.app.identity import load_identity
from edge.clock import SystemClock
from edge.settings.sections import Settings
from edge.sync.cloudtime import CloudTime
from protocols.wire import Claimed


async def claim_box(settings: Settings, code: str) -> Claimed:
    """Claim the box with a one-time code, and keep who it is from now on.

    Raises:
        SettingsRefused: the settings can't work.
        CloudError: the cloud did not take the claim; the message says why.
    """
    identity = load_identity(settings.buffer.folder)
    async with way_to_cloud(settings.cloud, identity=identity, time=CloudTime(SystemClock())) as cloud:
        return await cloud.claim(code, hardware=hardware(), software=SOFTWARE)

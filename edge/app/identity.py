"""Who the box is to its cloud and its brokers, and what hangs on it."""

from collections.abc import Iterable
from pathlib import Path

from edge.app.devices import BoundDevice
from edge.errors import SettingsRefused
from edge.health.box import box_info
from edge.health.inventory import device_info
from edge.settings.sections import BOX_KEY
from edge.sync.identity import Identity
from protocols.wire import DeviceInfo


def load_identity(folder: Path) -> Identity:
    """Return who the box is; its folder is made where there is none.

    Raises:
        SettingsRefused: the folder can't be made, or what it holds can't be used.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsRefused(f"buffer.folder = {folder}: {error.strerror}; name one that can be written") from error
    return Identity.load(folder)


def inventory(identity: Identity, devices: Iterable[BoundDevice]) -> list[DeviceInfo]:
    """Return the box and all that hangs on it."""
    return [box_info(identity.name or BOX_KEY), *(device_info(each.settings, each.profile) for each in devices)]


def mqtt_client_id(identity: Identity) -> str:
    """Return the name of the box's sessions at brokers: its own, for ever, and short enough for every broker."""
    return f"gatehouse-{identity.public_key[:12]}"

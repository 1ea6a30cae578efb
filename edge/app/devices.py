"""From the settings' devices to devices with their profiles, or to a sentence that says why not."""

from dataclasses import dataclass
from pathlib import Path

from edge.drivers.driver import ONLINE
from edge.errors import SettingsRefused
from edge.settings.sections import DeviceSettings, Settings
from firmware_configs.profiles.loader import load_profile, load_profile_file
from protocols.errors import ProfileRefused
from protocols.profiles.schema import Profile


@dataclass(frozen=True, slots=True)
class BoundDevice:
    """A device of the settings and what its model can do."""

    settings: DeviceSettings
    profile: Profile

    @property
    def key(self) -> str:
        """The device's key on the box."""
        return self.settings.key


def bind_all(settings: Settings) -> list[BoundDevice]:
    """Return all devices with their profiles; devices of one model share one.

    Raises:
        SettingsRefused: a line for each device whose profile is not there, is wrong, or does not fit its transport.
    """
    profiles: dict[str, Profile] = {}
    bound: list[BoundDevice] = []
    refusals: list[str] = []
    for device in settings.devices:
        try:
            if device.profile not in profiles:
                profiles[device.profile] = _load(device.profile, settings.profiles_folder)
            bound.append(bind(device, profiles[device.profile]))
        except (ProfileRefused, SettingsRefused) as error:
            refusals.append(f'device "{device.key}": {error}')
    if refusals:
        raise SettingsRefused("\n".join(refusals))
    return bound


def bind(device: DeviceSettings, profile: Profile) -> BoundDevice:
    """Return the device with its profile.

    Raises:
        SettingsRefused: the profile is of another kind of transport, or has a point with a reserved name.
    """
    speaks, reached = ("modbus", "mqtt") if profile.modbus else ("mqtt", "modbus")
    if getattr(device, speaks) is None:
        raise SettingsRefused(
            f"profile {profile.key} is of a device on {speaks}: write its {speaks} table, not {reached}"
        )
    if ONLINE in {point.name for point in profile.points}:
        raise SettingsRefused(f'profile {profile.key}: the point "{ONLINE}" is the box\'s own; give it another name')
    return BoundDevice(device, profile)


def _load(key: str, folder: Path | None) -> Profile:
    own = folder / f"{key}.yaml" if folder else None
    return load_profile_file(own) if own and own.exists() else load_profile(key)

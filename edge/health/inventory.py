"""All that hangs on the box, as the cloud is told."""

from collections.abc import Iterable

from edge.drivers.driver import ONLINE
from edge.settings.sections import DeviceSettings
from protocols.profiles.schema import Point, Profile
from protocols.readings import PointKind, RowClass
from protocols.wire import DeviceInfo, PointInfo


def device_info(device: DeviceSettings, profile: Profile) -> DeviceInfo:
    """Return a device with its profile's points and the one that says whether it is there."""
    return DeviceInfo(
        key=device.key,
        profile=profile.key,
        name=device.name or device.key,
        points=[*_points(device.key, profile.points), _online(device.key)],
    )


def _points(device: str, points: Iterable[Point]) -> Iterable[PointInfo]:
    for point in points:
        yield PointInfo(
            key=f"{device}/{point.name}",
            unit=point.unit,
            row_class=point.row_class.value,
            kind=point.kind.value,
            resolution=None if point.resolution is None else str(point.resolution),
            period_s=point.period_s,
        )


def _online(device: str) -> PointInfo:
    return PointInfo(
        key=f"{device}/{ONLINE}", unit="1", row_class=RowClass.EVENT.value, kind=PointKind.STATE.value, period_s=0
    )

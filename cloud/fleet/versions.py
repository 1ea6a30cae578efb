"""Which versions of the wire this cloud speaks."""

from cloud.core.errors import Refused
from protocols.wire import MINIMUM_VERSION, WIRE_VERSION


class VersionRefused(Refused):
    """A message in a version that this cloud does not speak."""

    code = "version"


def check_version(version: int) -> None:
    """Let pass a version that this cloud speaks.

    Raises:
        VersionRefused: it is older or newer.
    """
    if not MINIMUM_VERSION <= version <= WIRE_VERSION:
        raise VersionRefused(
            "v is %(version)s: this cloud speaks versions %(minimum)s to %(maximum)s.",
            field="v",
            version=version,
            minimum=MINIMUM_VERSION,
            maximum=WIRE_VERSION,
        )

"""What can go wrong on the box, named by what the caller can do about it."""


class EdgeError(Exception):
    """Anything the box reports as its own; the message is a sentence for the log's reader."""


class DeviceError(EdgeError):
    """A device gave no value; whichever kind, no reading follows from it."""


class DeviceUnreachable(DeviceError):
    """The device did not answer, or its line is down: ask again later, with back-off."""


class DeviceRefused(DeviceError):
    """The device answered and said no, or said something that is no answer: asking the same again won't help."""


class CloudError(EdgeError):
    """The cloud did not take a message."""


class CloudUnreachable(CloudError):
    """No usable answer came: try again with back-off."""


class CloudBusy(CloudError):
    """The cloud asked to wait (429 or 503)."""

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class CloudRefused(CloudError):
    """The cloud understood and said no: sending the same again won't help."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class BufferFull(EdgeError):
    """The disk took no more; rows that must not be lost were not committed and count as not taken."""


class SettingsRefused(EdgeError):
    """The settings name something that can't work; the message names field, value and mend."""


class BufferUnusable(BufferFull):
    """The buffer's file can't be opened or read: its folder can't be written, or another process holds it."""

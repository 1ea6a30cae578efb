"""What a demo remembers between two runs in one folder: where its recordings stand, and when they happen."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from provisioning.errors import SiteError

_FILE = "demo.json"
_LOCK = "demo.lock"
_WRITE_EVERY_S = 1.0


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far the recordings are; both go on from here."""

    alarm_at: datetime
    """When the recording's 2014-04-12 23:00 happens in the world: it fixes the shift of both recordings for ever."""
    meter_kept: int = 0
    probe_kept: int = 0


class Memory:
    """The progress, in the demo's folder; written down once a second, and when the demo ends."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / _FILE
        self._written_at_s = 0.0
        self.progress = self._read()
        """None before the first start."""

    def begin(self, *, alarm_at: datetime, meter_kept: int = 0, probe_kept: int = 0) -> Progress:
        """Return the progress of before, or one that begins now."""
        progress = self.progress or Progress(alarm_at=alarm_at, meter_kept=meter_kept, probe_kept=probe_kept)
        self.progress = progress
        self.save()
        return progress

    def meter_kept(self, rows: int) -> None:
        """Remember how many of the meter's rows are confirmed."""
        self._go_on(meter_kept=rows)

    def probe_kept(self, rows: int) -> None:
        """Remember how many of the probe's rows are taken."""
        self._go_on(probe_kept=rows)

    def save(self) -> None:
        """Write the progress down; what a crash forgets is played again, and changes nothing."""
        if self.progress is not None:
            written = self._file.with_suffix(".new")
            written.write_bytes(msgspec.json.encode(self.progress))
            written.replace(self._file)  # whole or not at all, whenever the machine goes down
            self._written_at_s = time.monotonic()

    def _go_on(self, **kept: int) -> None:
        if self.progress is not None:
            self.progress = msgspec.structs.replace(self.progress, **kept)
        if time.monotonic() > self._written_at_s + _WRITE_EVERY_S:
            self.save()

    def _read(self) -> Progress | None:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=Progress)
        except FileNotFoundError:
            return None
        except msgspec.DecodeError as error:
            raise SiteError(f"{self._file} can't be read ({error}); delete the folder to begin anew") from error


@contextmanager
def folder_for_one(folder: Path) -> Iterator[Path]:
    """Yield the folder, made if it is not there, as an absolute path that no other demo works in meanwhile.

    Raises:
        SiteError: it can't be written, or another demo runs in it.
    """
    whole = folder.absolute()
    try:
        whole.mkdir(parents=True, exist_ok=True)
        lock = (whole / _LOCK).open("a+")
    except OSError as error:
        raise SiteError(f"{whole} can't be written ({error.strerror}); choose another folder with --folder") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            raise SiteError(
                f"another demo (process {lock.read().strip() or 'unknown'}) runs in {whole}; "
                "stop it with Ctrl-C, or choose another folder with --folder"
            ) from None
        lock.seek(0)
        lock.truncate()
        lock.write(str(os.getpid()))
        lock.flush()
        yield whole

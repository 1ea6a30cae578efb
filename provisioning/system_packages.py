"""Installs the Debian packages that the demo or the tests need; runs before anything else, on plain Python."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Package:
    """A Debian package, and the file or program that shows it is there."""

    name: str
    proof: str
    why: str

    @property
    def installed(self) -> bool:
        if self.proof.startswith("/"):
            return any(Path("/").glob(self.proof[1:]))
        return shutil.which(self.proof, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin") is not None


MOSQUITTO = Package("mosquitto", "mosquitto", "the practice building's MQTT broker")
TEST_PACKAGES = (
    MOSQUITTO,
    Package("postgresql", "/usr/lib/postgresql/*/bin/initdb", "the database the tests run on beside SQLite"),
    Package("chromium", "chromium", "the browser of the journeys"),
    Package("fonts-noto-cjk", "/usr/share/fonts/opentype/noto/NotoSansCJK-*", "Chinese text in the pictures"),
    Package("influxdb", "influxd", "the series store the tests run on beside SQL"),
    Package("faketime", "faketime", "clocks that jump"),
    Package("dovecot-imapd", "dovecot", "the mailbox that the front desk's mail is read from"),
)


def missing(packages: tuple[Package, ...]) -> list[Package]:
    """Return those of `packages` that are not on this machine."""
    return [package for package in packages if not package.installed]


def apt_prefix() -> list[str] | None:
    """Return what to put before apt-get to install without a question, or None where that may not be done."""
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    allowed = sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0
    return [str(sudo), "-n"] if allowed else None


def install(packages: list[Package], prefix: list[str]) -> bool:
    """Install `packages` through apt; return whether all of them are there afterwards."""
    names = [package.name for package in packages]
    print(f"installing {', '.join(names)} ...", flush=True)  # noqa: T201  a command line program speaks
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *names]):
        command = [*prefix, "apt-get", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            print(done.stderr.strip(), file=sys.stderr)  # noqa: T201
    return not missing(tuple(packages))


def main(arguments: list[str]) -> int:
    """Install what `demo` or `test` needs; return 1 where the tests lack something that can't be installed."""
    for_tests = arguments == ["test"]
    lacking = missing(TEST_PACKAGES if for_tests else (MOSQUITTO,))
    if not lacking:
        return 0
    prefix = apt_prefix()
    if prefix is not None and install(lacking, prefix):
        return 0
    names = " ".join(package.name for package in lacking)
    reasons = "; ".join(f"{package.name}: {package.why}" for package in lacking)
    print(f"missing and not installed: {reasons}. Install them with: sudo apt-get install {names}")  # noqa: T201
    return 1 if for_tests else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

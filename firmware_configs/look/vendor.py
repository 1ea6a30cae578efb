"""Third-party front-end files, fetched from their npm packages: the only thing in Gatehouse that needs Node.

`python -m firmware_configs.look.vendor` fetches the pinned packages by name, copies the files that pages need with
their licences, draws the icon sprite from `icons.txt` and purges Bootstrap. Its output is committed.
"""

import json
import re
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from firmware_configs.look import purge

_LOOK = Path(__file__).parent
_VENDORED = _LOOK / "vendored"
_FOR_TESTS = _LOOK.parent.parent / "tests" / "journeys" / "vendor"
_SOURCE_MAP = re.compile(r"^\s*(//# sourceMappingURL=.*|/\*# sourceMappingURL=.*\*/)\s*$", re.MULTILINE)
_DRAWING = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)
_EMPTY_PATH = re.compile(r'<path stroke="none"[^>]*/>')


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A pinned npm package and the files of it that are kept, by their name here."""

    name: str
    version: str
    files: dict[str, str]
    licence_file: str = "LICENSE"
    folder: Path = _VENDORED


PACKAGES = (
    Package(name="bootstrap", version="5.3.9", files={"bootstrap.css": "dist/css/bootstrap.css"}),
    Package(name="htmx.org", version="2.0.11", files={"htmx.js": "dist/htmx.min.js"}),
    Package(name="idiomorph", version="0.8.0", files={"idiomorph.js": "dist/idiomorph-ext.min.js"}),
    Package(
        name="uplot", version="1.6.32", files={"uplot.js": "dist/uPlot.iife.min.js", "uplot.css": "dist/uPlot.min.css"}
    ),
    Package(name="@tabler/icons", version="3.51.0", files={}),
    Package(name="axe-core", version="4.14.1", files={"axe.js": "axe.min.js"}, folder=_FOR_TESTS),
)


def main() -> None:
    """Fetch, copy, draw and purge."""
    with tempfile.TemporaryDirectory() as scratch:
        for package in PACKAGES:
            _copy(package, _fetch(package, Path(scratch)))
    (_LOOK / "built" / "bootstrap.css").write_text(purge.build(), "utf-8")


def _fetch(package: Package, scratch: Path) -> Path:
    """Return the folder of the unpacked package."""
    command = ["npm", "pack", "--silent", f"{package.name}@{package.version}"]
    packed = subprocess.run(command, check=True, capture_output=True, text=True, cwd=scratch)
    folder = scratch / package.name.replace("/", "-")
    with tarfile.open(scratch / packed.stdout.split()[-1]) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package"


def _copy(package: Package, source: Path) -> None:
    about = json.loads((source / "package.json").read_text("utf-8"))
    if about["version"] != package.version:
        raise ValueError(f"{package.name}: asked for {package.version}, got {about['version']}")
    short = package.name.split("/")[-1].removesuffix(".org")
    package.folder.mkdir(parents=True, exist_ok=True)
    (package.folder / f"{short}.LICENSE.txt").write_text(_text(source / package.licence_file), "utf-8")
    for name, path in package.files.items():
        (package.folder / name).write_text(_SOURCE_MAP.sub("", _text(source / path)).strip() + "\n", "utf-8")
    if package.name == "@tabler/icons":
        (_LOOK / "built" / "icons.svg").write_text(_sprite(source / "icons" / "outline"), "utf-8")
    note = {"package": package.name, "version": package.version, "licence": about["license"]}
    _note(package.folder / "manifest.json", short, {**note, "files": sorted(package.files)})


def _text(path: Path) -> str:
    return path.read_text("utf-8")


def _note(manifest: Path, short: str, entry: dict[str, object]) -> None:
    entries = json.loads(_text(manifest)) if manifest.exists() else {}
    entries[short] = entry
    manifest.write_text(json.dumps(entries, indent=2, sort_keys=True) + "\n", "utf-8")


def _sprite(icons: Path) -> str:
    names = sorted(set(_text(_LOOK / "icons.txt").split()))
    symbols = "".join(_symbol(name, _text(icons / f"{name}.svg")) for name in names)
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n{symbols}</svg>\n'


def _symbol(name: str, drawing: str) -> str:
    found = _DRAWING.search(_EMPTY_PATH.sub("", drawing))
    if not found:
        raise ValueError(f"icon {name}: its file holds no drawing")
    return f'<symbol id="{name}" viewBox="0 0 24 24">{" ".join(found[1].split())}</symbol>\n'


if __name__ == "__main__":
    main()

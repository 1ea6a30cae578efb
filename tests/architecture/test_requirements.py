import re
import tomllib
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

_LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


@pytest.mark.parametrize("lock", _LOCKS, ids=lambda lock: lock.name)
def test_a_lock_names_no_index(lock: Path) -> None:
    assert re.findall(r"https?://\S+|--(?:extra-)?index-url.*|--find-links.*", lock.read_text()) == []


@pytest.mark.parametrize("lock", _LOCKS, ids=lambda lock: lock.name)
def test_every_locked_package_has_hashes(lock: Path) -> None:
    entries = re.split(r"\n(?=\S)", lock.read_text().strip())
    pinned = [entry for entry in entries if re.match(r"[\w.-]+(\[.*\])?==", entry)]
    assert pinned
    assert [entry.split("\n")[0] for entry in pinned if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("extra", ["edge", "cloud", "site", "dev"])
def test_the_lock_holds_what_the_project_asks_for(extra: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted, queue = set(), [*project["dependencies"], *extras[extra]]
    while queue:
        requirement = queue.pop()
        name = re.match(r"[\w.-]+", requirement)[0].lower()
        if name == "gatehouse":
            queue += [part for inner in re.search(r"\[(.*)\]", requirement)[1].split(",") for part in extras[inner]]
        else:
            wanted.add(name.replace("_", "-"))
    locked = {
        name.lower()
        for name in re.findall(
            r"^([\w.-]+)(?:\[.*\])?==", (ROOT / f"requirements/{extra}.txt").read_text(), re.MULTILINE
        )
    }
    assert wanted - locked == set()

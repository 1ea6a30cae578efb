from pathlib import Path

import pytest

from edge.sync.configuration import CONFIGURATION_FILE, Configuration
from protocols import wire


class Watcher:
    """Takes what a buffer would watch."""

    def __init__(self) -> None:
        self.points: frozenset[str] | None = None

    def watch(self, points: frozenset[str]) -> None:
        self.points = points


@pytest.fixture
def watcher() -> Watcher:
    return Watcher()


def _load(folder: Path, watcher: Watcher) -> Configuration:
    return Configuration.load(folder, watch=watcher.watch)


async def test_a_configuration_is_in_force_at_once_and_after_a_restart(tmp_path: Path, watcher: Watcher) -> None:
    configuration = _load(tmp_path, watcher)
    assert (configuration.revision, watcher.points) == (0, frozenset())
    taken = await configuration.take(wire.Configuration(revision=3, watched=["a/b"]))
    assert (taken.revision, taken.error, watcher.points) == (3, None, {"a/b"})
    again = Watcher()
    assert _load(tmp_path, again).revision == 3
    assert again.points == {"a/b"}


async def test_an_older_revision_is_refused_whole(tmp_path: Path, watcher: Watcher) -> None:
    configuration = _load(tmp_path, watcher)
    await configuration.take(wire.Configuration(revision=3, watched=["a/b"]))
    taken = await configuration.take(wire.Configuration(revision=2, watched=["c/d"]))
    assert taken.error == "revision 2 is older than 3, which is in force; send a newer one"
    assert (configuration.revision, watcher.points) == (3, {"a/b"})


async def test_the_same_revision_may_come_again(tmp_path: Path, watcher: Watcher) -> None:
    configuration = _load(tmp_path, watcher)
    for _ in range(2):
        taken = await configuration.take(wire.Configuration(revision=3, watched=["a/b"]))
        assert taken.error is None


async def test_one_that_cannot_be_kept_is_refused_and_changes_nothing(tmp_path: Path, watcher: Watcher) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    configuration = _load(folder, watcher)
    folder.rmdir()
    taken = await configuration.take(wire.Configuration(revision=1, watched=["a/b"]))
    assert taken.error
    assert taken.error.startswith("could not be kept: ")
    assert (configuration.revision, watcher.points) == (0, frozenset())


async def test_an_inventorys_answer_changes_the_watched_points_and_not_the_revision(
    tmp_path: Path, watcher: Watcher
) -> None:
    configuration = _load(tmp_path, watcher)
    await configuration.take(wire.Configuration(revision=3, watched=["a/b"]))
    await configuration.watch_points(["c/d"])
    assert watcher.points == {"c/d"}
    assert _load(tmp_path, watcher).revision == 3


async def test_watched_points_that_cannot_be_kept_are_in_force_all_the_same(
    tmp_path: Path, watcher: Watcher, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    configuration = _load(folder, watcher)
    folder.rmdir()
    await configuration.watch_points(["c/d"])
    assert watcher.points == {"c/d"}
    assert "could not be kept" in caplog.text


def test_a_damaged_file_is_no_reason_not_to_start(
    tmp_path: Path, watcher: Watcher, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / CONFIGURATION_FILE).write_text("{")
    assert _load(tmp_path, watcher).revision == 0
    assert "the cloud will send the configuration again" in caplog.text

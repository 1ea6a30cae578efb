import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provisioning.demo.memory import Memory, Progress, folder_for_one
from provisioning.errors import SiteError

_AT = datetime(2026, 3, 2, 8, 0, 30, tzinfo=UTC)


def test_a_second_run_goes_on_where_the_first_stopped_and_keeps_its_hour(tmp_path: Path) -> None:
    first = Memory(tmp_path)
    assert first.progress is None
    first.begin(alarm_at=_AT)
    first.probe_kept(6_140)
    first.meter_kept(12)
    first.save()

    second = Memory(tmp_path).begin(alarm_at=datetime(2026, 3, 5, tzinfo=UTC))
    assert second == Progress(alarm_at=_AT, meter_kept=12, probe_kept=6_140)


def test_a_spoilt_memory_is_an_error_that_names_the_file_and_the_mend(tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text("{")
    with pytest.raises(SiteError, match=r"demo\.json can't be read .* delete the folder"):
        Memory(tmp_path)


def test_a_folder_is_made_where_there_is_none(tmp_path: Path) -> None:
    with folder_for_one(tmp_path / "var/demo") as folder:
        assert folder == tmp_path / "var/demo"
        assert folder.is_dir()


def test_two_demos_in_one_folder_are_one_too_many(tmp_path: Path) -> None:
    with (
        folder_for_one(tmp_path),
        pytest.raises(SiteError, match=rf"another demo \(process {os.getpid()}\).*--folder"),
        folder_for_one(tmp_path),
    ):
        pass


def test_the_next_demo_may_have_the_folder_when_the_first_is_over(tmp_path: Path) -> None:
    with folder_for_one(tmp_path):
        pass
    with folder_for_one(tmp_path):
        pass


def test_a_folder_that_can_not_be_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(SiteError, match=r"file/demo can't be written .*--folder"),
        folder_for_one(tmp_path / "file/demo"),
    ):
        pass

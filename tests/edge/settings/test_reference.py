import re
from pathlib import Path

from edge.app.settings_file import load
from edge.settings.reference import settings_table, with_settings_table
from tests.architecture.source import ROOT


def test_every_setting_says_what_it_means() -> None:
    rows = settings_table().splitlines()[2:]
    assert [row for row in rows if row.split(" | ")[3].strip(" |") in {"", "None"}] == []


def test_the_table_in_the_documentation_is_not_stale() -> None:
    page = (ROOT / "docs/edge.md").read_text()
    assert with_settings_table(page) == page, "run `make docs`"
    assert settings_table() in page


def test_a_row_shows_name_default_bounds_and_meaning() -> None:
    assert (
        "| `devices[].modbus.unit` | 1 | 0 to 255 | unit id; a device on TCP often takes 1 or 255 |" in settings_table()
    )


def test_the_example_in_the_documentation_loads(tmp_path: Path) -> None:
    [example] = re.findall(r"```toml\n(.*?)```", (ROOT / "docs/edge.md").read_text(), re.DOTALL)
    (tmp_path / "edge.toml").write_text(example)
    assert [device.key for device in load(tmp_path / "edge.toml").devices] == ["boiler-meter", "pump-room-leak"]

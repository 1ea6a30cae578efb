from edge.settings.reference import settings_table
from tests.architecture.source import ROOT


def test_every_setting_says_what_it_means() -> None:
    rows = settings_table().splitlines()[2:]
    assert [row for row in rows if row.split(" | ")[3].strip(" |") in {"", "None"}] == []


def test_the_table_in_the_documentation_is_not_stale() -> None:
    assert settings_table() in (ROOT / "docs/edge.md").read_text(), "run `make docs`"


def test_a_row_shows_name_default_bounds_and_meaning() -> None:
    assert (
        "| `devices[].modbus.unit` | 1 | 0 to 255 | unit id; a device on TCP often takes 1 or 255 |" in settings_table()
    )

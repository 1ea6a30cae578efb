from cloud.app.reference import settings_table
from tests.architecture.source import ROOT


def test_every_setting_says_what_it_means() -> None:
    rows = settings_table().splitlines()[2:]
    assert [row for row in rows if row.split(" | ")[4].strip(" |") in {"", "None"}] == []


def test_the_table_in_the_documentation_is_not_stale() -> None:
    assert settings_table() in (ROOT / "docs/cloud.md").read_text(), "run `make docs`"


def test_a_row_shows_name_variable_default_bounds_and_meaning() -> None:
    row = "| `port` | `GATEHOUSE_CLOUD_PORT` | 8000 | 0 to 65535 | TCP port to listen at; 0 takes any free one |"
    assert row in settings_table()

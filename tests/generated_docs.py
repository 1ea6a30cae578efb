"""Writes the parts of the documentation that are made from the code: `make docs`."""

from pathlib import Path

from cloud.app.reference import settings_table as cloud_settings
from edge.settings.reference import with_settings_table

DOCS = Path(__file__).parents[1] / "docs"
_BEGIN = "<!-- settings: made by `make docs` -->"
_END = "<!-- end of settings -->"


def with_cloud_settings(page: str) -> str:
    """Return the page with the cloud's settings renewed between its two marks."""
    before, _, rest = page.partition(_BEGIN)
    return f"{before}{_BEGIN}\n{cloud_settings()}{_END}{rest.partition(_END)[2]}"


def main() -> None:
    """Renew every generated part in place."""
    for name, renew in (("edge.md", with_settings_table), ("cloud.md", with_cloud_settings)):
        page = DOCS / name
        page.write_text(renew(page.read_text()))


if __name__ == "__main__":
    main()

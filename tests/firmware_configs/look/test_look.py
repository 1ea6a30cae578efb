import gzip
import json
import re
from pathlib import Path

import pytest

from firmware_configs.look import purge
from firmware_configs.look.assets import LOOK, assets
from tests.architecture.source import ROOT
from tests.firmware_configs.look.strings import templates

_TOO_NEW = ("light-dark(", "oklch(", "color-mix(", "@layer", ":has(")
_LITERAL = re.compile(r"""["']([a-z][a-z0-9-]*)["']""")
_ICON = re.compile(r"""(?:\bicon\(|\bsymbol=|\bicon=|"icon": )["']([\w-]+)["']""")
_MACRO = re.compile(r"(#\}\s*)?\{% macro ((?!_)\w+)\(")
_CONTROL_ROOM_RED = re.compile(r"\b(?:text|bg|btn|alert|border)-(?:danger|success|warning|info)\b")


def _css() -> str:
    return assets()["gatehouse.css"].content.decode()


def _icons() -> set[str]:
    return set(re.findall(r'<symbol id="([\w-]+)"', assets()["icons.svg"].content.decode()))


def _found(pattern: re.Pattern[str]) -> set[str]:
    python = (file for package in ("cloud", "edge") for file in (ROOT / package).rglob("*.py"))
    return {name for file in [*templates(), *python] for name in pattern.findall(file.read_text("utf-8"))}


@pytest.mark.parametrize("feature", _TOO_NEW)
def test_the_styles_use_nothing_that_an_office_browser_lacks(feature: str) -> None:
    assert feature not in _css()


def test_every_class_in_a_template_is_styled() -> None:
    assert purge.used_classes() - purge.defined_classes(_css()) == set()


def test_the_purged_bootstrap_is_what_the_templates_need() -> None:
    """Mended by `python -m firmware_configs.look.purge`."""
    assert (LOOK / "built" / "bootstrap.css").read_text("utf-8") == purge.build()


def test_every_icon_that_is_used_is_drawn() -> None:
    """Mended by adding it to icons.txt and `make vendor`."""
    assert _found(_ICON) - _icons() == set()


def test_no_icon_is_drawn_that_nobody_uses() -> None:
    """Mended by taking it out of icons.txt and `make vendor`."""
    assert _icons() == set((LOOK / "icons.txt").read_text().split())
    assert _icons() - _found(_LITERAL) == set()


@pytest.mark.parametrize(
    ("names", "limit_kb"),
    [
        (["gatehouse.css"], 20),
        (["gatehouse.js", "theme.js", "chart.js"], 48),
        (["gatehouse.js", "theme.js"], 26),
        (["icons.svg"], 7),
    ],
    ids=["styles", "scripts of a page with a curve", "scripts of a page without", "icons"],
)
def test_files_weigh_no_more_than_their_share(names: list[str], limit_kb: int) -> None:
    assert sum(len(assets()[name].compressed) for name in names) <= limit_kb * 1000


def test_an_asset_is_named_after_its_content_and_holds_it_compressed() -> None:
    asset = assets()["gatehouse.css"]
    assert re.fullmatch(r"gatehouse\.[0-9a-f]{8}\.css", asset.path)
    assert gzip.decompress(asset.compressed) == asset.content


@pytest.mark.parametrize("folder", [LOOK / "vendored", ROOT / "tests/journeys/vendor"], ids=["pages", "tests"])
def test_every_vendored_file_has_its_licence_and_version(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    listed = {name for entry in manifest.values() for name in entry["files"]}
    licences = {f"{short}.LICENSE.txt" for short in manifest}
    assert {file.name for file in folder.iterdir()} == listed | licences | {"manifest.json"}
    assert all(entry["licence"] and re.fullmatch(r"\d+\.\d+\.\d+", entry["version"]) for entry in manifest.values())
    assert all((folder / name).stat().st_size > 300 for name in licences)


def test_no_page_carries_a_style_or_a_script_that_the_policy_stops() -> None:
    inline = re.compile(r"\sstyle=|\son\w+=|<style|<script(?![^>]*\ssrc=)|javascript:")
    assert [str(page) for page in templates() if inline.search(page.read_text("utf-8"))] == []


def test_colour_is_kept_for_what_a_person_must_act_on() -> None:
    loud = {str(page): _CONTROL_ROOM_RED.findall(page.read_text("utf-8")) for page in templates()}
    assert {page: found for page, found in loud.items() if found} == {}


def test_every_macro_says_what_it_draws() -> None:
    files = (LOOK / "macros").glob("*.html")
    silent = [name for file in files for said, name in _MACRO.findall(file.read_text("utf-8")) if not said]
    assert silent == []

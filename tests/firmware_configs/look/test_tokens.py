"""The colours' contrasts, computed as WCAG 2 defines them."""

import re

import pytest

from firmware_configs.look.assets import LOOK

_TEXT, _SHAPE = 4.5, 3.0
_THEMES = ("light", "dark")


def _tokens(theme: str) -> dict[str, str]:
    sheet = (LOOK / "styles" / "tokens.css").read_text("utf-8")
    block = re.search(rf'\[data-bs-theme="{theme}"\] \{{(.*?)\}}', sheet, re.DOTALL)[1]
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", block))


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", _THEMES)
@pytest.mark.parametrize(
    ("ink", "ground", "least"),
    [
        ("text", "card", _TEXT),
        ("text", "page", _TEXT),
        ("text", "tint", _TEXT),
        ("text-2", "card", _TEXT),
        ("text-2", "page", _TEXT),
        ("text-2", "hover", _TEXT),
        ("accent", "card", _TEXT),
        ("accent", "page", _TEXT),
        ("accent", "tint", _TEXT),
        ("on-accent", "accent", _TEXT),
        ("on-accent", "accent-2", _TEXT),
        ("wrong", "card", _TEXT),
        ("wrong", "page", _TEXT),
        ("control", "card", _SHAPE),
        ("p1-on", "p1", _TEXT),
        ("p2-on", "p2", _TEXT),
        ("p3-on", "p3", _TEXT),
        ("p4-on", "p4", _TEXT),
        ("p1", "card", _SHAPE),
        ("p2", "card", _SHAPE),
        ("p3-edge", "card", _SHAPE),
        ("p4", "card", _SHAPE),
    ],
)
def test_a_colour_stands_out_from_its_ground(theme: str, ink: str, ground: str, least: float) -> None:
    tokens = _tokens(theme)
    assert _contrast(tokens[ink], tokens[ground]) >= least


@pytest.mark.parametrize("theme", _THEMES)
def test_the_contrasts_written_beside_the_colours_are_true(theme: str) -> None:
    sheet = (LOOK / "styles" / "tokens.css").read_text("utf-8")
    block = re.search(rf'\[data-bs-theme="{theme}"\] \{{(.*?)\}}', sheet, re.DOTALL)[1]
    tokens = _tokens(theme)
    written = re.findall(r"--([\w-]+): (#[0-9a-f]+); /\* (\d+\.\d)", block)
    grounds = {f"p{n}-on": tokens[f"p{n}"] for n in range(1, 5)}
    assert len(written) >= 5
    assert [
        (name, figure)
        for name, colour, figure in written
        if abs(_contrast(colour, grounds.get(name, tokens["card"])) - float(figure)) > 0.06
    ] == []

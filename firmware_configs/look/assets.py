"""The files that pages load: joined, compressed and named after their content, so that browsers may keep them."""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LOOK = Path(__file__).parent

_PARTS = {
    "gatehouse.css": (
        "built/bootstrap.css", "styles/tokens.css", "styles/frame.css", "styles/parts.css", "styles/lists.css",
        "styles/phone.css", "styles/repairs.css", "vendored/uplot.css",
    ),
    "gatehouse.js": (
        "vendored/htmx.js", "vendored/idiomorph.js", "scripts/page.js", "scripts/live.js", "scripts/keys.js",
    ),
    "repair.js": ("scripts/upload.js", "scripts/signature.js"),
    "owner.js": ("scripts/upload.js", "scripts/draft.js"),
    "field.js": ("scripts/field_store.js", "scripts/field.js", "scripts/field_pages.js"),
    "field_worker.js": ("scripts/field_worker.js",),
    "chart.js": ("vendored/uplot.js", "scripts/chart.js"),
    "theme.js": ("scripts/theme.js",),
    "icons.svg": ("built/icons.svg",),
}  # fmt: skip
_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml; charset=utf-8",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One file as it is served.

    Attributes:
        path: its name with a digest of its content, e.g. `gatehouse.3f2a91c0.css`.
    """

    path: str
    media_type: str
    content: bytes
    compressed: bytes


@cache
def assets() -> dict[str, Asset]:
    """Return every asset by its plain name."""
    return {name: _asset(name, [LOOK / part for part in parts]) for name, parts in _PARTS.items()}


def _lean(text: str) -> str:
    """Return a file without its indentation and the lines that are a comment, which no browser reads."""
    return "\n".join(line.strip() for line in text.splitlines() if not line.lstrip().startswith("//"))


def _asset(name: str, parts: list[Path]) -> Asset:
    # A line break between scripts, so that a comment at one's end does not swallow the next one's start.
    content = "\n".join(_lean(part.read_text("utf-8")) for part in parts).encode()
    stem, _, kind = name.rpartition(".")
    return Asset(
        path=f"{stem}.{hashlib.sha256(content).hexdigest()[:8]}.{kind}",
        media_type=_TYPES[kind],
        content=content,
        compressed=gzip.compress(content, 9, mtime=0),
    )

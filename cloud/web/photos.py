"""What is sent as a file is what it says it is: photos are drawn anew without what a camera wrote into them."""

import asyncio
import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

from cloud.core.errors import Refused
from firmware_configs.look.words import _

LONGEST_SIDE = 1_600
"""Pixels; enough to read a meter's plate from a photo of its cabinet."""

_LARGEST_PIXELS = 60_000_000
"""A telephone's largest photo today; a small file may claim far more and fill the memory."""

_FORMATS = ("JPEG", "PNG", "WEBP")
_QUALITY = 82
_PDF = b"%PDF-"
Image.MAX_IMAGE_PIXELS = None  # ours is asked before a picture is drawn; Pillow's would only warn
# As many at once and no more: a photo of 50 million pixels takes some 150 MB while it is drawn.
_THREADS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="photos")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A file whose content was looked at.

    Attributes:
        width, height: pixels of a photo; 0 for a document.
    """

    content: bytes
    media_type: str
    suffix: str
    width: int = 0
    height: int = 0


async def check(content: bytes, *, field: str) -> Checked:
    """Return a photo drawn anew, or a PDF as it is.

    A photo is turned upright, is no longer than LONGEST_SIDE, and holds nothing but its pixels: no place, no time and
    no camera, which its sender never meant to tell.

    Raises:
        Refused: it is neither, or can't be read.
    """
    if content.startswith(_PDF):
        return Checked(content=content, media_type="application/pdf", suffix=".pdf")
    return await asyncio.get_running_loop().run_in_executor(_THREADS, _redraw, content, field)


def _redraw(content: bytes, field: str) -> Checked:
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            if image.width * image.height > _LARGEST_PIXELS:
                raise Refused(_("This photo has too many pixels: make it smaller and send it again."), field)
            image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            upright = ImageOps.exif_transpose(image)
            upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            drawn = _on_white(upright)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        # Pillow's readers raise all four for damaged files.
        sentence = _("This file can't be read: send a photo (JPEG, PNG or WebP) or a PDF.")
        raise Refused(sentence, field) from error
    written = io.BytesIO()
    drawn.save(written, "JPEG", quality=_QUALITY, optimize=True)
    return Checked(
        content=written.getvalue(), media_type="image/jpeg", suffix=".jpg", width=drawn.width, height=drawn.height
    )


def _on_white(image: Image.Image) -> Image.Image:
    """Return an image that holds pixels alone; what was transparent is white, as paper is."""
    coloured = image.convert("RGBA")
    drawn = Image.new("RGB", image.size, "white")
    drawn.paste(coloured, mask=coloured.getchannel("A"))
    return drawn

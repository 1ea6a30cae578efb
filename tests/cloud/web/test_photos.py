import io

import pytest
from PIL import Image

from cloud.core.errors import Refused
from cloud.web import photos

_ORIENTATION, _MAKE, _GPS = 0x0112, 0x010F, 0x8825
_TURNED_RIGHT = 6


def _photo(size: tuple[int, int], kind: str = "JPEG", *, mode: str = "RGB", **options: object) -> bytes:
    written = io.BytesIO()
    Image.new(mode, size, 0).save(written, kind, **options)
    return written.getvalue()


def _with_exif(size: tuple[int, int]) -> bytes:
    exif = Image.Exif()
    exif[_ORIENTATION], exif[_MAKE] = _TURNED_RIGHT, "A telephone"
    exif[_GPS] = {1: "N", 2: (31.0, 14.0, 0.0)}
    return _photo(size, exif=exif)


async def test_a_photo_tells_nothing_but_its_picture_and_stands_upright() -> None:
    content = _with_exif((40, 30))
    assert b"A telephone" in content
    checked = await photos.check(content, field="photos")
    assert (checked.media_type, checked.suffix, checked.width, checked.height) == ("image/jpeg", ".jpg", 30, 40)
    with Image.open(io.BytesIO(checked.content)) as drawn:
        assert (dict(drawn.getexif()), drawn.size) == ({}, (30, 40))
    assert b"A telephone" not in checked.content


async def test_a_large_photo_becomes_sixteen_hundred_pixels_long() -> None:
    checked = await photos.check(_photo((4_000, 3_000)), field="photos")
    assert (checked.width, checked.height) == (1_600, 1_200)


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "RGBA"), ("PNG", "P"), ("WEBP", "RGB"), ("JPEG", "CMYK")])
async def test_every_kind_that_telephones_and_screens_make_is_taken(kind: str, mode: str) -> None:
    checked = await photos.check(_photo((8, 6), kind, mode=mode), field="photos")
    assert (checked.media_type, checked.width) == ("image/jpeg", 8)


async def test_a_document_stays_as_it_is() -> None:
    checked = await photos.check(b"%PDF-1.7\n...", field="photos")
    assert (checked.content, checked.media_type, checked.width) == (b"%PDF-1.7\n...", "application/pdf", 0)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", id="a drawing that could run scripts"),
        pytest.param(b"GIF89a" + bytes(40), id="a kind that is not taken"),
        pytest.param(_photo((8, 6))[:60], id="half a photo"),
        pytest.param(b"\xff\xd8\xff\xe0" + b"MZ" * 40, id="a program called a photo"),
    ],
)
async def test_what_is_neither_is_refused_at_its_field(content: bytes) -> None:
    with pytest.raises(Refused) as refused:
        await photos.check(content, field="photos")
    assert refused.value.field == "photos"


async def test_a_small_file_that_claims_a_huge_picture_is_refused_unread() -> None:
    with pytest.raises(Refused, match="pixels"):
        await photos.check(_photo((10_000, 10_000), "PNG", mode="1"), field="photos")

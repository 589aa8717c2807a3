"""Every kind of image file that a platform stores is decoded, or refused by name."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from common.errors import ImageError
from common.images.decode import decode, read_image
from common.images.verify import verify

HEIGHT, WIDTH = 30, 44
ORIENTATION = 0x0112


def gradient() -> Image.Image:
    """Smooth, so that JPEG keeps it, and different in each channel and corner."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    channels = [x * 255 // WIDTH, y * 255 // HEIGHT, (x + y) * 255 // (WIDTH + HEIGHT)]
    return Image.fromarray(np.dstack(channels).astype(np.uint8))


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif


def bgr(image: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(image.convert("RGB"))[:, :, ::-1]


PLAIN = gradient()
SOLID = PLAIN.copy()
SOLID.putalpha(Image.linear_gradient("L").resize((WIDTH, HEIGHT)))
SIXTEEN = Image.fromarray(np.asarray(PLAIN.convert("L")).astype(np.uint16) * 257)

FILES: dict[str, tuple[bytes, Image.Image, int]] = {
    "jpeg": (encoded(PLAIN, "JPEG", quality=95), PLAIN, 8),
    "progressive jpeg": (encoded(PLAIN, "JPEG", quality=95, progressive=True), PLAIN, 8),
    "grayscale jpeg": (encoded(PLAIN.convert("L"), "JPEG", quality=95), PLAIN.convert("L"), 8),
    "cmyk jpeg": (encoded(PLAIN.convert("CMYK"), "JPEG", quality=95), PLAIN, 24),
    "exif-turned jpeg": (encoded(PLAIN, "JPEG", quality=95, exif=turned(6)), PLAIN, 8),  # not turned back
    "exif-mirrored png": (encoded(PLAIN, "PNG", exif=turned(2)), PLAIN, 0),
    "png": (encoded(PLAIN, "PNG"), PLAIN, 0),
    "grayscale png": (encoded(PLAIN.convert("L"), "PNG"), PLAIN.convert("L"), 0),
    "grayscale and alpha png": (encoded(SOLID.convert("LA"), "PNG"), PLAIN.convert("L"), 0),
    "rgba png": (encoded(SOLID, "PNG"), PLAIN, 0),  # alpha is dropped, nothing is blended
    "palette png": (encoded(PLAIN.convert("P"), "PNG"), PLAIN.convert("P"), 0),
    "black and white png": (encoded(PLAIN.convert("1"), "PNG"), PLAIN.convert("1"), 0),
    "16 bit png": (encoded(SIXTEEN, "PNG"), PLAIN.convert("L"), 1),  # scaled, not cut
    "bmp": (encoded(PLAIN, "BMP"), PLAIN, 0),
    "palette bmp": (encoded(PLAIN.convert("P"), "BMP"), PLAIN.convert("P"), 0),
    "webp": (encoded(PLAIN, "WEBP", lossless=True), PLAIN, 0),
    "gif": (encoded(PLAIN, "GIF"), PLAIN, 70),
    "tiff": (encoded(PLAIN, "TIFF"), PLAIN, 0),
    "pcx": (encoded(PLAIN, "PCX"), PLAIN, 0),  # OpenCV does not know it, Pillow does
}
"""Content, what it shows, and the largest difference that the format may make."""


@pytest.mark.parametrize("kind", list(FILES))
def test_every_format_becomes_three_channels_of_eight_bits_in_bgr_order(kind: str) -> None:
    content, shows, tolerance = FILES[kind]
    pixels = decode(content, Path(kind))
    assert (pixels.shape, pixels.dtype) == ((HEIGHT, WIDTH, 3), np.uint8)
    assert np.abs(pixels.astype(int) - bgr(shows)).max() <= tolerance


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("plain.jpg", "jpeg"),
        ("without extension", "jpeg"),  # and with a blank
        ("图片 一.JPG", "png"),  # Chinese, upper case
        ("wrong.png", "bmp"),
        ("UPPER.BMP", "bmp"),
        (".hidden", "png"),
        ("a\u2028b.tar.gz", "png"),
    ],
)
def test_the_name_does_not_matter(tmp_path: Path, kind: str, name: str) -> None:
    (tmp_path / name).write_bytes(FILES[kind][0])
    np.testing.assert_array_equal(read_image(tmp_path / name), decode(FILES[kind][0], Path(name)))


def test_an_image_of_one_pixel_is_an_image() -> None:
    assert decode(encoded(PLAIN.resize((1, 1)), "PNG"), Path("dot")).shape == (1, 1, 3)


# refused


def with_thumbnail(jpeg: bytes) -> bytes:
    """A JPEG whose header holds another JPEG, end marker and all, as cameras write it."""
    block = b"Exif\0\0" + encoded(PLAIN.resize((8, 8)), "JPEG")
    return jpeg[:2] + b"\xff\xe1" + (len(block) + 2).to_bytes(2) + block + jpeg[2:]


WITH_THUMBNAIL = with_thumbnail(FILES["jpeg"][0])

BAD = {
    "empty": (b"", "empty file"),
    "text": (b"<html>404 not found</html>", "cannot be decoded"),
    "zeros": (bytes(1000), "cannot be decoded"),
    "jpeg, two bytes": (b"\xff\xd8", "truncated JPEG"),
    "jpeg without its end": (FILES["jpeg"][0][:-2], "truncated JPEG"),
    "half a jpeg": (FILES["jpeg"][0][: -len(FILES["jpeg"][0]) // 4], "truncated JPEG"),
    "half a progressive jpeg": (FILES["progressive jpeg"][0][:-100], "truncated JPEG"),
    "half a jpeg behind a whole thumbnail": (WITH_THUMBNAIL[:-100], "truncated JPEG"),
    "half a png": (FILES["png"][0][: len(FILES["png"][0]) // 2], "cannot be decoded"),
    "half a bmp": (FILES["bmp"][0][: len(FILES["bmp"][0]) // 2], "cannot be decoded"),
    "half a webp": (FILES["webp"][0][: len(FILES["webp"][0]) // 2], "cannot be decoded"),
}


@pytest.mark.parametrize("read", [read_image, verify])
@pytest.mark.parametrize("kind", list(BAD))
def test_a_broken_file_is_refused_by_its_name(tmp_path: Path, kind: str, read: Callable[[Path], Any]) -> None:
    content, reason = BAD[kind]
    path = tmp_path / "坏 图.jpg"
    path.write_bytes(content)
    with pytest.raises(ImageError) as raised:
        read(path)
    assert all(word in str(raised.value) for word in [str(path), reason])


@pytest.mark.parametrize("read", [read_image, verify])
def test_a_file_that_cannot_be_read_is_refused_by_its_name(tmp_path: Path, read: Callable[[Path], Any]) -> None:
    with pytest.raises(ImageError, match=r"absent\.jpg: cannot be read \(No such file"):
        read(tmp_path / "absent.jpg")
    with pytest.raises(ImageError, match="cannot be read"):
        read(tmp_path)  # a folder
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(ImageError, match="cannot be read"):
        read(tmp_path / "loop")


@pytest.mark.parametrize(
    "content",
    [
        WITH_THUMBNAIL,
        FILES["jpeg"][0] + bytes(200_000),  # padding
        FILES["jpeg"][0] + b"film\xff\xda" * 1000,  # a film behind the picture, as telephones write it
        FILES["jpeg"][0][:2] + b"\xff\xff" + FILES["jpeg"][0][2:],  # fill bytes before a marker are legal
    ],
)
def test_a_whole_jpeg_is_taken_whatever_else_is_in_the_file(content: bytes) -> None:
    np.testing.assert_array_equal(decode(content, Path("x")), decode(FILES["jpeg"][0], Path("x")))

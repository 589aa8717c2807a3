"""Check, before a long training, that frameworks will read an image as the platform sees it."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
from PIL import Image, UnidentifiedImageError

from common.arrays import Pixels
from common.errors import ImageError
from common.files import write_bytes
from common.images.decode import JPEG_END, decode

SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "BMP": ".bmp"}
"""Formats that every framework reads, by Pillow's names, and their suffixes."""

UPRIGHT = (None, 0, 1)
EXIF_ORIENTATION = 0x0112


@dataclass(frozen=True, slots=True)
class Verified:
    """A decodable image.

    Attributes:
        path: path of the original.
        pixels: `(height, width, 3)` uint8 BGR.
        suffix: suffix of its true format; empty if frameworks would read it differently from us.
    """

    path: Path
    pixels: Pixels
    suffix: str

    @property
    def width(self) -> int:
        """Width in pixels, as stored."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Height in pixels, as stored."""
        return int(self.pixels.shape[0])

    def as_file(self, name: Path) -> Path:
        """Return a file that a framework can read, with the suffix of its format.

        Args:
            name: path without suffix, for a link if the original's suffix is wrong, or for a lossless copy if a
                framework would read the original differently from us.
        """
        if not self.suffix:
            copy = name.with_name(name.name + ".png")
            encoded = cv2.imencode(".png", self.pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1]
            write_bytes(copy, encoded.tobytes(), durable=False)
            return copy
        if self.path.suffix.lower() == self.suffix:
            return self.path
        link = name.with_name(name.name + self.suffix)
        link.unlink(missing_ok=True)
        link.symlink_to(self.path)
        return link


def verify(path: Path) -> Verified:
    """Decode an image completely, and check that its format, orientation and ending are what frameworks expect.

    Raises:
        ImageError: the image cannot be decoded.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ImageError(f"{path}: cannot be read ({error.strerror})") from None
    return Verified(path, decode(content, path), _plain_suffix(content))


def _plain_suffix(content: bytes) -> str:
    """Find the suffix of the true format; empty if a framework would rotate, refuse or rewrite the image.

    ultralytics applies the EXIF orientation, which the platform does not, and rewrites a JPEG with bytes after its end
    marker in place.
    """
    try:
        with Image.open(io.BytesIO(content)) as image:
            kind, mode, orientation = image.format or "", image.mode, image.getexif().get(EXIF_ORIENTATION)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return ""
    plain = orientation in UPRIGHT and mode in {"RGB", "L"}
    whole = kind != "JPEG" or content.endswith(JPEG_END)
    return SUFFIXES.get(kind, "") if plain and whole else ""


def tolerated_bad_images(share: float, count: int) -> int:
    """Number of undecodable images that are tolerated among `count`.

    One always is, unless there is no other image or the share is zero: a small set must not fail for a single file.
    """
    return max(int(share * count), 1 if share > 0 and count > 1 else 0)


def check_bad_images(bad: Sequence[str], share: float, count: int) -> None:
    """Stop the task if too many images are bad.

    Args:
        bad: one sentence per image, which names its file.

    Raises:
        ImageError: more than the tolerated share of `count` images is bad.
    """
    if len(bad) > tolerated_bad_images(share, count):
        raise ImageError(
            f"{len(bad)} of {count} images cannot be used, more than max_bad_images {share:g} allows; first: {bad[0]}"
        )

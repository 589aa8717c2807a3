"""Find out, before a long training, whether a framework will read an image as the platform sees it."""

import io
from dataclasses import dataclass
from pathlib import Path

import cv2
from PIL import Image, UnidentifiedImageError

from common.errors import ImageError
from common.files import write_bytes
from common.images.decode import JPEG_END, Pixels, decode

SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "BMP": ".bmp"}
"""Formats that every framework reads, by Pillow's names, and the suffix that tells them."""

UPRIGHT = (None, 0, 1)
EXIF_ORIENTATION = 0x0112


@dataclass(frozen=True, slots=True)
class Verified:
    """A decodable image.

    Attributes:
        path: of the original.
        pixels: `(height, width, 3)` uint8 BGR.
        suffix: of its true format; empty where frameworks would read it differently from us.
    """

    path: Path
    pixels: Pixels
    suffix: str

    @property
    def width(self) -> int:
        """In pixels, as stored."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """In pixels, as stored."""
        return int(self.pixels.shape[0])

    def as_file(self, name: Path) -> Path:
        """A file that a framework can read, with a suffix that tells its format.

        Args:
            name: without suffix; where to put a link if the original's name is wrong, or a lossless copy if a framework
                would read the original differently from us.
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
    """Decode an image completely, and see whether its format, orientation and ending are what frameworks expect.

    Raises:
        ImageError: it cannot be decoded.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ImageError(f"{path}: cannot be read ({error.strerror})") from None
    return Verified(path, decode(content, path), _plain_suffix(content))


def _plain_suffix(content: bytes) -> str:
    """Suffix of the true format, or empty if a framework would turn, refuse or rewrite the image.

    ultralytics applies the EXIF orientation, which the platform does not, and rewrites a JPEG that goes on after its
    end marker, in place.
    """
    try:
        with Image.open(io.BytesIO(content)) as image:
            kind, mode, orientation = image.format or "", image.mode, image.getexif().get(EXIF_ORIENTATION)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return ""
    plain = orientation in UPRIGHT and mode in {"RGB", "L"}
    whole = kind != "JPEG" or content.endswith(JPEG_END)
    return SUFFIXES.get(kind, "") if plain and whole else ""

"""Decode image files by their content, not their names."""

import io
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from common.arrays import Pixels
from common.errors import ImageError

JPEG_START, JPEG_END = b"\xff\xd8", b"\xff\xd9"
MARKER, SCAN = 0xFF, 0xDA
"""First byte of every JPEG marker, and second byte of the marker before the pixels."""


def read_image(path: Path) -> Pixels:
    """Decode one image.

    The platform measures an image as it is stored, so the EXIF orientation is not applied. Grayscale, palette, 16 bit
    and alpha are brought to three channels of 8 bits; alpha is dropped.

    Returns:
        `(height, width, 3)` uint8 in BGR order.

    Raises:
        ImageError: the file is missing, empty, truncated, or in an unknown format; the message names it.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ImageError(f"{path}: cannot be read ({error.strerror})") from None
    return decode(content, path)


def decode(content: bytes, path: Path) -> Pixels:
    """Decode the bytes of one image; `path` is for messages only. See `read_image`."""
    if not content:
        raise ImageError(f"{path}: empty file")
    if content.startswith(JPEG_START) and _is_cut_off(content):
        raise ImageError(f"{path}: truncated JPEG")  # decoders silently fill the rest with grey
    pixels = _decode_fast(content)
    return _decode_any(content, path) if pixels is None else pixels


def _is_cut_off(content: bytes) -> bool:
    """Return whether the end marker of a JPEG is missing. A thumbnail in the header has its own, which does not count.

    Anything may follow the end marker, such as a second image or a video.
    """
    place = len(JPEG_START)
    while place + 4 <= len(content) and content[place] == MARKER and content[place + 1] != SCAN:
        filler = content[place + 1] == MARKER
        place += 1 if filler else 2 + int.from_bytes(content[place + 2 : place + 4])
    return content.rfind(JPEG_END, place) < 0


def _decode_fast(content: bytes) -> Pixels | None:
    """Decode with OpenCV: fastest for JPEG, PNG and BMP, and it releases the interpreter lock."""
    try:
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        return None
    return None if pixels is None else np.asarray(pixels, np.uint8)


def _decode_any(content: bytes, path: Path) -> Pixels:
    """Decode with Pillow: slower, but it knows more formats."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            return np.ascontiguousarray(np.asarray(image.convert("RGB"), np.uint8)[:, :, ::-1])
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise ImageError(f"{path}: cannot be decoded; known are JPEG, PNG, BMP, WebP, TIFF and GIF") from None

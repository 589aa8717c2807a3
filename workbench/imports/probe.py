"""The header of an image file, as the platform's import reads it."""

import warnings
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from common.images.verify import EXIF_ORIENTATION, SUFFIXES, UPRIGHT
from workbench.imports.entry import Probe, UnusableError


def probe(file: Path) -> Probe:
    """Reads the header of an image; its pixels are not decoded.

    Raises:
        UnusableError: it is not an image, or in a format that the platform does not import.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # aerial images are large
            with Image.open(file) as image:
                form = image.format or ""
                turned = image.getexif().get(EXIF_ORIENTATION) not in UPRIGHT
                width, height, channels = image.width, image.height, len(image.getbands())
    except Image.DecompressionBombError:
        raise UnusableError("the image is too large: cut it into tiles") from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        raise UnusableError("the file is not a readable image") from None
    if form not in SUFFIXES:
        raise UnusableError(f"the image is {form}; the platform imports JPEG, PNG and BMP")
    return Probe(width, height, channels, SUFFIXES[form].removeprefix("."), turned)

"""Annotated objects while their files are being read: growing columns, and the mistakes."""

from array import array
from collections.abc import Sequence

import numpy as np

from common.arrays import Doubles, Ints

LARGEST = 2.0**31
"""Limit of all numbers: the platform's boxes are 32 bit integers, so a larger one is a mistake."""

UNKNOWN_QUALITY = -1.0
UNROTATED = 0.0


class Objects:
    """Objects of some annotation files, without a Python object per box.

    A row is `class index, x1, y1, x2, y2, quality, angle`; the max corner is exclusive.

    Attributes:
        class_count: class indices lie in `[0, class_count)`.
        problems: `(image, text)` per mistake, with the position of the image in the index.
    """

    WIDTH = 7

    def __init__(self, class_count: int) -> None:
        self.class_count = class_count
        self.problems: list[tuple[int, str]] = []
        self._images = array("q")
        self._rows = array("d")

    def add(self, image: int, row: Sequence[float]) -> None:
        """Append one object of the image at position `image` of the index.

        Raises:
            ValueError: the class index is unknown, or a number is not finite or is too large.
        """
        if not sum(map(abs, row)) < LARGEST:  # `not <` instead of `>=`, so that NaN fails, too
            raise ValueError(f"a number is not finite or too large; allowed are numbers below {LARGEST:.0f}")
        if not (0 <= row[0] < self.class_count and row[0] == int(row[0])):
            raise ValueError(f"class index {row[0]:g} is unknown; allowed are 0 to {self.class_count - 1}")
        self._images.append(image)
        self._rows.extend(row)

    def extend(self, other: "Objects") -> None:
        """Append all objects and problems of `other`."""
        self.problems.extend(other.problems)
        self._images.extend(other._images)
        self._rows.extend(other._rows)

    def order(self) -> Ints:
        """Positions `(n,)` that sort the objects by image; the order within an image stays."""
        return np.argsort(self.images(), kind="stable")

    def images(self) -> Ints:
        """Position in the index of each object's image, `(n,)`."""
        return np.array(self._images, np.int64)

    def rows(self) -> Doubles:
        """Class index, x1, y1, x2, y2, quality and angle of each object, `(n, 7)`."""
        return np.array(self._rows, np.float64).reshape(-1, self.WIDTH)


def exclusive(xmin: float, ymin: float, xmax: float, ymax: float) -> tuple[float, float, float, float]:
    """Turn the inclusive max corner of ark and VOC (width = xmax - xmin + 1) into an exclusive one (width = x2 - x1).

    Raises:
        ValueError: the max corner lies before the min corner.
    """
    if xmax < xmin or ymax < ymin:
        raise ValueError(f"xmax {xmax:g}, ymax {ymax:g} lie before xmin {xmin:g}, ymin {ymin:g}; allowed is max >= min")
    return xmin, ymin, xmax + 1, ymax + 1

"""Masks of objects as sums of prototypes, as YOLO models give them; decoded one at a time, in any size.

Source: Bolya, Zhou, Xiao, Lee, "YOLACT: Real-time Instance Segmentation", ICCV 2019, arXiv:1904.02689, section 3: the
mask of an object is the sigmoid of a linear combination of prototypes, cropped to its box.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from common.arrays import Bools, Floats
from common.boxes.affine import Matrix
from common.masks.rle import Part

Window = tuple[slice, slice]
"""Rows and columns of the grid."""
EVERYWHERE: Final = (slice(None), slice(None))


@dataclass(frozen=True, slots=True)
class Prototypes:
    """Masks of the n objects of one image, in the order of its detections. 3 MB per image instead of 30.

    Attributes:
        coefficients: `(n, m)` float32, weight of each prototype for each object.
        prototypes: `(m, h, w)` float32, over the whole input of the model.
        input_size: height and width of that input, in pixels.

    Raises:
        ValueError: the numbers of prototypes differ.
    """

    coefficients: Floats
    prototypes: Floats
    input_size: tuple[int, int]

    def __post_init__(self) -> None:
        if self.coefficients.ndim != 2 or self.prototypes.ndim != 3:
            raise ValueError(f"expected (n, m) and (m, h, w), got {self.coefficients.shape}, {self.prototypes.shape}")
        if self.coefficients.shape[1] != len(self.prototypes):
            raise ValueError(f"coefficients: expected {len(self.prototypes)} per row, got {self.coefficients.shape[1]}")

    def __len__(self) -> int:
        return len(self.coefficients)

    def logits(self, i: int, window: Window = EVERYWHERE) -> Floats:
        """Logits of object `i` on the grid of the prototypes, `(h, w)`: above 0 where a cell likely belongs to it."""
        found: Floats = np.tensordot(self.coefficients[i], self.prototypes[:, *window], axes=1)
        return found

    def probabilities(self, i: int, window: Window = EVERYWHERE) -> Floats:
        """Probabilities of object `i` on the grid of the prototypes, `(h, w)` in [0, 1]."""
        return np.asarray(1 / (1 + np.exp(-np.clip(self.logits(i, window), -80, 80))), np.float32)

    def on_grid(self, boxes: Floats) -> Floats:
        """Convert boxes `(n, 4)` from pixels of the input to cells of the prototypes."""
        height, width = self.prototypes.shape[1:]
        down, across = height / self.input_size[0], width / self.input_size[1]
        return boxes * np.array([across, down, across, down], np.float32)

    def in_image(self, boxes: Floats, to_image: Matrix, size: tuple[int, int]) -> Iterator[Part]:
        """Decode the mask of each object at the image's own size: bilinear logits above 0, inside the object's box.

        Args:
            boxes: `(n, 4)` corners in pixels of the image, inside it. A pixel whose centre is in the box counts.
            to_image: maps pixels of the input to those of the image; without rotation.
            size: height and width of the image.
        """
        height, width = size
        corners = np.clip(np.ceil(boxes - 0.5), 0, [width, height, width, height]).astype(int)
        matrix = self._from_image(to_image)
        for i, (x1, y1, x2, y2) in enumerate(corners.tolist()):
            yield Part(x1, y1, self._sampled(i, matrix, (x1, y1), (max(x2 - x1, 0), max(y2 - y1, 0))))

    def _from_image(self, to_image: Matrix) -> Matrix:
        """Map from pixels of the image to cells of the prototypes, corner at (0, 0)."""
        height, width = self.prototypes.shape[1:]
        scale = np.array([width / self.input_size[1], height / self.input_size[0]])
        linear = np.linalg.inv(to_image[:, :2])
        return np.hstack([scale[:, None] * linear, (scale * -(linear @ to_image[:, 2]))[:, None]])

    def _sampled(self, i: int, matrix: Matrix, corner: tuple[int, int], size: tuple[int, int]) -> Bools:
        """Decode object `i` in the part of an image of `size` (width, height) at `corner`."""
        if not all(size):
            return np.zeros(size[::-1], np.bool_)
        linear, offset = matrix[:, :2], matrix[:, 2]
        near, far = linear @ np.array(corner) + offset, linear @ (np.array(corner) + size) + offset
        # One more cell on each side, which bilinear interpolation needs.
        limit = self.prototypes.shape[:0:-1]
        x1, y1 = np.clip(np.floor(near) - 1, 0, np.subtract(limit, 1)).astype(int).tolist()
        x2, y2 = np.clip(np.ceil(far) + 1, (x1 + 1, y1 + 1), limit).astype(int).tolist()
        # OpenCV puts (0, 0) at the centre of the first pixel, in the image and on the grid.
        shift = linear @ (np.array(corner) + 0.5) + offset - 0.5 - (x1, y1)
        place = np.hstack([linear, shift[:, None]])
        logits = self.logits(i, (slice(y1, y2), slice(x1, x2)))
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        found = cv2.warpAffine(logits, place, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(found > 0, np.bool_)

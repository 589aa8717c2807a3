"""Upright boxes: corners `x1, y1, x2, y2` in pixels, the max corner exclusive (width = x2 - x1)."""

import numpy as np
from numpy.typing import NDArray

from common.arrays import Doubles
from common.boxes.affine import Matrix, apply

Boxes = NDArray[np.floating] | NDArray[np.integer]


def areas(boxes: Boxes) -> Doubles:
    """Areas of boxes `(n, 4)`, shape `(n,)`; 0 if the corners are swapped."""
    sides: Doubles = np.maximum(boxes[:, 2:].astype(np.float64) - boxes[:, :2], 0)
    return sides[:, 0] * sides[:, 1]


def intersections(first: Boxes, second: Boxes) -> Doubles:
    """Pairwise intersection areas of boxes `(n, 4)` and `(m, 4)`, shape `(n, m)`."""
    near = np.maximum(first[:, None, :2], second[None, :, :2])
    far = np.minimum(first[:, None, 2:], second[None, :, 2:])
    sides: Doubles = np.maximum(far.astype(np.float64) - near, 0)
    return sides[..., 0] * sides[..., 1]


def iou(first: Boxes, second: Boxes) -> Doubles:
    """Pairwise intersection over union of boxes `(n, 4)` and `(m, 4)`, shape `(n, m)`.

    Two boxes without any area have an IoU of 0.
    """
    return ratio(intersections(first, second), areas(first), areas(second))


def ratio(common: Doubles, first: Doubles, second: Doubles) -> Doubles:
    """Intersection over union from intersections `(n, m)` and areas `(n,)` and `(m,)`; 0 where the union is empty."""
    union = first[:, None] + second[None, :] - common
    return np.divide(common, union, out=np.zeros_like(common), where=union > 0)


def clip(boxes: Boxes, size: tuple[int, int]) -> Doubles:
    """Clip boxes `(n, 4)` to an image of `size` (height, width)."""
    height, width = size
    return np.clip(boxes.astype(np.float64), 0, np.array([width, height, width, height]))


def move(boxes: Boxes, matrix: Matrix, size: tuple[int, int]) -> Doubles:
    """Apply an affine map to boxes `(n, 4)`: the enclosing upright boxes, clipped to an image of `size`."""
    corners = apply(matrix, boxes.astype(np.float64)[:, [[0, 1], [2, 1], [2, 3], [0, 3]]])
    return clip(np.hstack([corners.min(axis=1), corners.max(axis=1)]), size)

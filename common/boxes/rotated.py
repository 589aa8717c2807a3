"""Rotated boxes: centre `cx, cy`, sides `w, h` in pixels, and an angle in radians.

The angle turns clockwise as one sees it (y points down), as in OpenCV and mmrotate. `w` is the side that lies along the
x axis where the angle is 0.
"""

import numpy as np
from numpy.typing import NDArray

from common.arrays import Doubles
from common.boxes import upright
from common.boxes.affine import Matrix

Boxes = NDArray[np.floating]

GRID = 1e-7
"""Pixels that the corners of a common area are rounded to. Without, GEOS takes some equal rectangles for disjoint."""

_CORNERS = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])


def from_upright(boxes: NDArray[np.generic], angles: NDArray[np.generic]) -> Doubles:
    """Turn upright boxes about their centres.

    Args:
        boxes: `(n, 4)` corners `x1, y1, x2, y2`, the max corner exclusive.
        angles: `(n,)` radians.

    Returns:
        `(n, 5)`.
    """
    low, high = np.split(boxes.astype(np.float64), 2, axis=1)
    return np.hstack([(low + high) / 2, high - low, angles.astype(np.float64)[:, None]])


def corners(boxes: Boxes) -> Doubles:
    """The corners `(n, 4, 2)` of boxes `(n, 5)`: top left, top right, bottom right, bottom left before the turn."""
    along, across = _axes(boxes)
    centres = boxes[:, None, :2].astype(np.float64)
    return centres + _CORNERS[:, :1] * along[:, None] + _CORNERS[:, 1:] * across[:, None]


def enclosing(boxes: Boxes) -> Doubles:
    """The smallest upright boxes, corners `(n, 4)`, that hold the boxes `(n, 5)`."""
    points = corners(boxes)
    return np.hstack([points.min(axis=1), points.max(axis=1)])


def areas(boxes: Boxes) -> Doubles:
    """Areas of boxes `(n, 5)`, shape `(n,)`."""
    sides: Doubles = np.maximum(boxes[:, 2:4].astype(np.float64), 0)
    return sides[:, 0] * sides[:, 1]


def intersections(first: Boxes, second: Boxes) -> Doubles:
    """Common area of each of the first boxes `(n, 5)` with each of the second `(m, 5)`, shape `(n, m)`.

    Of the polygons, by GEOS; only pairs whose enclosing boxes overlap are looked at.
    """
    import shapely  # only images with rotated boxes declare it

    near = upright.intersections(enclosing(first), enclosing(second)) > 0
    rows, columns = np.nonzero(near & (areas(first) > 0)[:, None] & (areas(second) > 0))
    common = np.zeros(near.shape)
    ones, others = shapely.polygons(corners(first)), shapely.polygons(corners(second))
    common[rows, columns] = shapely.area(shapely.intersection(ones[rows], others[columns], grid_size=GRID))
    return common


def iou(first: Boxes, second: Boxes) -> Doubles:
    """Intersection over union of each of the first boxes `(n, 5)` with each of the second `(m, 5)`, shape `(n, m)`.

    Two boxes without any area have an IoU of 0.
    """
    return upright.ratio(intersections(first, second), areas(first), areas(second))


def move(boxes: Boxes, matrix: Matrix) -> Doubles:
    """What an affine map makes of boxes `(n, 5)`.

    A map that is no similarity makes parallelograms of rectangles. The result then has the direction of the longer
    side, and both lengths.
    """
    linear = matrix[:, :2]
    along, across = (axis @ linear.T for axis in _axes(boxes))
    wide = (boxes[:, 2] >= boxes[:, 3])[:, None]
    direction = np.where(wide, along, across[:, ::-1] * [1, -1])  # a quarter turn leads from one side to the other
    angles = np.arctan2(direction[:, 1], direction[:, 0])
    centres = boxes[:, :2].astype(np.float64) @ linear.T + matrix[:, 2]
    sides = np.stack([np.linalg.norm(along, axis=1), np.linalg.norm(across, axis=1)], axis=1)
    return np.hstack([centres, sides, angles[:, None]])


def _axes(boxes: Boxes) -> tuple[Doubles, Doubles]:
    """`(n, 2)` each: the vector along the side w, as long as it, and the one along h."""
    _, _, width, height, angle = boxes.astype(np.float64).T
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.stack([width * cosine, width * sine], axis=1), np.stack([-height * sine, height * cosine], axis=1)

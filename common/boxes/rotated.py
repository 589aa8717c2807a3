"""Rotated boxes: centre `cx, cy`, sides `w, h` in pixels, and an angle in radians.

Angles are clockwise on the screen (y points down), as in OpenCV and mmrotate. `w` is the side that lies along the
x axis where the angle is 0.
"""

import numpy as np
from numpy.typing import NDArray

from common.arrays import Doubles
from common.boxes import upright
from common.boxes.affine import Matrix

Boxes = NDArray[np.floating]

GRID = 1e-7
"""Precision in pixels of the corners of an intersection. Without it GEOS takes some equal rectangles for disjoint."""

_CORNERS = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])


def from_upright(boxes: NDArray[np.generic], angles: NDArray[np.generic]) -> Doubles:
    """Rotate upright boxes about their centres.

    Args:
        boxes: `(n, 4)` corners `x1, y1, x2, y2`, the max corner exclusive.
        angles: `(n,)` radians.

    Returns:
        `(n, 5)`.
    """
    low, high = np.split(boxes.astype(np.float64), 2, axis=1)
    return np.hstack([(low + high) / 2, high - low, angles.astype(np.float64)[:, None]])


def corners(boxes: Boxes) -> Doubles:
    """Corners `(n, 4, 2)` of boxes `(n, 5)`: top left, top right, bottom right, bottom left before the rotation."""
    along, across = _axes(boxes)
    centres = boxes[:, None, :2].astype(np.float64)
    return centres + _CORNERS[:, :1] * along[:, None] + _CORNERS[:, 1:] * across[:, None]


def enclosing(boxes: Boxes) -> Doubles:
    """Smallest upright boxes, corners `(n, 4)`, that contain boxes `(n, 5)`."""
    points = corners(boxes)
    return np.hstack([points.min(axis=1), points.max(axis=1)])


def areas(boxes: Boxes) -> Doubles:
    """Areas of boxes `(n, 5)`, shape `(n,)`."""
    sides: Doubles = np.maximum(boxes[:, 2:4].astype(np.float64), 0)
    return sides[:, 0] * sides[:, 1]


def intersections(first: Boxes, second: Boxes) -> Doubles:
    """Pairwise intersection areas of boxes `(n, 5)` and `(m, 5)`, shape `(n, m)`.

    GEOS intersects the polygons; only pairs with overlapping enclosing boxes are computed.
    """
    import shapely  # only images with rotated boxes declare it

    near = upright.intersections(enclosing(first), enclosing(second)) > 0
    rows, columns = np.nonzero(near & (areas(first) > 0)[:, None] & (areas(second) > 0))
    common = np.zeros(near.shape)
    ones, others = shapely.polygons(corners(first)), shapely.polygons(corners(second))
    common[rows, columns] = shapely.area(shapely.intersection(ones[rows], others[columns], grid_size=GRID))
    return common


def iou(first: Boxes, second: Boxes) -> Doubles:
    """Pairwise intersection over union of boxes `(n, 5)` and `(m, 5)`, shape `(n, m)`.

    Two boxes without any area have an IoU of 0.
    """
    return upright.ratio(intersections(first, second), areas(first), areas(second))


def move(boxes: Boxes, matrix: Matrix) -> Doubles:
    """Apply an affine map to boxes `(n, 5)`.

    A map that is not a similarity turns rectangles into parallelograms. The result then keeps the direction of the
    longer side, and both lengths.
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
    """Vectors `(n, 2)` along the side w, as long as that side, and along h."""
    _, _, width, height, angle = boxes.astype(np.float64).T
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.stack([width * cosine, width * sine], axis=1), np.stack([-height * sine, height * cosine], axis=1)

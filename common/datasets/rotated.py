"""The rotated boxes of a data set."""

import numpy as np

from common.arrays import Bools, Doubles, Ints
from common.boxes.rotated import GRID, corners, from_upright
from common.contract import AngleUnit
from common.datasets.dataset import Dataset


def rotated_boxes(dataset: Dataset, unit: AngleUnit) -> Doubles:
    """Make boxes `(n, 5)`: cx, cy, w, h in pixels, and angles in radians as in the files, not normalised.

    Args:
        dataset: its boxes are not rotated yet.
        unit: unit of its angles.
    """
    return from_upright(dataset.boxes, dataset.angles.astype(np.float64) * unit.radians)


def inside(dataset: Dataset, boxes: Doubles, sizes: Ints) -> Bools:
    """Find the objects `(n,)` that lie in their image, at least in part. Rotated boxes cannot be clipped.

    Args:
        dataset: assigns the objects to images.
        boxes: `(n, 5)` of `rotated_boxes`.
        sizes: `(images, 2)` width and height in pixels.
    """
    import shapely  # only images with rotated boxes declare it

    width, height = sizes[dataset.image_index].T
    parts = shapely.intersection(shapely.polygons(corners(boxes)), shapely.box(0, 0, width, height), grid_size=GRID)
    visible: Bools = shapely.area(parts) > 0
    return visible

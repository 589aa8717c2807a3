"""The rotated boxes of a data set."""

import numpy as np

from common.arrays import Bools, Doubles, Ints
from common.boxes.rotated import GRID, corners, from_upright
from common.contract import AngleUnit
from common.datasets.dataset import Dataset


def rotated_boxes(dataset: Dataset, unit: AngleUnit) -> Doubles:
    """Boxes `(n, 5)` cx, cy, w, h in pixels and angle in radians, as the files have them: no angle is normalised.

    Args:
        dataset: holds the boxes as they are before they are turned about their centres.
        unit: of its angles.
    """
    return from_upright(dataset.boxes, dataset.angles.astype(np.float64) * unit.radians)


def inside(dataset: Dataset, boxes: Doubles, sizes: Ints) -> Bools:
    """Which objects `(n,)` lie in their image, at least in part. Rotated boxes cannot be cut at its border.

    Args:
        dataset: says to which image each object belongs.
        boxes: `(n, 5)` as `rotated_boxes` gives them.
        sizes: `(images, 2)` width and height in pixels.
    """
    import shapely  # only images with rotated boxes declare it

    width, height = sizes[dataset.image_index].T
    parts = shapely.intersection(shapely.polygons(corners(boxes)), shapely.box(0, 0, width, height), grid_size=GRID)
    visible: Bools = shapely.area(parts) > 0
    return visible

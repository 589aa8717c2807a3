"""Affine maps of the plane."""

import numpy as np

from common.arrays import Doubles

Matrix = Doubles
"""`(2, 3)`: maps a point (x, y, 1), in pixels from the top left corner of the image."""

IDENTITY: Matrix = np.eye(2, 3)


def apply(matrix: Matrix, points: Doubles) -> Doubles:
    """Map points `(..., 2)`."""
    moved: Doubles = points @ matrix[:, :2].T + matrix[:, 2]
    return moved

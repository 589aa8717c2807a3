"""Affine maps of the plane."""

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
"""`(2, 3)`: maps the point (x, y, 1), in pixels from the top left corner of the image."""

IDENTITY: Matrix = np.eye(2, 3)


def apply(matrix: Matrix, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where the points `(..., 2)` go."""
    moved: NDArray[np.float64] = points @ matrix[:, :2].T + matrix[:, 2]
    return moved

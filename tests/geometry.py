"""Detections that are nothing but boxes."""

import numpy as np
from numpy.typing import ArrayLike

from common.boxes.convention import SMALLEST_TURNS, Convention
from common.predictions import Detections, RotatedDetections


def upright(boxes: ArrayLike) -> Detections:
    """Boxes `(n, 4)` of one class, with a score of a half."""
    return Detections(*_columns(np.asarray(boxes, np.float32).reshape(-1, 4)))


def rotated(boxes: ArrayLike, convention: Convention = SMALLEST_TURNS) -> RotatedDetections:
    """Boxes `(n, 5)` of one class, with a score of a half."""
    return RotatedDetections(*_columns(np.asarray(boxes, np.float32).reshape(-1, 5)), convention)


def _columns(boxes: np.ndarray) -> tuple[np.ndarray, ...]:
    n = len(boxes)
    return boxes, np.full(n, 0.5, np.float32), np.zeros(n, np.int64), np.full((n, 1), 0.5, np.float32)

"""Rectangles around the polygons of data sets."""

import math
from collections.abc import Sequence

import cv2
import numpy as np

from workbench.imports.entry import Corners


def smallest_rectangle(points: Sequence[float]) -> tuple[Corners, float]:
    """The smallest rectangle around points, which may be turned.

    Args:
        points: `x1, y1, x2, y2, ...` in pixels.

    Returns:
        The corners that it has when it is turned back about its centre, and its angle in radians, clockwise as one sees
        it.
    """
    table = np.array(points, np.float64).reshape(-1, 2)
    origin = np.floor(table.min(axis=0))  # OpenCV takes single precision, which is finest near 0
    (x, y), (w, h), degrees = cv2.minAreaRect((table - origin).astype(np.float32))
    cx, cy = float(x + origin[0]), float(y + origin[1])
    return (cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2), math.radians(degrees)


def upright_hull(corners: Corners, angle: float) -> Corners:
    """The upright box around a rectangle that is turned by `angle` about its centre."""
    x1, y1, x2, y2 = corners
    cx, cy, w, h = (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1
    cosine, sine = abs(math.cos(angle)), abs(math.sin(angle))
    width, height = w * cosine + h * sine, w * sine + h * cosine
    return cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2


def extent(points: Sequence[float]) -> Corners:
    """The upright box around points `x1, y1, x2, y2, ...`."""
    xs, ys = points[::2], points[1::2]
    return min(xs), min(ys), max(xs), max(ys)

"""Boxes and masks as the picture and the page draw them."""

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from common.boxes import rotated
from workbench.sample import Angles, Boxes
from workbench.scene import Points

FINE: Final = 640
"""Pixels along the longer side; lines are not finer than that."""


@dataclass(frozen=True, slots=True)
class BoxOutline:
    """A rectangle that is turned about its centre.

    Attributes:
        corners: `x1, y1, x2, y2` in pixels before the turn, max corner exclusive.
        degrees: the turn, clockwise on the screen.
        top: place of its label: the upper edge `x1, y1, x2, y2`, or if it is turned the uppermost corner, twice.
    """

    corners: tuple[int, int, int, int]
    degrees: float
    top: tuple[float, float, float, float]

    @property
    def width(self) -> int:
        """Pixels, before the turn."""
        return self.corners[2] - self.corners[0]

    @property
    def height(self) -> int:
        """Pixels, before the turn."""
        return self.corners[3] - self.corners[1]

    @property
    def centre(self) -> tuple[float, float]:
        """`x, y` in pixels."""
        x1, y1, x2, y2 = self.corners
        return (x1 + x2) / 2, (y1 + y2) / 2


def box_outlines(boxes: Boxes, angles: Angles) -> list[BoxOutline]:
    """The box_outlines of boxes `(n, 4)`, turned by angles `(n,)` in radians."""
    turned = rotated.corners(rotated.from_upright(boxes, angles)).tolist()
    rows = zip(boxes.tolist(), angles.tolist(), turned, strict=True)
    return [_turned(box, angle, points) if angle else _upright(box) for box, angle, points in rows]


def _upright(box: list[int]) -> BoxOutline:
    x1, y1, x2, y2 = box
    return BoxOutline((x1, y1, x2, y2), 0.0, (x1, y1, x2, y1))


def _turned(box: list[int], angle: float, points: list[list[float]]) -> BoxOutline:
    x1, y1, x2, y2 = box
    x, y = min(points, key=lambda point: point[1])
    return BoxOutline((x1, y1, x2, y2), math.degrees(angle), (x, y, x, y))


@dataclass(frozen=True, slots=True, eq=False)
class MaskOutline:
    """Outline of a mask: closed lines through the middles of its outermost pixels.

    Attributes:
        rings: lines around each part and each hole, in pixels. A point within an odd number of them is covered.
        top: place of its label: the uppermost point `x, y`, twice. (0, 0) of an empty mask.
    """

    rings: tuple[Points, ...]
    top: tuple[float, float, float, float]

    @property
    def path(self) -> str:
        """The rings as SVG writes them."""
        lines = ("L".join(f"{x:g},{y:g}" for x, y in ring.tolist()) for ring in self.rings)
        return "".join(f"M{line}Z" for line in lines)


def mask_outline(mask: NDArray[np.bool_]) -> MaskOutline:
    """The outline of a mask `(H, W)`, of any number of parts and holes."""
    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    coarse = max(mask.shape) / FINE
    lines = [cv2.approxPolyDP(ring, coarse, closed=True) for ring in found] if coarse > 1 else found
    rings = tuple(ring[:, 0].astype(np.float64) + 0.5 for ring in lines)
    points = np.concatenate(rings).tolist() if rings else [[0.0, 0.0]]
    x, y = min(points, key=lambda point: (point[1], point[0]))
    return MaskOutline(rings, (x, y, x, y))


Outline = BoxOutline | MaskOutline

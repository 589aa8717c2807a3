"""A box as the picture and the page draw it."""

import math
from dataclasses import dataclass

from common.boxes import rotated
from workbench.sample import Angles, Boxes


@dataclass(frozen=True, slots=True)
class Frame:
    """A rectangle that is turned about its centre.

    Attributes:
        corners: `x1, y1, x2, y2` in pixels before the turn, max corner exclusive.
        degrees: the turn, clockwise as one sees it.
        top: where its label goes: the upper edge `x1, y1, x2, y2`, or if it is turned the uppermost corner, twice.
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


def frames(boxes: Boxes, angles: Angles) -> list[Frame]:
    """The frames of boxes `(n, 4)`, turned by angles `(n,)` in radians."""
    turned = rotated.corners(rotated.from_upright(boxes, angles)).tolist()
    rows = zip(boxes.tolist(), angles.tolist(), turned, strict=True)
    return [_turned(box, angle, points) if angle else _upright(box) for box, angle, points in rows]


def _upright(box: list[int]) -> Frame:
    x1, y1, x2, y2 = box
    return Frame((x1, y1, x2, y2), 0.0, (x1, y1, x2, y1))


def _turned(box: list[int], angle: float, points: list[list[float]]) -> Frame:
    x1, y1, x2, y2 = box
    x, y = min(points, key=lambda point: point[1])
    return Frame((x1, y1, x2, y2), math.degrees(angle), (x, y, x, y))

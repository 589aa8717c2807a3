"""Conventions of rotated boxes. One rectangle can be written in four ways, and in two units."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from common.arrays import Doubles
from common.contract import AngleUnit

QUARTER = math.pi / 2
TOLERANCE = 1e-6
"""Radians; more than the rounding error of an angle in float32."""


@dataclass(frozen=True, slots=True)
class Convention:
    """One of the ways to write a rectangle, as a data set uses it.

    The platform compares boxes as if they were not rotated, so a prediction counts only if it is written like the data
    set: a ship that points down is 20 x 100 at angle 0, or 100 x 20 at a quarter turn.

    Attributes:
        unit: unit of the angles in the files.
        start: radians; angles lie in `[start, start + pi/2)`, with `long_side` in `[start, start + pi)`.
        long_side: whether w is always the longer side.
    """

    unit: AngleUnit = AngleUnit.RADIAN
    start: float = -QUARTER / 2
    long_side: bool = False

    @classmethod
    def of(cls, boxes: NDArray[np.floating], unit: AngleUnit) -> Self:
        """Find the convention of all boxes `(n, 5)` of a data set, with angles in radians.

        The range is centred on the angles that occur, with equal margins, so that small errors of a prediction do not
        leave it. Boxes without a convention (such as angles all around the circle) get the smallest turns: from -pi/4
        to pi/4.
        """
        if not len(boxes):
            return cls(unit)
        low, high = float(boxes[:, 4].min()), float(boxes[:, 4].max())
        middle = (low + high) / 2
        if high - low < QUARTER - TOLERANCE:
            return cls(unit, middle - QUARTER / 2, long_side=False)
        if high - low < 2 * QUARTER + TOLERANCE and (boxes[:, 2] >= boxes[:, 3]).all():
            return cls(unit, middle - QUARTER, long_side=True)
        return cls(unit)

    def apply(self, boxes: NDArray[np.floating]) -> Doubles:
        """Rewrite rectangles `(n, 5)` in this convention; angles stay in radians.

        Squares (to the pixel) do not have a longer side; their angles stay within an eighth of a turn of the middle of
        the range.
        """
        _, _, width, height, angle = boxes.astype(np.float64).T
        start = np.full(len(boxes), self.start)
        if self.long_side:
            square = np.rint(width) == np.rint(height)
            start[square] += QUARTER / 2
            turns = np.where(square, np.floor((angle - start) / QUARTER), _turns_to_long(width, height, angle, start))
        else:
            turns = np.floor((angle - start) / QUARTER)
        written = boxes.astype(np.float64)
        written[:, 4] -= turns * QUARTER
        swapped = turns % 2 == 1
        written[swapped, 2:4] = written[swapped, 3:1:-1]
        return written

    def as_dict(self) -> dict[str, str | float | bool]:
        """Convert to plain values for a configuration file; `from_dict` reads them."""
        return {"unit": self.unit.value, "start": self.start, "long_side": self.long_side}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Read the values of `as_dict`."""
        return cls(AngleUnit(content["unit"]), float(content["start"]), bool(content["long_side"]))


def _turns_to_long(width: Doubles, height: Doubles, angle: Doubles, start: Doubles) -> Doubles:
    """Count the quarter turns to take back, so that w is the longer side and the angle is in `[start, start + pi)`."""
    tall = (width < height).astype(np.float64)
    turns: Doubles = tall + 2 * np.floor((angle - tall * QUARTER - start) / (2 * QUARTER))
    return turns


SMALLEST_TURNS = Convention()
"""Default, when no data set is known."""

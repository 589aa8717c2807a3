"""What is seen from above in the rotated sample data: three classes, and shapes that belong to none."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.outlines import Outline, Points, crescent, disc, star


def ship(rng: np.random.Generator) -> list[Points]:
    """A hull with a pointed bow, and a deck house in its rear half."""
    shoulder, stern = rng.uniform(0.35, 0.65), rng.uniform(0.7, 0.95)
    hull = _mirrored([(1.0, 0.12), (0.5 + shoulder / 2, 0.62), (shoulder, 1.0), (-0.8, 1.0), (-1.0, stern)])
    rear = rng.uniform(-0.8, -0.5)
    return [hull, _rectangle(rear, rear + rng.uniform(0.3, 0.6), 0.5)]


def vehicle(rng: np.random.Generator) -> list[Points]:
    """A box with blunt corners, and a windscreen in its front half."""
    body = _mirrored([(1.0, 0.72), (0.88, 1.0), (-0.9, 1.0), (-1.0, 0.8)])
    front = rng.uniform(0.15, 0.4)
    return [body, _rectangle(front, front + 0.28, 0.72)]


def plane(rng: np.random.Generator) -> list[Points]:
    """A fuselage with swept wings and a tail."""
    root, tip, tail = rng.uniform(0.2, 0.4), rng.uniform(-0.45, -0.15), rng.uniform(0.35, 0.5)
    half = [(1.0, 0.05), (0.85, 0.14), (root, 0.14), (tip + 0.08, 1.0), (tip - 0.12, 1.0), (root - 0.45, 0.14)]
    return [_mirrored([*half, (-0.75, 0.12), (-0.9, tail), (-1.0, tail), (-0.96, 0.06)])]


@dataclass(frozen=True, slots=True)
class Kind:
    """A class of objects.

    Attributes:
        parts: the outline, then what lies within it, all in the square from -1 to 1: x along the length, ahead to the
            right. The outline touches all four sides.
        length: pixels; the bounds of a draw that is even on a log scale.
        ratio: breadth over length, at most 1; the bounds of a uniform draw.
    """

    parts: Callable[[np.random.Generator], list[Points]]
    length: tuple[float, float]
    ratio: tuple[float, float]


CLASSES: Final = {
    "ship": Kind(ship, (44.0, 88.0), (0.28, 0.4)),
    "vehicle": Kind(vehicle, (28.0, 48.0), (0.45, 0.6)),
    "plane": Kind(plane, (36.0, 64.0), (0.78, 1.0)),
}
"""The classes of the rotated sample data, in the order of their indices."""

CLUTTER: Final[tuple[Outline, ...]] = (disc, star, crescent)
"""Tanks, trees and bays: shapes that a detector must learn to leave alone."""


def _mirrored(half: list[tuple[float, float]]) -> Points:
    """A closed outline from its lower half, front to rear."""
    lower = np.array(half)
    return np.concatenate([lower, (lower * [1, -1])[::-1]])


def _rectangle(rear: float, front: float, half_width: float) -> Points:
    return np.array([[rear, -half_width], [front, -half_width], [front, half_width], [rear, half_width]])

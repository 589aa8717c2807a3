"""The outlines of the three classes, and of shapes that belong to none."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
"""`(n, 2)` float64, corners `x, y` of a closed polygon."""


def disc(rng: np.random.Generator) -> Points:
    """A circle of radius 1; squeezing it is the caller's."""
    angles = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def triangle(rng: np.random.Generator) -> Points:
    """Three corners on the unit circle, about 120 degrees apart."""
    angles = np.radians(np.array([90.0, 210.0, 330.0]) + rng.uniform(-14, 14, 3))
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def star(rng: np.random.Generator) -> Points:
    """Five points on the unit circle, with valleys at 0.38 to 0.5 of the radius."""
    angles = np.linspace(0, 2 * np.pi, 10, endpoint=False)
    radii = np.where(np.arange(10) % 2 == 0, 1.0, rng.uniform(0.38, 0.5))
    corners: Points = np.stack([np.cos(angles), np.sin(angles)], axis=1) * radii[:, None]
    return corners


def square(rng: np.random.Generator) -> Points:
    """A square whose corners lie on the unit circle."""
    corners: Points = np.array([[1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]]) / np.sqrt(2)
    return corners


def cross(rng: np.random.Generator) -> Points:
    """A plus sign with arms of 0.24 to 0.34 half width."""
    arm = rng.uniform(0.24, 0.34)
    quarter = np.array([[arm, arm], [arm, 0.95], [-arm, 0.95]])
    turns = [np.array([[0, -1], [1, 0]]), np.array([[-1, 0], [0, -1]]), np.array([[0, 1], [-1, 0]])]
    return np.concatenate([quarter, *(quarter @ turn.T for turn in turns)])


def crescent(rng: np.random.Generator) -> Points:
    """A sickle: half of the unit circle, hollowed out from the other side."""
    angles = np.linspace(-0.5 * np.pi, 0.5 * np.pi, 24)
    outer = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    hollow = outer[::-1] * [rng.uniform(0.3, 0.6), 1.0]
    return np.concatenate([outer, hollow])


Outline = Callable[[np.random.Generator], Points]

CLASSES: Final[dict[str, Outline]] = {"disc": disc, "triangle": triangle, "star": star}
"""The classes of the sample data, in the order of their indices."""

DISTRACTORS: Final[tuple[Outline, ...]] = (square, cross, crescent)
"""Shapes that a detector must learn to leave alone."""

HOLE: Final[Points] = 0.24 * disc(np.random.default_rng(0))
"""Lies within the outline of every class."""

BAR: Final[Points] = np.array([[-0.12, -1.1], [0.12, -1.1], [0.12, 1.1], [-0.12, 1.1]])
"""Cuts every class in two parts or more."""


def place(points: Points, radius: float, squeeze: float, degrees: float, centre: tuple[float, float]) -> Points:
    """An outline in image coordinates.

    Args:
        points: the outline in the unit circle.
        radius: pixels.
        squeeze: height over width before the turn, at most 1.
        degrees: the turn.
        centre: `x, y` in pixels.
    """
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    placed: Points = (points * [radius, radius * squeeze]) @ turn.T + np.asarray(centre)
    return placed

"""Discs, triangles and stars on textured backgrounds, with upright boxes and masks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import cv2
import numpy as np

from workbench import scene
from workbench.paint import DARK, UNSHARP, Mask
from workbench.scene import Figure, Owners, Points, place
from workbench.textures import Canvas


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


Contour = Callable[[np.random.Generator], Points]

CLASSES: Final[dict[str, Contour]] = {"disc": disc, "triangle": triangle, "star": star}
"""The classes of the sample data, in the order of their indices."""

DISTRACTORS: Final[tuple[Contour, ...]] = (square, cross, crescent)
"""Shapes that a detector must learn to leave alone."""

HOLE: Final[Points] = 0.24 * disc(np.random.default_rng(0))
"""Lies within the outline of every class."""

BAR: Final[Points] = np.array([[-0.12, -1.1], [0.12, -1.1], [0.12, 1.1], [-0.12, 1.1]])
"""Cuts every class in two parts or more."""

CLASS_NAMES: Final = tuple(CLASSES)

_SUBPIXEL_BITS: Final = 4
_ATTEMPTS: Final = 12


@dataclass(frozen=True, slots=True)
class Scene(scene.Scene):
    """Objects that may hide a part of each other. Pairs are the bounds of a uniform draw.

    Attributes:
        radius: pixels.
        least_visible: share of an object that stays in sight behind others and within the image, 0 to 1.
        holed_share: share of objects with a hole, 0 to 1.
        split_share: share of objects in two parts or more, 0 to 1.
    """

    radius: tuple[float, float] = (18.0, 48.0)
    least_visible: float = 0.75
    holed_share: float = 0.0
    split_share: float = 0.0

    def distractor(self, rng: np.random.Generator, shape: tuple[int, int]) -> Canvas:
        """A square, a cross or a crescent."""
        return _alpha(self._pose(rng, DISTRACTORS[rng.integers(len(DISTRACTORS))], shape), shape)

    def figure(self, rng: np.random.Generator, owners: Owners, placed: Sequence[Figure]) -> Figure | None:
        """An object that is in sight, and leaves all others in sight."""
        kind = int(rng.integers(len(CLASSES)))
        for _ in range(_ATTEMPTS):
            alpha, area = self._cover(rng, list(CLASSES.values())[kind], owners.shape)
            shown = alpha >= 0.5
            if shown.sum() >= self.least_visible * area and self._leaves(owners, shown, placed):
                return Figure(kind, [alpha], shown, area)
        return None

    def _cover(self, rng: np.random.Generator, outline: Contour, shape: tuple[int, int]) -> tuple[Canvas, float]:
        """An object somewhere in the image: how much of each pixel it covers, and its whole area in pixels."""
        cut = self._cut(rng)
        posed = self._pose(rng, lambda rng: np.concatenate([outline(rng), cut]), shape)
        points, hole = np.split(posed, [len(posed) - len(cut)])
        alpha, area = _alpha(points, shape), float(cv2.contourArea(points.astype(np.float32)))
        if not len(cut):
            return alpha, area
        left: Canvas = alpha * (1 - _alpha(hole, shape))
        shown, all_shown = (int(np.count_nonzero(part >= 0.5)) for part in (left, alpha))
        return left, area * shown / max(all_shown, 1)

    def _cut(self, rng: np.random.Generator) -> Points:
        """The part that an object lacks, in its unit circle: a hole, a bar from end to end, or nothing."""
        if not self.holed_share + self.split_share:
            return np.zeros((0, 2))
        chance = rng.random()
        if chance < self.holed_share:
            return HOLE
        return BAR if chance < self.holed_share + self.split_share else np.zeros((0, 2))

    def _leaves(self, owners: Owners, shown: Mask, placed: Sequence[Figure]) -> bool:
        """True if every earlier object stays in sight when the pixels `shown` are painted over."""
        return all(
            np.count_nonzero((owners == index) & ~shown) >= self.least_visible * figure.area
            for index, figure in enumerate(placed)
        )

    def _pose(self, rng: np.random.Generator, outline: Contour, shape: tuple[int, int]) -> Points:
        """An outline somewhere in the image: any place, turn and size, sizes evenly spread on a log scale."""
        height, width = shape
        radius = float(np.exp(rng.uniform(*np.log(self.radius))))
        centre = (rng.uniform(0.4 * radius, width - 0.4 * radius), rng.uniform(0.4 * radius, height - 0.4 * radius))
        return place(outline(rng), radius, rng.uniform(0.65, 1.0), rng.uniform(0, 360), centre)


PLAIN: Final = Scene()
DIM: Final = Scene(exposure=DARK, empty_share=0.0)
CROWDED: Final = Scene(objects=(9, 15), radius=(12.0, 30.0), empty_share=0.0, least_visible=0.45)
BLURRED: Final = Scene(exposure=UNSHARP, empty_share=0.0)
CUT: Final = Scene(holed_share=0.3, split_share=0.3)
"""For segmentation: an outline alone does not say what such an object covers."""
LARGE: Final = replace(CUT, objects=(1, 3), distractors=(0, 1), radius=(40.0, 80.0))
"""For models that see every eighth pixel, such as FastSCNN."""

render = partial(scene.render, scene=PLAIN)


def _alpha(points: Points, shape: tuple[int, int]) -> Canvas:
    """`(H, W)` float32: how much of each pixel an outline covers, 0 to 1."""
    alpha = np.zeros(shape, np.uint8)
    corners = np.rint(points * (1 << _SUBPIXEL_BITS)).astype(np.int32)
    cv2.fillPoly(alpha, [corners], 255, cv2.LINE_AA, _SUBPIXEL_BITS)
    return alpha.astype(np.float32) / np.float32(255)

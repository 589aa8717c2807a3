"""Renders sample images: the same ones for the same seed. `shapes` and `ships` are the two palettes."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from workbench.paint import CLEAR, Exposure, Mask, expose, paint
from workbench.sample import Sample
from workbench.textures import Canvas, background

SIZES: Final = ((192, 192), (192, 256), (256, 192), (224, 224), (208, 240), (256, 256))
"""Heights and widths of the images, pixels."""

Points = NDArray[np.float64]
"""`(n, 2)` float64, corners `x, y` of a closed polygon."""

Owners = NDArray[np.int16]
"""`(H, W)` int16: the object that each pixel belongs to, -1 for none."""


@dataclass(frozen=True, eq=False, slots=True)
class Figure:
    """An object that has found its place.

    Attributes:
        kind: its class.
        parts: `(H, W)` each: how much of each pixel a part covers, 0 to 1, in the order in which they are painted.
        mask: the pixels that it takes.
        area: pixels that it would cover if it were alone in an endless image.
        corners: `x1, y1, x2, y2` of its box, turned back to angle 0; None = the tightest box of what stays in sight.
        angle: radians, clockwise on the screen.
    """

    kind: int
    parts: Sequence[Canvas]
    mask: Mask
    area: float
    corners: tuple[int, int, int, int] | None = None
    angle: float = 0.0


@dataclass(frozen=True, slots=True)
class Scene(ABC):
    """Look of a set of images. Pairs are the bounds of a uniform draw, both included.

    Attributes:
        objects: number of objects on an image that is not empty; fewer if there is no room.
        distractors: number of shapes of no class.
        exposure: how the images are photographed.
        empty_share: share of images without any object of a class, 0 to 1.
    """

    objects: tuple[int, int] = (1, 5)
    distractors: tuple[int, int] = (0, 2)
    exposure: Exposure = CLEAR
    empty_share: float = 0.08

    @abstractmethod
    def distractor(self, rng: np.random.Generator, shape: tuple[int, int]) -> Canvas:
        """A shape of no class somewhere in an image of `shape`: how much of each pixel it covers."""

    @abstractmethod
    def figure(self, rng: np.random.Generator, owners: Owners, placed: Sequence[Figure]) -> Figure | None:
        """An object of a random class where there is room for it, or None if there is none.

        Args:
            rng: draws class, place, turn and size.
            owners: which of the objects so far each pixel belongs to.
            placed: the objects so far.
        """


def render(count: int, seed: int, scene: Scene) -> list[Sample]:
    """`count` images of `scene`; image i depends on `seed` and i alone."""
    return [render_owned(np.random.default_rng([seed, index]), scene)[0] for index in range(count)]


def render_owned(rng: np.random.Generator, scene: Scene) -> tuple[Sample, Owners]:
    """One image with its objects in the order in which they were painted, and the object that each pixel belongs to."""
    shape = SIZES[rng.integers(len(SIZES))]
    canvas = background(rng, *shape)
    for _ in range(rng.integers(*scene.distractors, endpoint=True)):
        paint(rng, canvas, scene.distractor(rng, shape))
    owners = np.full(shape, -1, np.int16)
    placed: list[Figure] = []
    for _ in range(0 if rng.random() < scene.empty_share else rng.integers(*scene.objects, endpoint=True)):
        figure = scene.figure(rng, owners, placed)
        if figure is not None:
            for part in figure.parts:
                paint(rng, canvas, part)
            owners[figure.mask] = len(placed)
            placed.append(figure)
    boxes = [figure.corners or visible_box(owners == index) for index, figure in enumerate(placed)]
    sample = Sample(
        expose(rng, canvas, scene.exposure),
        np.array(boxes, np.int64).reshape(-1, 4),
        np.array([figure.kind for figure in placed], np.int64),
        np.array([figure.angle for figure in placed], np.float64),
    )
    return sample, owners


def visible_box(mask: Mask) -> tuple[int, int, int, int]:
    """The tightest box around the pixels of a mask that has some: corners, max corner exclusive."""
    ys, xs = np.nonzero(mask)
    return int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1


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

"""Ships, vehicles and planes as seen from above, with rotated boxes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import cv2
import numpy as np

from workbench import scene
from workbench.paint import DARK, UNSHARP
from workbench.scene import Figure, Owners, Points, place
from workbench.shapes import Contour, crescent, disc, star
from workbench.textures import Canvas

_ATTEMPTS: Final = 20
_FINENESS: Final = 8
"""Samples along a pixel's side: the edge that is drawn lies within 1/8 pixel of the edge that is annotated."""


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

DISTRACTORS: Final[tuple[Contour, ...]] = (disc, star, crescent)
"""Tanks, trees and bays: shapes that a detector must learn to leave alone."""

CLASS_NAMES: Final = tuple(CLASSES)


@dataclass(frozen=True, slots=True)
class Pose:
    """Place of an object.

    Attributes:
        corners: `x1, y1, x2, y2`, whole pixels, max corner exclusive, of the object turned back to angle 0.
        angle: radians from -pi/2 to pi/2, clockwise on the screen.
        backwards: whether it heads for the end of its length that the angle does not point to.
    """

    corners: tuple[int, int, int, int]
    angle: float
    backwards: bool

    def place(self, points: Points) -> Points:
        """Points of the square from -1 to 1, whose x axis is the length of the object, in image coordinates."""
        x1, y1, x2, y2 = self.corners
        ahead = points * [-1, 1] if self.backwards else points
        centre = ((x1 + x2) / 2, (y1 + y2) / 2)
        return place(ahead, (x2 - x1) / 2, (y2 - y1) / (x2 - x1), np.degrees(self.angle), centre)


@dataclass(frozen=True, slots=True)
class Scene(scene.Scene):
    """Objects in full sight, each of which reaches all four sides of its rotated box.

    Attributes:
        scale: factor of the lengths of the objects; the bounds of a uniform draw.
    """

    objects: tuple[int, int] = (4, 12)
    scale: tuple[float, float] = (0.9, 1.1)
    empty_share: float = 0.05

    def distractor(self, rng: np.random.Generator, shape: tuple[int, int]) -> Canvas:
        """A tank, a tree or a bay."""
        height, width = shape
        outline = DISTRACTORS[rng.integers(len(DISTRACTORS))](rng)
        centre = (rng.uniform(0, width), rng.uniform(0, height))
        return cover(place(outline, rng.uniform(8, 28), 1.0, rng.uniform(0, 360), centre), height, width)

    def figure(self, rng: np.random.Generator, owners: Owners, placed: Sequence[Figure]) -> Figure | None:
        """An object within the image whose rotated box touches no other's."""
        height, width = owners.shape
        index = int(rng.integers(len(CLASSES)))
        kind = list(CLASSES.values())[index]
        for _ in range(_ATTEMPTS):
            pose = self._pose(rng, kind, height, width)
            corners = pose.place(_SQUARE)
            if (corners.min(axis=0) < 0).any() or (corners.max(axis=0) > (width, height)).any():
                continue
            needed = cover(corners, height, width) > 0
            if not (needed & (owners >= 0)).any():
                parts = [cover(pose.place(part), height, width) for part in kind.parts(rng)]
                return Figure(index, parts, needed, float(needed.sum()), pose.corners, pose.angle)
        return None

    def _pose(self, rng: np.random.Generator, kind: Kind, height: int, width: int) -> Pose:
        """Any place and turn; whole sides, so that the centre lies on a pixel's middle or edge."""
        length = float(np.exp(rng.uniform(*np.log(kind.length)))) * rng.uniform(*self.scale)
        long = round(length)
        across = round(length * rng.uniform(*kind.ratio))
        x1, y1 = round(rng.uniform(0, width) - long / 2), round(rng.uniform(0, height) - across / 2)
        angle = rng.uniform(-np.pi / 2, np.pi / 2)
        return Pose((x1, y1, x1 + long, y1 + across), angle, backwards=bool(rng.random() < 0.5))


PLAIN: Final = Scene()
DIM: Final = Scene(exposure=DARK, empty_share=0.0)
CROWDED: Final = Scene(objects=(18, 26), scale=(0.7, 0.85), empty_share=0.0)
BLURRED: Final = Scene(exposure=UNSHARP, empty_share=0.0)

render = partial(scene.render, scene=PLAIN)


def cover(points: Points, height: int, width: int) -> Canvas:
    """`(height, width)` float32: how much of each pixel a polygon covers, 0 to 1."""
    alpha = np.zeros((height, width), np.float32)
    x1, y1 = np.maximum(np.floor(points.min(axis=0)), 0).astype(int)
    x2, y2 = np.minimum(np.ceil(points.max(axis=0)), (width, height)).astype(int)
    fine = np.zeros(((y2 - y1) * _FINENESS, (x2 - x1) * _FINENESS), np.uint8)
    # OpenCV's integers are the centres of pixels, ours the edges between them.
    corners = (points - (x1, y1)) * _FINENESS - 0.5
    cv2.fillPoly(fine, [np.rint(corners * 16).astype(np.int32)], 255, cv2.LINE_8, 4)
    alpha[y1:y2, x1:x2] = cv2.resize(fine, (x2 - x1, y2 - y1), interpolation=cv2.INTER_AREA) / np.float32(255)
    return alpha


_SQUARE: Final = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])


def _mirrored(half: list[tuple[float, float]]) -> Points:
    """A closed outline from its lower half, front to rear."""
    lower = np.array(half)
    return np.concatenate([lower, (lower * [1, -1])[::-1]])


def _rectangle(rear: float, front: float, half_width: float) -> Points:
    return np.array([[rear, -half_width], [front, -half_width], [front, half_width], [rear, half_width]])

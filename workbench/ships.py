"""Renders rotated sample data: ships, vehicles and planes as seen from above, the same ones for the same seed."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from workbench.hulls import CLASSES, CLUTTER, Kind
from workbench.outlines import Points, place
from workbench.paint import CLEAR, DARK, UNSHARP, Exposure, expose, paint
from workbench.sample import Sample
from workbench.shapes import SIZES
from workbench.textures import Canvas, background

CLASS_NAMES: Final = tuple(CLASSES)

_ATTEMPTS: Final = 20
_FINENESS: Final = 8
"""Samples along a pixel's side: the edge that is drawn lies within 1/8 pixel of the edge that is annotated."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What a set of images looks like. Pairs are the bounds of a uniform draw.

    Attributes:
        objects: how many objects an image that is not empty has at most, both ends included: fewer if there is no room.
        clutter: how many shapes of no class every image has, both ends included.
        scale: factor of the lengths of the objects.
        exposure: how they are photographed.
        empty_share: how many images have no object of a class at all, 0 to 1.
    """

    objects: tuple[int, int] = (4, 12)
    clutter: tuple[int, int] = (0, 2)
    scale: tuple[float, float] = (0.9, 1.1)
    exposure: Exposure = CLEAR
    empty_share: float = 0.05


PLAIN: Final = Scene()
DIM: Final = Scene(exposure=DARK, empty_share=0.0)
CROWDED: Final = Scene(objects=(18, 26), scale=(0.7, 0.85), empty_share=0.0)
BLURRED: Final = Scene(exposure=UNSHARP, empty_share=0.0)


@dataclass(frozen=True, slots=True)
class Pose:
    """Where an object lies.

    Attributes:
        corners: `x1, y1, x2, y2`, whole pixels, max corner exclusive, of the object turned back to angle 0.
        angle: radians from -pi/2 to pi/2, clockwise as one sees it.
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


def render(count: int, seed: int, scene: Scene = PLAIN) -> list[Sample]:
    """`count` images of `scene`; image i depends on `seed` and i alone."""
    return [render_one(np.random.default_rng([seed, index]), scene) for index in range(count)]


def render_one(rng: np.random.Generator, scene: Scene) -> Sample:
    """One image. Every object lies within it, in full sight, and reaches all four sides of its rotated box."""
    height, width = SIZES[rng.integers(len(SIZES))]
    canvas = background(rng, height, width)
    _paint_clutter(rng, canvas, scene)
    classes: list[int] = []
    poses: list[Pose] = []
    taken = np.zeros((height, width), np.bool_)
    for _ in range(0 if rng.random() < scene.empty_share else rng.integers(*scene.objects, endpoint=True)):
        wanted = int(rng.integers(len(CLASSES)))
        kind = list(CLASSES.values())[wanted]
        pose = _free_pose(rng, kind, scene, taken)
        if pose is not None:
            _paint_object(rng, canvas, kind, pose)
            classes.append(wanted)
            poses.append(pose)
    return Sample(
        expose(rng, canvas, scene.exposure),
        np.array([pose.corners for pose in poses], np.int64).reshape(-1, 4),
        np.array(classes, np.int64),
        np.array([pose.angle for pose in poses], np.float64),
    )


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


def _paint_clutter(rng: np.random.Generator, canvas: Canvas, scene: Scene) -> None:
    """Paints shapes of no class onto `canvas`, in place."""
    height, width = canvas.shape[:2]
    for _ in range(rng.integers(*scene.clutter, endpoint=True)):
        outline = CLUTTER[rng.integers(len(CLUTTER))](rng)
        centre = (rng.uniform(0, width), rng.uniform(0, height))
        points = place(outline, rng.uniform(8, 28), 1.0, rng.uniform(0, 360), centre)
        paint(rng, canvas, cover(points, height, width))


def _paint_object(rng: np.random.Generator, canvas: Canvas, kind: Kind, pose: Pose) -> None:
    """Paints an object and what is on top of it onto `canvas`, in place."""
    height, width = canvas.shape[:2]
    for part in kind.parts(rng):
        paint(rng, canvas, cover(pose.place(part), height, width))


def _free_pose(rng: np.random.Generator, kind: Kind, scene: Scene, taken: NDArray[np.bool_]) -> Pose | None:
    """A place within the image that no other object needs, marked in `taken`; None if none was found."""
    height, width = taken.shape
    for _ in range(_ATTEMPTS):
        pose = _pose(rng, kind, scene, height, width)
        corners = pose.place(_SQUARE)
        if (corners.min(axis=0) < 0).any() or (corners.max(axis=0) > (width, height)).any():
            continue
        needed = cover(corners, height, width) > 0
        if not (needed & taken).any():
            taken |= needed
            return pose
    return None


_SQUARE: Final = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])


def _pose(rng: np.random.Generator, kind: Kind, scene: Scene, height: int, width: int) -> Pose:
    """Any place and turn; whole sides, so that the centre lies on a pixel's middle or edge."""
    length = float(np.exp(rng.uniform(*np.log(kind.length)))) * rng.uniform(*scene.scale)
    long = round(length)
    across = round(length * rng.uniform(*kind.ratio))
    x1, y1 = round(rng.uniform(0, width) - long / 2), round(rng.uniform(0, height) - across / 2)
    angle = rng.uniform(-np.pi / 2, np.pi / 2)
    return Pose((x1, y1, x1 + long, y1 + across), angle, backwards=bool(rng.random() < 0.5))

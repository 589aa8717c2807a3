"""Renders the sample data: discs, triangles and stars on textured backgrounds, the same ones for the same seed."""

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from workbench.outlines import BAR, CLASSES, DISTRACTORS, HOLE, Outline, Points, place
from workbench.paint import CLEAR, DARK, UNSHARP, Exposure, Mask, expose, paint
from workbench.sample import Boxes, Sample
from workbench.textures import Canvas, background

CLASS_NAMES: Final = tuple(CLASSES)
SIZES: Final = ((192, 192), (192, 256), (256, 192), (224, 224), (208, 240), (256, 256))
"""Heights and widths of the images, pixels."""

Owners = NDArray[np.int16]
"""`(H, W)` int16: the object that a pixel shows, -1 for none."""

_SUBPIXEL_BITS: Final = 4
_ATTEMPTS: Final = 12


@dataclass(frozen=True, slots=True)
class Scene:
    """What a set of images looks like. Pairs are the bounds of a uniform draw.

    Attributes:
        objects: how many objects an image that is not empty has, both ends included.
        distractors: how many shapes of no class every image has, both ends included.
        radius: pixels.
        exposure: how they are photographed.
        empty_share: how many images have no object of a class at all, 0 to 1.
        least_visible: how much of an object must stay in sight behind others and within the image, 0 to 1.
        holed_share: how many objects have a hole, 0 to 1.
        split_share: how many objects are of two parts or more, 0 to 1.
    """

    objects: tuple[int, int] = (1, 5)
    distractors: tuple[int, int] = (0, 2)
    radius: tuple[float, float] = (18.0, 48.0)
    exposure: Exposure = CLEAR
    empty_share: float = 0.08
    least_visible: float = 0.75
    holed_share: float = 0.0
    split_share: float = 0.0


PLAIN: Final = Scene()
DIM: Final = Scene(exposure=DARK, empty_share=0.0)
CROWDED: Final = Scene(objects=(9, 15), radius=(12.0, 30.0), empty_share=0.0, least_visible=0.45)
BLURRED: Final = Scene(exposure=UNSHARP, empty_share=0.0)
CUT: Final = Scene(holed_share=0.3, split_share=0.3)
"""For segmentation: an outline alone does not tell what such an object covers."""
LARGE: Final = replace(CUT, objects=(1, 3), distractors=(0, 1), radius=(40.0, 80.0))
"""For models that see every eighth pixel, such as FastSCNN."""


def render(count: int, seed: int, scene: Scene = PLAIN) -> list[Sample]:
    """`count` images of `scene`; image i depends on `seed` and i alone."""
    return [render_one(np.random.default_rng([seed, index]), scene) for index in range(count)]


def render_one(rng: np.random.Generator, scene: Scene) -> Sample:
    """One image with the boxes of what can be seen on it, in the order in which it was painted."""
    return render_owned(rng, scene)[0]


def render_owned(rng: np.random.Generator, scene: Scene) -> tuple[Sample, Owners]:
    """The same, and which object each pixel shows."""
    height, width = SIZES[rng.integers(len(SIZES))]
    canvas = background(rng, height, width)
    owners = np.full((height, width), -1, np.int16)
    for _ in range(rng.integers(*scene.distractors, endpoint=True)):
        paint(rng, canvas, _alpha(_pose(rng, DISTRACTORS[rng.integers(len(DISTRACTORS))], scene, owners), owners))
    classes = [] if rng.random() < scene.empty_share else _paint_objects(rng, canvas, owners, scene)
    boxes = visible_boxes(owners, len(classes))
    return Sample(expose(rng, canvas, scene.exposure), boxes, np.array(classes, np.int64)), owners


def visible_boxes(owners: Owners, count: int) -> Boxes:
    """The tightest boxes around the pixels that show each object: `(count, 4)`, max corner exclusive.

    Args:
        owners: every one of the objects 0 to `count` - 1 owns a pixel.
    """
    boxes = np.zeros((count, 4), np.int64)
    for index in range(count):
        ys, xs = np.nonzero(owners == index)
        boxes[index] = xs.min(), ys.min(), xs.max() + 1, ys.max() + 1
    return boxes


def _paint_objects(rng: np.random.Generator, canvas: Canvas, owners: Owners, scene: Scene) -> list[int]:
    """Paints objects of random classes onto `canvas` and `owners`, in place; returns their classes."""
    classes: list[int] = []
    full_areas: list[float] = []
    outlines = list(CLASSES.values())
    for _ in range(rng.integers(*scene.objects, endpoint=True)):
        wanted = int(rng.integers(len(outlines)))
        for _ in range(_ATTEMPTS):
            alpha, area = _figure(rng, outlines[wanted], scene, owners)
            shown = alpha >= 0.5
            if shown.sum() >= scene.least_visible * area and _leaves(owners, shown, full_areas, scene.least_visible):
                paint(rng, canvas, alpha)
                owners[shown] = len(classes)
                classes.append(wanted)
                full_areas.append(area)
                break
    return classes


def _figure(rng: np.random.Generator, outline: Outline, scene: Scene, owners: Owners) -> tuple[Canvas, float]:
    """An object somewhere in the image: how much of each pixel it covers, and its whole area in pixels."""
    cut = _cut(rng, scene)
    placed = _pose(rng, lambda rng: np.concatenate([outline(rng), cut]), scene, owners)
    points, hole = np.split(placed, [len(placed) - len(cut)])
    alpha, area = _alpha(points, owners), float(cv2.contourArea(points.astype(np.float32)))
    if not len(cut):
        return alpha, area
    left: Canvas = alpha * (1 - _alpha(hole, owners))
    shown, all_shown = (int(np.count_nonzero(part >= 0.5)) for part in (left, alpha))
    return left, area * shown / max(all_shown, 1)


def _cut(rng: np.random.Generator, scene: Scene) -> Points:
    """What is cut out of an object, in its unit circle: a hole, a bar from end to end, or nothing."""
    if not scene.holed_share + scene.split_share:
        return np.zeros((0, 2))
    chance = rng.random()
    if chance < scene.holed_share:
        return HOLE
    return BAR if chance < scene.holed_share + scene.split_share else np.zeros((0, 2))


def _leaves(owners: Owners, shown: Mask, full_areas: list[float], least_visible: float) -> bool:
    """Whether every earlier object stays in sight when the pixels `shown` are painted over."""
    return all(
        np.count_nonzero((owners == index) & ~shown) >= least_visible * area for index, area in enumerate(full_areas)
    )


def _pose(rng: np.random.Generator, outline: Outline, scene: Scene, owners: Owners) -> Points:
    """An outline somewhere in the image: any place, turn and size, sizes evenly spread on a log scale."""
    height, width = owners.shape
    radius = float(np.exp(rng.uniform(*np.log(scene.radius))))
    centre = (rng.uniform(0.4 * radius, width - 0.4 * radius), rng.uniform(0.4 * radius, height - 0.4 * radius))
    return place(outline(rng), radius, rng.uniform(0.65, 1.0), rng.uniform(0, 360), centre)


def _alpha(points: Points, owners: Owners) -> Canvas:
    """`(H, W)` float32: how much of each pixel an outline covers, 0 to 1."""
    alpha = np.zeros(owners.shape, np.uint8)
    corners = np.rint(points * (1 << _SUBPIXEL_BITS)).astype(np.int32)
    cv2.fillPoly(alpha, [corners], 255, cv2.LINE_AA, _SUBPIXEL_BITS)
    return alpha.astype(np.float32) / np.float32(255)

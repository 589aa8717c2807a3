"""The four augmentations of CALD: flip, cutout, downsize, rotate.

Each keeps the size of the model input, and each is an affine map of the plane (for cutout, the identity).
Numbers and order are those of the authors' code, github.com/we1pingyu/CALD, cald/cald_helper.py.
"""

from typing import Final

import cv2
import numpy as np

from common.arrays import Ints, Pixels
from common.boxes.affine import IDENTITY, Matrix
from common.mining.algorithm import Augmented
from common.predictions import Detections

RATIO: Final = 0.8
ANGLE: Final = 5.0
"""Degrees, counter-clockwise on the screen."""
HOLES: Final = 2
TRIALS: Final = 50
HOLE_SIDES: Final = (0.05, 0.2)
"""Range of the sides of a hole, as a share of the input's sides."""
COVERED: Final = (0.1, 0.4)
"""Accepted range of the covered share of the most covered box."""
PADDING: Final = (114, 114, 114)
"""Grey of letterboxing, so that the border does not look like a new object."""


def augment(image: Pixels, detections: Detections, rng: np.random.Generator) -> tuple[Augmented, ...]:
    """Make the four augmented copies of a model input; none if nothing was detected, since CALD does not use them then.

    Args:
        image: `(H, W, 3)` uint8.
        detections: detections of `image`.
        rng: chooses the holes.
    """
    if not len(detections):
        return ()
    return flip(image), cutout(image, detections, rng), downsize(image), rotate(image)


def flip(image: Pixels) -> Augmented:
    """Exchange left and right."""
    matrix = np.array([[-1.0, 0.0, image.shape[1]], [0.0, 1.0, 0.0]])
    return Augmented("flip", np.ascontiguousarray(image[:, ::-1]), matrix)


def cutout(image: Pixels, detections: Detections, rng: np.random.Generator) -> Augmented:
    """Cut at most two black holes; none if no trial covers a box by an accepted share.

    Args:
        image: `(H, W, 3)` uint8.
        detections: detections of `image`; at least one.
        rng: chooses sizes and places of the holes.
    """
    height, width = image.shape[:2]
    trials = _holes((height, width), rng)
    most = detections.covered(trials).max(axis=1)
    holed = image.copy()
    for x1, y1, x2, y2 in trials[(COVERED[0] <= most) & (most <= COVERED[1])][:HOLES]:
        holed[y1:y2, x1:x2] = 0
    return Augmented("cutout", holed, IDENTITY)


def downsize(image: Pixels) -> Augmented:
    """Shrink by the factor 0.8, to the top left of a grey input."""
    height, width = image.shape[:2]
    small_height, small_width = round(height * RATIO), round(width * RATIO)
    canvas = np.full_like(image, PADDING)
    canvas[:small_height, :small_width] = cv2.resize(image, (small_width, small_height))
    matrix = np.array([[small_width / width, 0.0, 0.0], [0.0, small_height / height, 0.0]])
    return Augmented("downsize", canvas, matrix)


def rotate(image: Pixels) -> Augmented:
    """Rotate by 5 degrees about the centre, then shrink until everything fits."""
    height, width = image.shape[:2]
    matrix = _rotation(height, width)
    turned = cv2.warpAffine(image, _between_centres(matrix), (width, height), borderValue=PADDING)
    return Augmented("rotate", np.asarray(turned, np.uint8), matrix)


def _holes(size: tuple[int, int], rng: np.random.Generator) -> Ints:
    """Draw all trials at once: boxes `(TRIALS, 4)` inside an input of `size` (height, width)."""
    full = np.array([size[1], size[0]])
    sides = rng.uniform(*HOLE_SIDES, (TRIALS, 2)) * full
    near = rng.uniform(0, 1, (TRIALS, 2)) * (full - sides)
    return np.hstack([near, near + sides]).astype(np.int64)


def _rotation(height: int, width: int) -> Matrix:
    cosine, sine = np.cos(np.radians(ANGLE)), np.sin(np.radians(ANGLE))
    turn = np.array([[cosine, sine], [-sine, cosine]])
    centre = np.array([width / 2, height / 2])
    fit = centre / (np.abs(turn) @ centre)
    linear = fit[:, None] * turn
    return np.hstack([linear, (centre - linear @ centre)[:, None]])


def _between_centres(matrix: Matrix) -> Matrix:
    """Adapt a map to OpenCV, where (0, 0) is the centre of the first pixel instead of its corner."""
    shift = matrix[:, :2].sum(axis=1) / 2 - 0.5
    return np.hstack([matrix[:, :2], (matrix[:, 2] + shift)[:, None]])

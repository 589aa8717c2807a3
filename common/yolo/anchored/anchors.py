"""Anchors: the sizes of boxes that an anchored head starts from, and how well they fit a data set.

Sources: clustering of box sizes: Redmon, Farhadi, "YOLO9000: Better, Faster, Stronger", CVPR 2017, arXiv:1612.08242.
The measure, its limit of 0.98 and the evolution: YOLOv5 v7.0, utils/autoanchor.py.
"""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from common.arrays import Floats

RATIO_LIMIT: Final = 4.0
"""An anchor can become a box whose sides are up to this many times longer or shorter (`anchor_t` of YOLOv5 v7.0)."""

LEAST_RECALL: Final = 0.98
"""Anchors that fit fewer of the boxes are estimated anew."""

ANCHORS: Final[dict[int, tuple[tuple[int, ...], ...]]] = {
    3: (
        (10, 13, 16, 30, 33, 23),
        (30, 61, 62, 45, 59, 119),
        (116, 90, 156, 198, 373, 326),
    ),
    4: (
        (19, 27, 44, 40, 38, 94),
        (96, 68, 86, 152, 180, 137),
        (140, 301, 303, 264, 238, 542),
        (436, 615, 739, 380, 925, 792),
    ),
}
"""Anchors by the number of scales, finest first: width, height, width, ... in pixels of the input.

Source: YOLOv5 v7.0, models/yolov5s.yaml and models/hub/yolov5s6.yaml, estimated on COCO at 640 and 1280 pixels.
"""

_ITERATIONS, _ATTEMPTS = 30, 3
"""Rounds of the clustering, and how often it starts anew."""

_GENERATIONS: Final = 1000
_CHANCE, _SPREAD = 0.9, 0.1
_CHANGE: Final = (0.3, 3.0)
"""The evolution: tries, the chance of a side to change, the standard deviation and the limits of the factor."""

_LEAST_SIDE: Final = 2.0
"""Smaller boxes, in pixels, take no part in an estimate."""

_SAMPLE: Final = 20_000
"""Boxes that an estimate looks at; more would not change it, but cost time."""


def best_recall(sizes: Floats, anchors: Floats) -> float:
    """The share of the boxes that an anchor fits within `RATIO_LIMIT`: the best recall that is possible.

    Args:
        sizes: `(n, 2)` widths and heights of the boxes in pixels of the input.
        anchors: `(k, 2)` those of the anchors.

    Returns:
        1 where there is no box.
    """
    if len(sizes) == 0:
        return 1.0
    return float((_closeness(sizes, anchors) > 1 / RATIO_LIMIT).mean())


def estimate(sizes: Floats, anchors: Floats) -> Floats:
    """Anchors for a data set: cluster the sizes of its boxes, then improve the clusters by random changes.

    The same boxes give the same anchors, so that every process of a training finds them by itself.

    Args:
        sizes: `(n, 2)` widths and heights of the boxes in pixels of the input.
        anchors: `(k, 2)` those to start from where there are fewer different boxes than anchors.

    Returns:
        `(k, 2)` pixels, by area, each exact in half precision, as checkpoints store them.
    """
    random = np.random.default_rng(0)
    sizes = sizes[(sizes >= _LEAST_SIDE).any(axis=1)]
    if len(sizes) > _SAMPLE:
        sizes = sizes[random.choice(len(sizes), _SAMPLE, replace=False)]
    if len(sizes) == 0:
        return anchors
    best = _clusters(sizes, len(anchors))
    if len(best) < len(anchors):
        best = anchors * np.exp(np.log(sizes).mean() - np.log(anchors).mean())
    fitness = _fitness(sizes, best)
    for _ in range(_GENERATIONS):
        changed = np.maximum(best * _factors(random, best.shape), _LEAST_SIDE)
        new = _fitness(sizes, changed)
        if new > fitness:
            best, fitness = changed, new
    ordered: Floats = best[np.argsort(best.prod(axis=1))]
    return ordered.astype(np.float16).astype(np.float32)


def box_sizes(fractions: Sequence[Floats], shapes: Floats) -> Floats:
    """The sizes of all boxes as the model sees them.

    Args:
        fractions: for each image `(n, 2)` widths and heights as fractions of the image.
        shapes: `(images, 2)` width and height of each image in the model's input, pixels.

    Returns:
        `(N, 2)` pixels.
    """
    scaled = [boxes * shape for boxes, shape in zip(fractions, shapes, strict=True)]
    return np.concatenate(scaled).astype(np.float32) if scaled else np.zeros((0, 2), np.float32)


def _closeness(sizes: Floats, anchors: Floats) -> Floats:
    """`(n,)` for each box the worse of its two side ratios to the anchor that is nearest by it, in (0, 1]."""
    ratios = sizes[:, None] / anchors[None]
    with np.errstate(divide="ignore"):
        nearest: Floats = np.minimum(ratios, 1 / ratios).min(axis=2).max(axis=1)
    return nearest


def _fitness(sizes: Floats, anchors: Floats) -> float:
    closeness = _closeness(sizes, anchors)
    return float((closeness * (closeness > 1 / RATIO_LIMIT)).mean())


def _clusters(sizes: Floats, count: int) -> Floats:
    """Up to `count` means of the sizes, with both sides measured in their standard deviations."""
    if len(np.unique(sizes, axis=0)) < count:
        return sizes[:0]
    deviation = np.maximum(sizes.std(axis=0), 1e-3)
    cv2.setRNGSeed(0)
    end = (cv2.TERM_CRITERIA_MAX_ITER, _ITERATIONS, 0.0)
    scaled = (sizes / deviation).astype(np.float32)
    _, _, means = cv2.kmeans(scaled, count, None, end, _ATTEMPTS, cv2.KMEANS_PP_CENTERS)  # type: ignore[call-overload]
    found: Floats = means * deviation
    return found


def _factors(random: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    mutated = (random.random(shape) < _CHANCE) * random.random() * random.normal(size=shape) * _SPREAD
    factors: Floats = np.clip(mutated + 1, *_CHANGE)
    return factors

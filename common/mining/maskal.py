"""MaskAL mining: agreement of the passes of a model with dropout on the objects of an image.

Source: Blok, Kootstra, Elghor, Diallo, van Evert, van Henten, "Active learning with MaskAL reduces annotation effort
for training Mask R-CNN", 2022, arXiv:2112.06586, written as in the authors' code (github.com/pieterblok/maskal,
active_learning/sampling/observations.py and heuristics/uncertainty.py). The score of an image is the mean of its
objects, as in the authors' settings (`mode: mean`).

Differences: an object joins the set that it overlaps most, not the first that it overlaps enough; an object seen
twice in a pass counts once for its occurrence; widths of boxes are x2 - x1, without the authors' extra pixel.

The measure is a certainty: the paper labels the images with the smallest values.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self, cast

import numpy as np
from numpy.typing import NDArray

from common.arrays import Bools, Doubles, Floats, Ints
from common.boxes import upright
from common.mining.algorithm import Evidence, ImageMeasure
from common.mining.measures.windows import box_windows
from common.predictions import Prediction
from common.task.mining_settings import MiningSettings

Masks = NDArray[np.uint64]
"""`(n, words)`, 64 pixels per word, see `pack`."""

SAME: Final = 0.5
"""IoU of masks above which two detections are the same object (the authors' `iou_thres`)."""
SHARED: Final = 0.25
"""Minimum share of the masks of an object that contain a pixel of its mean mask, as in the authors' code."""
NOTHING_SEEN: Final = 1.0
"""Score of an image without detections in any pass: it comes last. The authors leave such images out."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """The detections of one pass of the model.

    Attributes:
        masks: `(n, words)` uint64 of `pack`: an eighth of the memory of bool. Ten passes with 100 objects of 640 x 640
            pixels are 51 MB, at the quarter resolution of the prototypes of a YOLO 3 MB.
        boxes: `(n, 4)` float32, corners `x1, y1, x2, y2`, max corner exclusive, in the same unit for all passes.
        probabilities: `(n, K)` float32, probability of each class, without background.
    """

    masks: Masks
    boxes: Floats
    probabilities: Floats

    @classmethod
    def of(cls, prediction: Prediction) -> Self:
        """Reduce the prediction of one pass: masks inside their boxes, on the grid of the prototypes.

        Raises:
            ValueError: the model gave no masks.
        """
        found, masks = prediction.detections, prediction.masks
        if masks is None:
            raise ValueError("maskAL needs the masks of the model, got none")
        size = masks.prototypes.shape[1:]
        inside = np.zeros((len(masks), *size), np.bool_)
        for i, box in enumerate(box_windows(masks.on_grid(found.boxes), size)):
            inside[i][box] = masks.logits(i, box) > 0
        return cls(pack(inside), found.boxes, found.probabilities)


def score(evidence: Evidence, _settings: MiningSettings) -> float:
    """Score an image, see `certainty`.

    Raises:
        ValueError: there was no pass with dropout.
    """
    if not evidence.passes:
        raise ValueError(f"{evidence.name}: maskAL needs passes with dropout, got none")
    return certainty(cast(Sequence[Sighting], evidence.passes))


def pack(masks: Bools) -> Masks:
    """Pack masks `(n, h, w)` bool into bits, `(n, ceil(h w / 64))` uint64; the last word is filled with 0."""
    n = len(masks)
    flat = masks.reshape(n, math.prod(masks.shape[1:]))
    padded = np.pad(np.packbits(flat, axis=1), ((0, 0), (0, -flat.shape[1] // 8 % 8)))
    return np.ascontiguousarray(padded).view(np.uint64)


def certainty(passes: Sequence[Sighting]) -> float:
    """Mean over the objects: semantic times spatial times occurrence certainty; the smallest first.

    Args:
        passes: the T >= 1 passes over one image (parameter `mcd_iterations`), masks all of the same size.

    Returns:
        A number in [0, 1]; `NOTHING_SEEN` without any detection.
    """
    masks = np.concatenate([each.masks for each in passes])
    if not len(masks):
        return NOTHING_SEEN
    boxes = np.concatenate([each.boxes for each in passes])
    semantic = semantic_certainty(np.concatenate([each.probabilities for each in passes]))
    seen_in = np.repeat(np.arange(len(passes)), [len(each.masks) for each in passes])
    objects = clusters(masks)
    values = []
    for rows in (np.flatnonzero(objects == number) for number in range(objects.max() + 1)):
        occurrence = len(np.unique(seen_in[rows])) / len(passes)
        spatial = mask_certainty(masks[rows]) * box_certainty(boxes[rows])
        values.append(semantic[rows].mean() * spatial * occurrence)
    return float(np.mean(values))


def clusters(masks: Masks) -> Ints:
    """Assign each detection to the object whose first detection it overlaps most, or to a new object.

    Args:
        masks: `(n, words)`, pass after pass, the best of each pass first.

    Returns:
        `(n,)` int64, objects numbered from 0 in the order of their first detections. An empty mask is an object of its
        own.
    """
    areas = _areas(masks)
    objects = np.zeros(len(masks), np.int64)
    firsts: list[int] = []
    for row, mask in enumerate(masks):
        # The IoU is at most the ratio of the areas, so for most pairs the pixels do not matter.
        sizes = areas[firsts]
        near = np.flatnonzero(np.minimum(sizes, areas[row]) > SAME * np.maximum(sizes, areas[row]))
        overlaps = _iou(mask, areas[row], masks[np.array(firsts, np.int64)[near]], sizes[near])
        if near.size and overlaps.max() > SAME:
            objects[row] = near[overlaps.argmax()]
        else:
            objects[row] = len(firsts)
            firsts.append(row)
    return objects


def semantic_certainty(probabilities: Floats) -> Doubles:
    """Semantic certainty 1 - H / ln K of each detection, with the entropy H of its class probabilities scaled to sum 1.

    Args:
        probabilities: `(n, K)` float32.

    Returns:
        `(n,)` float64 in [0, 1]. For K = 1, where there is no choice and ln K = 0, the probability itself, as in the
        authors' code; 0 where all classes have probability 0.
    """
    given = probabilities.astype(np.float64)
    count = given.shape[1]
    if count == 1:
        return given[:, 0]
    total = given.sum(axis=1, keepdims=True)
    shares = np.divide(given, total, out=np.full_like(given, 1 / count), where=total > 0)
    entropy = -(shares * np.log(np.maximum(shares, np.finfo(np.float64).tiny))).sum(axis=1)
    certainties: Doubles = np.clip(1 - entropy / math.log(count), 0, 1)
    return certainties


def mask_certainty(masks: Masks) -> float:
    """Mean IoU of the masks `(m, words)` of an object with the pixels that at least a quarter of them share."""
    bits = np.unpackbits(masks.view(np.uint8), axis=1)
    shared = bits.sum(axis=0, dtype=np.int64) >= SHARED * len(masks)
    mean = np.packbits(shared).view(np.uint64)
    return float(_iou(mean, _areas(mean), masks, _areas(masks)).mean())


def box_certainty(boxes: Floats) -> float:
    """Mean IoU of the boxes `(m, 4)` of an object with the mean box."""
    return float(upright.iou(boxes.mean(axis=0, dtype=np.float64, keepdims=True), boxes).mean())


def _areas(masks: Masks) -> Doubles:
    """Count the pixels of each mask; the words of the last axis are counted together."""
    areas: Doubles = np.bitwise_count(masks).sum(axis=-1, dtype=np.float64)
    return areas


def _iou(mask: Masks, area: Doubles, others: Masks, areas: Doubles) -> Doubles:
    """IoU of a mask `(words,)` with each of the others `(m, words)`; 0 where both are empty."""
    overlaps: Doubles = upright.ratio(_areas(mask & others)[None], np.atleast_1d(area), areas)[0]
    return overlaps


MASKAL: Final = ImageMeasure(
    name="maskAL",
    score=score,
    paper="Blok, Kootstra, Elghor, Diallo, van Evert, van Henten: Active learning with MaskAL reduces annotation effort"
    " for training Mask R-CNN. 2022, arXiv:2112.06586",
    smaller_is_sooner=True,
    observe=Sighting.of,
)

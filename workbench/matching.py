"""Compares detections with the truth as COCO's evaluation does: best score first, each object at most once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from common.boxes import rotated
from workbench.outputs import Found
from workbench.sample import Boxes, Sample

LEAST_IOU: Final = 0.5


@dataclass(frozen=True, eq=False)
class Verdict:
    """Which detections of an image are right, and which of its objects were missed.

    Attributes:
        right: `(n,)` bool, one per detection.
        missed: `(m,)` bool, one per object.
    """

    right: NDArray[np.bool_]
    missed: NDArray[np.bool_]

    @property
    def mistakes(self) -> int:
        """Wrong detections plus missed objects."""
        return int((~self.right).sum() + self.missed.sum())


def judge(found: Found, truth: Sample, class_names: Sequence[str]) -> Verdict:
    """Gives each detection, best score first, the free object of its class that it overlaps most, from IoU 0.5 on."""
    ious = overlaps(found, truth)
    right, free = np.zeros(len(found.names), bool), np.ones(len(truth.classes), bool)
    for index in np.argsort(-found.scores, kind="stable"):
        same = free & np.array([class_names[label] == found.names[index] for label in truth.classes], bool)
        candidates = np.where(same, ious[index], 0.0)
        if candidates.size and candidates.max() >= LEAST_IOU:
            right[index] = True
            free[candidates.argmax()] = False
    return Verdict(right, free)


def overlaps(found: Found, truth: Sample) -> NDArray[np.float64]:
    """Intersection over union of each detection with each object, `(n, m)`; of the rotated boxes if one is rotated."""
    if not (found.angles.any() or truth.angles.any()):
        return iou(found.boxes, truth.boxes)
    left, right = (rotated.from_upright(each.boxes, each.angles) for each in (found, truth))
    return rotated.iou(left, right)


def iou(left: Boxes, right: Boxes) -> NDArray[np.float64]:
    """Intersection over union of `(n, 4)` and `(m, 4)` boxes with exclusive max corners: `(n, m)`."""
    low = np.maximum(left[:, None, :2], right[None, :, :2])
    high = np.minimum(left[:, None, 2:], right[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    union = _area(left)[:, None] + _area(right)[None, :] - shared
    ratio: NDArray[np.float64] = shared / np.maximum(union, 1)
    return ratio


def _area(boxes: Boxes) -> NDArray[np.int64]:
    area: NDArray[np.int64] = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return area

"""Compares what was found with the truth, as the evaluations of COCO and of Cityscapes do."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from common.boxes import rotated, upright
from workbench.drawn import Drawn, Masks

LEAST_IOU: Final = 0.5


@dataclass(frozen=True, eq=False)
class Verdict:
    """Verdict on objects: predictions that are right, and true objects that were missed.

    Attributes:
        right: `(n,)` bool, one per object that was found.
        missed: `(m,)` bool, one per true object.
    """

    right: NDArray[np.bool_]
    missed: NDArray[np.bool_]

    @property
    def mistakes(self) -> float:
        """Wrong objects plus missed ones."""
        return float((~self.right).sum() + self.missed.sum())


@dataclass(frozen=True, slots=True)
class PixelVerdict:
    """Verdict on a map of classes.

    Attributes:
        mistakes: per cent of the pixels that have the wrong class.
    """

    mistakes: float


def judge(found: Drawn, truth: Drawn) -> Verdict:
    """Gives each object that was found, best score first, the free true one of its class that it overlaps most.

    The IoU must be at least 0.5; that of the masks where there are some.
    """
    ious = overlaps(found, truth)
    right, free = np.zeros(len(found.names), bool), np.ones(len(truth.names), bool)
    scores = np.zeros(len(right)) if found.scores is None else found.scores
    for index in np.argsort(-scores, kind="stable"):
        same = free & np.array([name == found.names[index] for name in truth.names], bool)
        candidates = np.where(same, ious[index], 0.0)
        if candidates.size and candidates.max() >= LEAST_IOU:
            right[index] = True
            free[candidates.argmax()] = False
    return Verdict(right, free)


def judge_pixels(found: Drawn, truth: Drawn) -> PixelVerdict:
    """Compares maps of classes: a mask for each class, see `Drawn.of_classes`. The truth's has the image's size."""
    assert found.masks is not None
    assert truth.masks is not None
    wrong = np.zeros(truth.masks.shape[1:], np.bool_)
    for name in {*found.names, *truth.names}:
        wrong |= _mask_of(name, found, found.masks, wrong) ^ _mask_of(name, truth, truth.masks, wrong)
    return PixelVerdict(100 * float(wrong.mean()))


def overlaps(found: Drawn, truth: Drawn) -> NDArray[np.float64]:
    """Intersection over union of n objects with m others, `(n, m)`: of masks, else of rotated boxes, else of boxes."""
    if found.masks is not None and truth.masks is not None:
        return mask_iou(found.masks, truth.masks)
    if not (found.angles.any() or truth.angles.any()):
        return upright.iou(*(each.boxes.astype(np.float64) for each in (found, truth)))
    left, right = (rotated.from_upright(each.boxes, each.angles) for each in (found, truth))
    return rotated.iou(left, right)


def mask_iou(left: Masks, right: Masks) -> NDArray[np.float64]:
    """Intersection over union of n and m masks of one image: `(n, m)`."""
    if not (len(left) and len(right)):
        return np.zeros((len(left), len(right)))
    first, second = (masks.reshape(len(masks), -1).astype(np.float64) for masks in (left, right))
    shared = first @ second.T
    return upright.ratio(shared, first.sum(1), second.sum(1))


def _mask_of(name: str, objects: Drawn, masks: Masks, nothing: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pixels of a class; those of `nothing`'s shape, all false, where it does not occur."""
    return masks[objects.names.index(name)] if name in objects.names else np.zeros_like(nothing)

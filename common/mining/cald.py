"""CALD mining: change of the detections under augmentations that should not matter.

Source: Yu, Zhu, Yang, Chen, "Consistency-based Active Learning for Object Detection", CVPR Workshops 2022,
arXiv:2103.10374, first stage, with the conventions of the authors' code (github.com/we1pingyu/CALD). The second stage,
which balances the classes against the labelled set, needs labels that a mining task does not have.
"""

from typing import Final

import numpy as np

from common.arrays import Doubles, Floats
from common.boxes.affine import IDENTITY
from common.mining.algorithm import Augmented, Evidence, ImageMeasure
from common.mining.augment import augment
from common.mining.measures.information import jensen_shannon
from common.predictions import Detections
from common.task.mining_settings import MiningSettings

BASE_POINT: Final = 1.3
"""Most informative consistency (the authors' beta): below it two detections hardly match, above it they agree."""


def score(evidence: Evidence, _settings: MiningSettings) -> float:
    """Mean over the augmentations: smallest distance of a detection to the base point; the smallest first.

    0, so among the first, for an image without any detection, as in the authors' code.

    Raises:
        ValueError: there are detections, but no predictions on augmented inputs, or not one for each.
    """
    reference = evidence.prediction.detections
    if not len(reference):
        return 0.0
    if not evidence.augmented:
        raise ValueError(f"{evidence.name}: cald needs predictions on augmented inputs, got none")
    pairs = zip(evidence.augmentations, evidence.augmented, strict=True)
    return float(np.mean([_distance(reference, a, p.detections, evidence.input_size) for a, p in pairs]))


def class_distribution(probabilities: Floats) -> Doubles:
    """Make a distribution over K classes and the background from each row.

    The scores of a sigmoid head need not sum to 1: the background gets the remainder, and a surplus is scaled away.

    Args:
        probabilities: `(n, K)` float32 in [0, 1].

    Returns:
        `(n, K + 1)` float64, rows that sum to 1, background last.
    """
    classes = probabilities.astype(np.float64)
    total = classes.sum(axis=1, keepdims=True)
    background = np.maximum(0, 1 - total)
    distribution: Doubles = np.hstack([classes, background]) / (total + background)
    return distribution


def _distance(reference: Detections, augmented: Augmented, found: Detections, size: tuple[int, int]) -> float:
    if not len(found):
        return 0.0
    consistency = _consistencies(augmented.move(reference), found.moved(IDENTITY, size))
    return float(np.abs(consistency - BASE_POINT).min())


def _consistencies(moved: Detections, found: Detections) -> Doubles:
    """IoU with the best match plus the mean score, lowered by the divergence of the classes; paper, section 3.2.

    Args:
        moved: the n detections of the plain input, moved to their places in the augmented one.
        found: the m >= 1 detections of the augmented input.

    Returns:
        `(n,)` in [0, 2].
    """
    overlaps = moved.iou(found)
    best = overlaps.argmax(axis=1)
    divergence = jensen_shannon(class_distribution(moved.probabilities), class_distribution(found.probabilities[best]))
    scores = (moved.scores.astype(np.float64) + found.scores[best]) / 2
    consistencies: Doubles = overlaps.max(axis=1) + scores * (1 - divergence)
    return consistencies


CALD: Final = ImageMeasure(
    name="cald",
    score=score,
    paper="Yu, Zhu, Yang, Chen: Consistency-based Active Learning for Object Detection. CVPR Workshops 2022,"
    " arXiv:2103.10374",
    smaller_is_sooner=True,
    augment=augment,
)

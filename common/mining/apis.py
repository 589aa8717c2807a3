"""`apis` mining: how unsure the model is about the objects that it reports and about their outlines.

Source: Tang, Xie, Zhang, Zhang, Tian, Hu, "Active Pointly-Supervised Instance Segmentation", ECCV 2022,
arXiv:2207.11493: the entropy of the mask of one object at each pixel of its box (the authors' code is
github.com/chufengt/APIS, src/condinst/Entropy/condinst.py). They average the proposals for the same object first; what
non-maximum suppression leaves is one proposal an object. Masks of different objects are never averaged here.

The paper asks for one point of a given box, the one of the largest entropy, and has no score for an image. Ours adds up
the objects as `entropy` does, each with the doubt that it is there and the mean doubt about the pixels of its box.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np

from common.arrays import Floats
from common.mining.algorithm import Evidence, ImageMeasure
from common.mining.measures.information import binary_entropy
from common.mining.measures.windows import box_windows
from common.task.mining_settings import MiningSettings


def entropy_of_objects(scores: Floats, masks: Iterable[Floats]) -> float:
    """Sum over the objects of H_b(score) plus the mean of H_b(p) over its box; the bigger, the sooner.

    Args:
        scores: `(n,)` float32, of the final detections.
        masks: for each of them the probabilities `(h_i, w_i)` float32 of its mask inside its box, before any threshold.
            May be a generator: one is looked at at a time.

    Returns:
        A number in [0, 2 n ln 2]; 0 without any detection.

    Raises:
        ValueError: there are not as many masks as scores, or a mask has no pixel.
    """
    doubts = binary_entropy(scores.astype(np.float64))
    return float(sum(doubt + _outline(mask) for doubt, mask in zip(doubts, masks, strict=True)))


def score(evidence: Evidence, _settings: MiningSettings) -> float:
    """See `entropy_of_objects`; the masks as the model gave them, on the grid of its prototypes.

    Raises:
        ValueError: the model gave no masks.
    """
    found, masks = evidence.prediction.detections, evidence.prediction.masks
    if masks is None:
        raise ValueError(f"{evidence.name}: apis needs the masks of the model, got none")
    boxes = box_windows(masks.on_grid(found.boxes), masks.prototypes.shape[1:])
    return entropy_of_objects(found.scores, (masks.probabilities(i, box) for i, box in enumerate(boxes)))


def _outline(mask: Floats) -> float:
    if not mask.size:
        raise ValueError(f"masks: expected at least one pixel, got shape {mask.shape}")
    return float(binary_entropy(mask).mean(dtype=float))


APIS: Final = ImageMeasure(
    name="apis",
    score=score,
    paper="Tang, Xie, Zhang, Zhang, Tian, Hu: Active Pointly-Supervised Instance Segmentation. ECCV 2022,"
    " arXiv:2207.11493",
)

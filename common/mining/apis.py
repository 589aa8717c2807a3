"""`apis` mining: uncertainty of the model about its objects and their outlines.

Source: Tang, Xie, Zhang, Zhang, Tian, Hu, "Active Pointly-Supervised Instance Segmentation", ECCV 2022,
arXiv:2207.11493: the entropy of the mask of one object at each pixel of its box (the authors' code is
github.com/chufengt/APIS, src/condinst/Entropy/condinst.py). They first average the proposals for the same object;
after non-maximum suppression there is one proposal per object. Masks of different objects are never averaged here.

The paper asks for one point of a given box, that of the largest entropy, and does not score images. Our score adds up
the objects as `entropy` does: for each the doubt that it exists, plus the mean doubt about the pixels of its box.
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
    """Sum over the objects: H_b(score) plus the mean of H_b(p) over the box; the largest first.

    Args:
        scores: `(n,)` float32, scores of the final detections.
        masks: probabilities `(h_i, w_i)` float32 of the mask of each inside its box, before any threshold. May be a
            generator: one mask is used at a time.

    Returns:
        A number in [0, 2 n ln 2]; 0 without any detection.

    Raises:
        ValueError: the numbers of masks and scores differ, or a mask does not have a pixel.
    """
    doubts = binary_entropy(scores.astype(np.float64))
    return float(sum(doubt + _outline(mask) for doubt, mask in zip(doubts, masks, strict=True)))


def score(evidence: Evidence, _settings: MiningSettings) -> float:
    """Score an image, see `entropy_of_objects`; with the masks of the model on the grid of its prototypes.

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

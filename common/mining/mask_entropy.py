"""`apis` mining: how unsure the model is about the objects that it reports and about their outlines.

Source: Tang, Xie, Zhang, Zhang, Tian, Hu, "Active Pointly-Supervised Instance Segmentation", ECCV 2022,
arXiv:2207.11493: the entropy of the mask of one object at each pixel of its box (the authors' code is
github.com/chufengt/APIS, src/condinst/Entropy/condinst.py). They average the proposals for the same object first; what
non-maximum suppression leaves is one proposal an object. Masks of different objects are never averaged here.

The paper asks for one point of a given box, the one of the largest entropy, and has no score for an image. Ours adds up
the objects as `entropy` does, each with the doubt that it is there and the mean doubt about the pixels of its box.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from common.mining.information import binary_entropy
from common.predictions import Floats


def image_score(scores: Floats, masks: Iterable[Floats]) -> float:
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


def cropped(probabilities: Floats, boxes: Floats) -> Sequence[Floats]:
    """Views of the masks inside their boxes; a box that touches a pixel holds it, and each holds one at least.

    Args:
        probabilities: `(n, h, w)` float32, the mask of each object.
        boxes: `(n, 4)` float32, `x1, y1, x2, y2` in pixels of the masks, max corner exclusive; clipped to the masks.
    """
    height, width = probabilities.shape[1:]
    last = np.array([width - 1, height - 1])
    near = np.clip(np.floor(boxes[:, :2]), 0, last).astype(int)
    far = np.maximum(np.clip(np.ceil(boxes[:, 2:]), 0, last + 1).astype(int), near + 1)
    corners = zip(near, far, strict=True)
    return [mask[y1:y2, x1:x2] for mask, ((x1, y1), (x2, y2)) in zip(probabilities, corners, strict=True)]


def _outline(mask: Floats) -> float:
    if not mask.size:
        raise ValueError(f"masks: expected at least one pixel, got shape {mask.shape}")
    return float(binary_entropy(mask).mean(dtype=float))

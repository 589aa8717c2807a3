"""ALDD mining: disagreement of neighbouring cells of the class maps.

Source: Aghdam, Gonzalez-Garcia, van de Weijer, Lopez, "Active Learning for Deep Detection Neural Networks", ICCV 2019,
arXiv:1911.09168, for each class and scale of a detector with several.

The paper works on every pixel. The maps have strides of 8 to 32 pixels and are bilinear between their cells, so this
samples one point in 4 x 4 pixels, through a window of the same variance: 16 times less work for the same ranking (a
test compares it with the literal formula).
"""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from common.arrays import Floats
from common.mining.algorithm import Evidence, ImageMeasure
from common.mining.measures.information import binary_entropy
from common.task.mining_settings import MiningSettings

STRIDE: Final = 4
"""Pixels of the model input between two grid points. Maps with a multiple of this stride have their kinks there."""
WINDOW: Final = 9
"""Side of the neighbourhood in pixels."""
REGION: Final = 32
"""Side in pixels of the regions whose maxima are averaged."""
FLOOR: Final = 1e-3
"""A class whose probabilities are all below this is skipped. Values in [0, f] disagree by f / e + f^2 / 8 at most, so
skipping changes the score by less than 0.0004 times the number of scales and the weight of the class."""

_SIDE = (WINDOW**2 - 1) / (24 * STRIDE**2)
_KERNEL = np.array([_SIDE, 1 - 2 * _SIDE, _SIDE], np.float32)
"""Weights of a grid point and its two neighbours. Their variance is the window's: (WINDOW^2 - 1) / 12 square pixels."""


def score(evidence: Evidence, settings: MiningSettings) -> float:
    """Sum over the classes: weight times the mean over regions of the largest disagreement in each.

    Raises:
        ValueError: there are no class maps.
    """
    maps = evidence.prediction.class_maps
    if not maps:
        raise ValueError(f"{evidence.name}: aldd needs the class maps of the model, got none")
    weights = given_weights(settings.class_weights, len(maps[0]))
    peaks = np.max([scale.max(axis=(1, 2)) for scale in maps], axis=0)
    # Not `peaks >= FLOOR`, which would skip a NaN instead of failing.
    relevant = np.flatnonzero((weights != 0) & ~(peaks < FLOOR))
    return float(sum(weights[k] * _class_score([scale[k] for scale in maps], evidence.input_size) for k in relevant))


def given_weights(given: Sequence[float], class_count: int) -> Floats:
    """Weights per class, `(class_count,)` float32: the given ones, then 1.0; surplus ones are dropped."""
    weights = np.ones(class_count, np.float32)
    used = given[:class_count]
    weights[: len(used)] = used
    return weights


def _class_score(maps: Sequence[Floats], input_size: tuple[int, int]) -> float:
    """Mean over the regions of the maximum disagreement, summed over the scales `(h, w)` of one class."""
    shape = [-(-side // STRIDE) for side in input_size]
    inside = _smooth(np.ones(shape, np.float32))
    disagreement = np.zeros(shape, np.float32)
    for scale in maps:
        disagreement += _disagreement(_sampled(scale, input_size), inside)
    return float(_region_maxima(disagreement).mean())


def _sampled(scale: Floats, input_size: tuple[int, int]) -> Floats:
    """Sample a map `(h, w)`, bilinear between centres of its cells, at every STRIDE-th pixel corner of the input."""
    height, width = input_size
    across, down = STRIDE * scale.shape[1] / width, STRIDE * scale.shape[0] / height
    place = np.array([[across, 0, -0.5], [0, down, -0.5]])
    shape = (-(-width // STRIDE), -(-height // STRIDE))
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(scale, place, shape, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _disagreement(grid: Floats, inside: Floats) -> Floats:
    """Entropy of the local mean less the local mean of the entropies: a Jensen-Shannon divergence, >= 0, shape kept.

    Args:
        grid: `(h, w)` probabilities of one class.
        inside: `(h, w)`, the share of the window that lies inside the input.
    """
    spread = binary_entropy(_smooth(grid) / inside) - _smooth(binary_entropy(grid)) / inside
    return np.maximum(spread, 0)


def _smooth(grid: Floats) -> Floats:
    return np.asarray(cv2.sepFilter2D(grid, -1, _KERNEL, _KERNEL, borderType=cv2.BORDER_CONSTANT), np.float32)


def _region_maxima(grid: Floats) -> Floats:
    """Maximum of each region of REGION x REGION pixels; those at the right and bottom edge may be smaller."""
    side = REGION // STRIDE
    height, width = grid.shape
    padded = np.pad(grid, ((0, -height % side), (0, -width % side)))
    maxima: Floats = padded.reshape(padded.shape[0] // side, side, padded.shape[1] // side, side).max(axis=(1, 3))
    return maxima


ALDD: Final = ImageMeasure(
    name="aldd",
    score=score,
    paper="Aghdam, Gonzalez-Garcia, van de Weijer, Lopez: Active Learning for Deep Detection Neural Networks."
    " ICCV 2019, arXiv:1911.09168",
    needs_class_maps=True,
)

"""RIPU mining: windows in which many classes meet and the model is uncertain.

Source: Xie, Yuan, Li, Liu, Cheng, "Towards Fewer Annotations: Active Learning via Region Impurity and Prediction
Uncertainty for Domain Adaptive Semantic Segmentation", CVPR 2022, arXiv:2111.12940: region impurity, prediction
uncertainty and their product, written as in the authors' code (github.com/BIT-DA/RIPU, core/active/floating_region.py):
both are divided by ln K, and a window at the border of the image is clipped to it.

The paper labels the same share of every image and does not score images. Our score is the sum over the windows to
label: the best ones that do not overlap, chosen as in the paper.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from common.arrays import Bools, Floats, Ints, Pixels
from common.mining.algorithm import Evidence, PoolMeasure
from common.mining.measures.pixels import Classes, entropy, leaders
from common.task.mining_settings import MiningSettings


def score_map(probabilities: Floats, radius: int) -> Floats:
    """Impurity times uncertainty of the square window around each pixel, with sides of 2 `radius` + 1 pixels.

    Args:
        probabilities: `(K, h, w)` float32 that sum to 1 over K; for K = 1, 1 - p is a second class.
        radius: parameter `ripu_region_radius`, >= 0. A window of one pixel is pure, so 0 scores nothing.

    Returns:
        `(h, w)` float32 in [0, 1]; the largest first.
    """
    classes = leaders(probabilities).classes
    return impurity(classes, radius, max(len(probabilities), 2)) * uncertainty(probabilities, radius)


def impurity(classes: Classes, radius: int, class_count: int) -> Floats:
    """Entropy of the predicted classes in the window around each pixel, divided by ln K.

    Args:
        classes: `(h, w)` int16, predicted class of each pixel.
        radius: radius of the window in pixels.
        class_count: K, at least 2.

    Returns:
        `(h, w)` float32 in [0, 1], exactly 0 where a window has a single class.
    """
    sizes = _window_sizes(classes.shape, radius)
    # Counts are small integers, so their logarithms come from a table.
    logarithms = np.log(np.maximum(np.arange(sizes.max() + 1), 1)).astype(np.float32)
    log_sizes = logarithms[sizes]
    total = np.zeros(classes.shape, np.float32)
    for present in np.flatnonzero(np.bincount(classes.ravel())):
        counts = _window_sums((classes == present).astype(np.uint8), radius, cv2.CV_32S)
        total += counts * (log_sizes - logarithms[counts])
    return np.asarray(total / (sizes * math.log(class_count)), np.float32)


def uncertainty(probabilities: Floats, radius: int) -> Floats:
    """Mean entropy of the pixels of the window around each pixel, divided by ln K.

    Args:
        probabilities: `(K, h, w)` float32 that sum to 1 over K, or K = 1.
        radius: radius of the window in pixels.

    Returns:
        `(h, w)` float32 in [0, 1].
    """
    pixels = entropy(probabilities)
    return np.asarray(_window_sums(pixels, radius, cv2.CV_32F) / _window_sizes(pixels.shape, radius), np.float32)


def best_windows(scores: Floats, radius: int, count: int) -> Ints:
    """Choose the windows to label: repeatedly the best one that does not overlap those before.

    Source: the authors' code, core/active/build.py, RegionSelection.

    Args:
        scores: `(h, w)` float32 of `score_map`.
        radius: radius of the windows in pixels.
        count: parameter `topk_superpixel_score`: maximum number of windows.

    Returns:
        Centres `(n, 2)` int64, rows y, x, best first, n <= `count`: a window that scores 0 teaches nothing and is not
        chosen. Of equally good ones the upper left comes first.
    """
    left, chosen = scores.copy(), []
    for _ in range(count):
        y, x = divmod(int(left.argmax()), left.shape[1])
        if left[y, x] <= 0:
            break
        chosen.append((y, x))
        left[max(y - 2 * radius, 0) : y + 2 * radius + 1, max(x - 2 * radius, 0) : x + 2 * radius + 1] = 0
    return np.array(chosen, np.int64).reshape(-1, 2)


def windows_score(scores: Floats, chosen: Ints) -> float:
    """Sum of the scores of the windows to label, `(n, 2)` of `best_windows`; the largest first, 0 without any."""
    return float(scores[chosen[:, 0], chosen[:, 1]].sum(dtype=float))


def covered(chosen: Ints, radius: int, size: tuple[int, int]) -> Bools:
    """Mark the pixels of the windows to label, `(h, w)` bool, in an image of `size`."""
    mask = np.zeros(size, bool)
    for y, x in chosen:
        mask[max(y - radius, 0) : y + radius + 1, max(x - radius, 0) : x + radius + 1] = True
    return mask


class Windows(msgspec.Struct, frozen=True):
    """Summary of one image for the pool.

    Attributes:
        score: score of the image.
        size: height and width of the model's input.
        centres: rows y, x of the windows to label, in pixels of that input.
    """

    score: float
    size: tuple[int, int]
    centres: list[tuple[int, int]]


def summarise(evidence: Evidence, settings: MiningSettings) -> bytes:
    """Find the windows to label in one image, and pack them for the pool.

    Raises:
        ValueError: the prediction does not hold classes of pixels.
    """
    if evidence.prediction.pixels is None:
        raise ValueError(f"{evidence.name}: RIPU needs the classes of the pixels")
    scores = score_map(evidence.prediction.pixels.probabilities(), settings.radius)
    chosen = best_windows(scores, settings.radius, settings.topk)
    height, width = scores.shape
    return msgspec.msgpack.encode(Windows(windows_score(scores, chosen), (height, width), chosen.tolist()))


def judge(_pool: Sequence[bytes], settings: MiningSettings) -> "WindowJudge":
    """Make the judge. Each image is scored by itself: nothing depends on the pool."""
    return WindowJudge(settings.radius)


@dataclass(frozen=True, slots=True)
class WindowJudge:
    """Judge of windows, see `algorithm.Judge`."""

    radius: int

    def score(self, summary: bytes) -> float:
        """Read the score of an image, see `windows_score`."""
        return _unpacked(summary).score

    def to_label(self, summary: bytes, image: Pixels) -> Bools:
        """Mark the windows to label, scaled to the image."""
        found = _unpacked(summary)
        pixels = covered(np.array(found.centres, np.int64).reshape(-1, 2), self.radius, found.size)
        size = image.shape[1], image.shape[0]
        return np.asarray(cv2.resize(pixels.view(np.uint8), size, interpolation=cv2.INTER_NEAREST_EXACT) > 0, np.bool_)


def _unpacked(summary: bytes) -> Windows:
    return msgspec.msgpack.decode(summary, type=Windows)


def _window_sums(values: NDArray[np.uint8] | Floats, radius: int, depth: int) -> NDArray[Any]:
    """Sum a map `(h, w)` over the clipped window around each pixel; the type is `depth`."""
    side = 2 * radius + 1
    return np.asarray(cv2.boxFilter(values, depth, (side, side), normalize=False, borderType=cv2.BORDER_CONSTANT))


def _window_sizes(size: tuple[int, ...], radius: int) -> Ints:
    """Count the pixels of the clipped window around each pixel of an image of `size`, `(h, w)`."""
    down, across = (
        np.minimum(np.arange(side) + radius, side - 1) - np.maximum(np.arange(side) - radius, 0) + 1 for side in size
    )
    return np.outer(down, across)


RIPU: Final = PoolMeasure(
    name="RIPU",
    summarise=summarise,
    judge=judge,
    paper="Xie, Yuan, Li, Liu, Cheng: Towards Fewer Annotations: Active Learning via Region Impurity and Prediction"
    " Uncertainty for Domain Adaptive Semantic Segmentation. CVPR 2022, arXiv:2111.12940",
)

"""RSAL mining: superpixels about which the model is uncertain, rare classes first.

Source: Cai, Xu, Liew, Foo, "Revisiting Superpixels for Active Learning in Semantic Segmentation with Realistic
Annotation Costs", CVPR 2021: uncertainty, dominant class and class balance are the paper's, the last as in the authors'
code (github.com/cailile/Revisiting-Superpixels-for-Active-Learning, scripts/region_selection_using_al.py). Its first
step, stretching the uncertainties of the pool to [0, 1], is left out: BvSB lies there already.

The paper chooses regions of a whole pool under a budget and does not score images. Our score is the sum over regions:
the best `topk` count in any case, further ones if the budget of the pool covers them.

An image contributes its `Regions`, 6 bytes per region: 6 kB for 1024 of them, 120 MB for 20 000 images. They may be
made in shards, in any order; everything that depends on the pool is in a `Standard`, made from all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from common.arrays import Bools, Doubles, Floats, Ints, Pixels, Segments
from common.mining.algorithm import Evidence, PoolMeasure
from common.mining.measures.pixels import best_versus_second, leaders
from common.mining.measures.regions import means, modes, resized
from common.mining.measures.superpixels import superpixels
from common.task.mining_settings import MiningSettings

FURTHER: Final = 0.2
"""Maximum share of the pool's regions above the threshold."""


@dataclass(frozen=True, slots=True)
class Regions:
    """Summary of one image for the pool.

    Attributes:
        scores: `(R,)` float32 in [0, 1], mean uncertainty of each region.
        classes: `(R,)` int16, class that is predicted for most of its pixels.
    """

    scores: Floats
    classes: NDArray[np.int16]

    @classmethod
    def of(cls, probabilities: Floats, labels: Segments) -> Self:
        """Score all regions of an image.

        Args:
            probabilities: `(K, h', w')` float32, for the image in any size. For K = 1, "not this class" is a second
                class, with number 1.
            labels: `(h, w)` int32 of `superpixels`.
        """
        two = leaders(probabilities)
        doubts = resized(best_versus_second(two), labels.shape)
        classes = resized(two.classes, labels.shape)
        return cls(means(doubts, labels), modes(classes, labels, max(len(probabilities), 2)))

    def packed(self) -> bytes:
        """Pack for a shard: 6 bytes per region."""
        return self.scores.tobytes() + self.classes.tobytes()

    @classmethod
    def unpacked(cls, summary: bytes) -> Self:
        """Unpack the bytes of `packed`."""
        count = len(summary) // 6
        return cls(np.frombuffer(summary, np.float32, count), np.frombuffer(summary, np.int16, offset=4 * count))


@dataclass(frozen=True, slots=True)
class Standard:
    """Standard by which the regions of all images of a pool are measured.

    Attributes:
        weights: `(K,)` float64 in [1/e, 1], weight of each class.
        threshold: minimum weighted score of further regions; infinite if none counts.
        topk: parameter `topk_superpixel_score`: number of regions per image that count in any case.
    """

    weights: Doubles
    threshold: float
    topk: int


def standard(
    pool: Sequence[Regions], class_count: int, *, class_balance: bool, kept_images: int, topk: int
) -> Standard:
    """Compute the standard of a pool. Needs the memory of `kept_images` x `topk` numbers besides the pool.

    Args:
        pool: regions of every image; iterated twice.
        class_count: K, at least 2 (see `Regions.of`).
        class_balance: whether regions of frequent classes count less.
        kept_images: parameter `max_kept_mining_image`: number of images whose regions people will label.
        topk: parameter `topk_superpixel_score`, >= 1.
    """
    counts = np.zeros(class_count, np.int64)
    for each in pool:
        counts += np.bincount(each.classes, minlength=class_count)
    weights = frequency_weights(counts) if class_balance else np.ones(class_count)
    budget = min(kept_images * topk, int(FURTHER * counts.sum()))
    return Standard(weights, _threshold(pool, weights, budget), topk)


def frequency_weights(counts: Ints) -> Doubles:
    """Weight exp(-p) of each class, p being its share of the pool's regions (the paper's class balance).

    Args:
        counts: `(K,)`, number of regions per predicted class.

    Returns:
        `(K,)` float64; all 1 for a pool without regions.
    """
    weights: Doubles = np.exp(-counts / max(counts.sum(), 1))
    return weights


def regions_score(regions: Regions, measure: Standard) -> float:
    """Sum of the weighted scores of the regions to label; the largest first."""
    return float(_weighted(regions, measure.weights)[to_label(regions, measure)].sum())


def to_label(regions: Regions, measure: Standard) -> Ints:
    """Choose the regions to label in an image: the best `topk`, and all others from the threshold on.

    Returns:
        Numbers of the regions, `(n,)` int64, best first, n >= min(topk, R). Of equally good regions the one with the
        smaller number comes first.
    """
    scores = _weighted(regions, measure.weights)
    order = np.argsort(-scores, kind="stable")
    return order[: max(measure.topk, np.count_nonzero(scores >= measure.threshold))]


def summarise(evidence: Evidence, settings: MiningSettings) -> bytes:
    """Score the regions of one image, and pack them for the pool.

    Raises:
        ValueError: the prediction does not hold classes of pixels, or the image was not cut into regions.
    """
    if evidence.prediction.pixels is None or evidence.segments is None:
        raise ValueError(f"{evidence.name}: RSAL needs the classes of the pixels and the superpixels")
    return Regions.of(evidence.prediction.pixels.probabilities(), evidence.segments).packed()


def judge(pool: Sequence[bytes], settings: MiningSettings) -> "SuperpixelJudge":
    """Make the judge from the standard of the pool."""
    regions = [Regions.unpacked(summary) for summary in pool]
    class_count = max((int(each.classes.max()) + 1 for each in regions), default=1)
    measure = standard(
        regions,
        class_count,
        class_balance=settings.class_balance,
        kept_images=settings.kept_images,
        topk=settings.topk,
    )
    return SuperpixelJudge(measure, settings)


@dataclass(frozen=True, slots=True)
class SuperpixelJudge:
    """Judge of superpixels, see `algorithm.Judge`."""

    measure: Standard
    settings: MiningSettings

    def score(self, summary: bytes) -> float:
        """Score an image, see `regions_score`."""
        return regions_score(Regions.unpacked(summary), self.measure)

    def to_label(self, summary: bytes, image: Pixels) -> Bools:
        """Mark the superpixels to label. They are cut again, which gives the same regions every time."""
        labels = segment(image, self.settings)
        chosen = np.zeros(int(labels.max()) + 1, np.bool_)
        chosen[to_label(Regions.unpacked(summary), self.measure)] = True
        pixels: Bools = chosen[labels]
        return pixels


def segment(image: Pixels, settings: MiningSettings) -> Segments:
    """Cut an image, as it is stored, into superpixels."""
    return superpixels(image, settings.superpixels, settings.most_superpixels)


def _weighted(regions: Regions, weights: Doubles) -> Doubles:
    scores: Doubles = regions.scores * weights[regions.classes]
    return scores


def _threshold(pool: Sequence[Regions], weights: Doubles, budget: int) -> float:
    """Find the `budget`-th best weighted score of the pool; infinite for a budget of 0."""
    if budget < 1:
        return float("inf")
    best = np.zeros(0)
    for each in pool:
        best = np.concatenate([best, _weighted(each, weights)])
        if len(best) > budget:
            best = np.partition(best, -budget)[-budget:]
    return float(best.min())


RSAL: Final = PoolMeasure(
    name="RSAL",
    summarise=summarise,
    judge=judge,
    paper="Cai, Xu, Liew, Foo: Revisiting Superpixels for Active Learning in Semantic Segmentation with Realistic"
    " Annotation Costs. CVPR 2021",
    segment=segment,
)

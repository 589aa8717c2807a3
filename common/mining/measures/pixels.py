"""Measures of each pixel from the probabilities of a semantic model: its class and the uncertainty.

All functions work class by class on maps of one image, so that nothing larger than the probabilities is created.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from common.arrays import Floats

Classes = NDArray[np.int16]


class Leaders(NamedTuple):
    """Best class of each pixel, and the probabilities of the two best.

    Attributes:
        classes: `(h, w)` int16, most probable class, of equal ones the first.
        best: `(h, w)` float32, its probability.
        second: `(h, w)` float32, probability of the next one.
    """

    classes: Classes
    best: Floats
    second: Floats


def completed(probabilities: Floats) -> Floats:
    """Complete a single map p, which is a yes-or-no question, by 1 - p; more maps stay as they are.

    Args:
        probabilities: `(K, h, w)` float32, K >= 1.

    Returns:
        `(max(K, 2), h, w)` float32; the argument itself for K >= 2.
    """
    if len(probabilities) > 1:
        return probabilities
    return np.concatenate([probabilities, 1 - probabilities])


def leaders(probabilities: Floats) -> Leaders:
    """Find the two best classes of each pixel.

    Args:
        probabilities: `(K, h, w)` float32; for K = 1 the second class is "not this one", see `completed`.
    """
    first, *others = completed(probabilities)
    best, second = first.astype(np.float32), np.full(first.shape, -np.inf, np.float32)
    classes = np.zeros(first.shape, np.int16)
    for number, each in enumerate(others, start=1):
        np.maximum(second, np.minimum(best, each), out=second)
        np.copyto(classes, number, where=each > best)
        np.maximum(best, each, out=best)
    return Leaders(classes, best, second)


def best_versus_second(two: Leaders) -> Floats:
    """BvSB: the second-best probability divided by the best, 1 where two classes are equally likely.

    Source: Cai, Xu, Liew, Foo, CVPR 2021, after Joshi, Porikli, Papanikolopoulos, CVPR 2009, who take the
    difference.

    Returns:
        `(h, w)` float32 in [0, 1]. 1 where every class has probability 0.
    """
    return np.divide(two.second, two.best, out=np.ones_like(two.best), where=two.best > 0)


def entropy(probabilities: Floats) -> Floats:
    """Entropy of the classes of each pixel, divided by ln K; for K = 1 that of a yes-or-no question.

    Args:
        probabilities: `(K, h, w)` float32 that sum to 1 over K, or K = 1. 0 ln 0 counts as 0.

    Returns:
        `(h, w)` float32 in [0, 1].
    """
    distribution = completed(probabilities)
    total = np.zeros(distribution.shape[1:], np.float32)
    for each in distribution:
        total -= each * np.log(np.maximum(each, np.finfo(np.float32).tiny))
    return total / np.float32(math.log(len(distribution)))

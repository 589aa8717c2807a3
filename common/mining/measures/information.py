"""Entropy and divergence of probabilities, in nats. 0 ln 0 counts as 0."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Number = TypeVar("Number", np.float32, np.float64)


def binary_entropy(p: NDArray[Number]) -> NDArray[Number]:
    """Entropy of a yes-or-no question, H_b(p) = -p ln p - (1 - p) ln(1 - p), of each element.

    Args:
        p: probabilities of any shape; rounding errors outside [0, 1] are clipped.

    Returns:
        The shape of `p`, between 0 and ln 2.
    """
    p = np.clip(p, 0, 1)
    return _surprise(p) + _surprise(1 - p)


def jensen_shannon(p: NDArray[Number], q: NDArray[Number]) -> NDArray[Number]:
    """Jensen-Shannon divergence of the distributions along the last axis: H((p + q) / 2) - (H(p) + H(q)) / 2.

    Args:
        p: `(..., K)` probabilities that sum to 1.
        q: the same shape.

    Returns:
        Shape `(...)`, between 0 and ln 2.
    """
    gain = _surprise((p + q) / 2) - (_surprise(p) + _surprise(q)) / 2
    divergence: NDArray[Number] = np.clip(gain.sum(axis=-1), 0, np.log(2))
    return divergence


def _surprise(p: NDArray[Number]) -> NDArray[Number]:
    return -p * np.log(np.maximum(p, np.finfo(p.dtype).tiny))

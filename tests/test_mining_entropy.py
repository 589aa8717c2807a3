"""Entropy mining and the entropies below it."""

import math

import numpy as np
import pytest

from common.mining.algorithm import importance
from common.mining.measures.information import binary_entropy, jensen_shannon
from common.mining.registry import DETECTION
from tests.mining_cases import SETTINGS, evidence, scored


def rank(*scores: float) -> float:
    return importance(DETECTION["entropy"], evidence(scored(*scores)), SETTINGS)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ((), 0.0),  # nothing detected
        ((0.0, 1.0), 0.0),  # nothing in doubt
        ((0.5,), math.log(2)),  # the most that one box can give
        ((0.9,), 0.3250830),  # -0.9 ln 0.9 - 0.1 ln 0.1
        ((0.1,), 0.3250830),  # as sure that there is nothing
        ((0.9, 0.5, 1.0), 0.3250830 + math.log(2)),  # a sum over boxes
    ],
)
def test_entropy_is_the_sum_of_full_binary_entropies(scores: tuple[float, ...], expected: float) -> None:
    assert rank(*scores) == pytest.approx(expected, abs=1e-6)


def test_the_largest_entropy_is_at_one_half_and_not_at_one_over_e() -> None:
    assert rank(0.5) > rank(1 / math.e)


def test_more_doubtful_boxes_rank_higher() -> None:
    assert rank(0.5, 0.5) > rank(0.5) > rank(0.9) > rank(0.99) > rank(1.0) == rank()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rounding_errors_outside_the_unit_interval_do_no_harm(dtype: type[np.floating]) -> None:
    p = np.array([-1e-7, 0, 1, 1 + 1e-7], dtype)
    assert binary_entropy(p).tolist() == [0, 0, 0, 0]


def test_equal_distributions_do_not_diverge_and_disjoint_ones_diverge_by_ln_2() -> None:
    p = np.array([[0.3, 0.7, 0.0], [1.0, 0.0, 0.0]])
    q = np.array([[0.3, 0.7, 0.0], [0.0, 0.4, 0.6]])
    assert jensen_shannon(p, q) == pytest.approx([0, math.log(2)])

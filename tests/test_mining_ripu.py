"""RIPU mining, against the formula written out pixel by pixel."""

import math

import numpy as np
import pytest

from common.mining.ripu import best_windows, covered, impurity, score_map, uncertainty, windows_score

RNG = np.random.default_rng(5)


def probabilities(classes: int, height: int, width: int) -> np.ndarray:
    raw = RNG.random((classes, height, width)) ** 4
    return (raw / raw.sum(axis=0)).astype(np.float32)


def literal(given: np.ndarray, radius: int) -> np.ndarray:
    """Impurity times uncertainty, window by window."""
    count, height, width = given.shape
    expected = np.zeros((height, width))
    for y in range(height):
        for x in range(width):
            part = given[:, max(y - radius, 0) : y + radius + 1, max(x - radius, 0) : x + radius + 1].astype(float)
            part = part.reshape(count, -1)
            doubt = -(part * np.log(part + 1e-12)).sum(axis=0).mean()
            shares = np.bincount(part.argmax(axis=0), minlength=count) / part.shape[1]
            mixed = -(shares[shares > 0] * np.log(shares[shares > 0])).sum()
            expected[y, x] = doubt * mixed / math.log(count) ** 2
    return expected


@pytest.mark.parametrize("radius", [0, 1, 2, 5, 40])
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 4), (12, 15)])
def test_the_map_is_the_formula_of_the_paper_border_included(size: tuple[int, int], radius: int) -> None:
    given = probabilities(5, *size)
    found = score_map(given, radius)
    assert found.dtype == np.float32
    assert found == pytest.approx(literal(given, radius), abs=1e-5)


def test_one_class_is_asked_yes_or_no() -> None:
    yes = RNG.random((1, 8, 9), np.float32)
    assert score_map(yes, 1) == pytest.approx(score_map(np.concatenate([yes, 1 - yes]), 1))
    assert np.isfinite(score_map(np.ones((1, 4, 4), np.float32), 1)).all()


def test_the_most_that_a_window_can_have_is_1_also_in_a_corner() -> None:
    classes = np.array([[0, 1], [2, 3]], np.int16)
    assert impurity(classes, 1, 4) == pytest.approx(1)
    assert uncertainty(np.full((4, 2, 2), 0.25, np.float32), 1) == pytest.approx(1)


def test_a_window_of_one_class_has_no_impurity_at_all() -> None:
    classes = np.zeros((30, 30), np.int16)
    classes[:, 20:] = 3
    found = impurity(classes, 2, 4)
    assert (found[:, :18] == 0).all()
    assert (found[:, 22:] == 0).all()
    assert (found[:, 18:22] > 0).all()
    assert found[15, 19] == pytest.approx(-(0.6 * math.log(0.6) + 0.4 * math.log(0.4)) / math.log(4))


def test_windows_are_the_best_that_do_not_overlap() -> None:
    scores = np.zeros((9, 9), np.float32)
    scores[4, 4], scores[4, 6], scores[4, 7], scores[0, 0] = 0.9, 0.8, 0.7, 0.1
    chosen = best_windows(scores, 1, 5)
    assert chosen.tolist() == [[4, 4], [4, 7], [0, 0]]
    assert windows_score(scores, chosen) == pytest.approx(0.9 + 0.7 + 0.1)
    assert best_windows(scores, 1, 1).tolist() == [[4, 4]]
    assert best_windows(scores, 0, 2).tolist() == [[4, 4], [4, 6]]


def test_covered_pixels_are_those_of_the_windows_inside_the_image() -> None:
    mask = covered(np.array([[0, 0], [3, 3]]), 1, (5, 4))
    assert np.argwhere(mask).tolist() == [
        *([0, 0], [0, 1], [1, 0], [1, 1]),
        *([2, 2], [2, 3], [3, 2], [3, 3], [4, 2], [4, 3]),
    ]
    scores = score_map(probabilities(3, 20, 20), 2)
    chosen = best_windows(scores, 2, 4)
    assert covered(chosen, 2, (20, 20)).sum() == sum(covered(chosen[[i]], 2, (20, 20)).sum() for i in range(4))


def test_a_sure_image_has_no_window_and_scores_0() -> None:
    sure = np.zeros((3, 6, 6), np.float32)
    sure[0] = 1
    chosen = best_windows(score_map(sure, 1), 1, 3)
    assert chosen.shape == (0, 2)
    assert windows_score(score_map(sure, 1), chosen) == 0


def test_a_doubtful_border_outranks_a_sharp_one() -> None:
    def score(certainty: float) -> float:
        given = np.full((2, 8, 8), 1 - certainty, np.float32)
        given[0, :, :4] = given[1, :, 4:] = certainty
        scores = score_map(given, 1)
        return windows_score(scores, best_windows(scores, 1, 3))

    assert score(0.6) > score(0.95) > score(1.0) == 0

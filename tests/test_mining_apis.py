"""`apis` mining: entropy of objects and outlines, against values computed by hand."""

import math

import numpy as np
import pytest

from common.mining.apis import entropy_of_objects
from common.mining.measures.windows import box_windows

LN2 = math.log(2)
H9 = 0.3250830
"""-0.9 ln 0.9 - 0.1 ln 0.1."""


def score(*objects: tuple[float, list[list[float]]]) -> float:
    scores = np.array([each for each, _ in objects], np.float32)
    return entropy_of_objects(scores, (np.array(mask, np.float32) for _, mask in objects))


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        ([], 0.0),  # nothing detected
        ([(1.0, [[0, 1], [1, 0]])], 0.0),  # no doubt at all
        ([(0.5, [[0, 1]])], LN2),  # is it there?
        ([(1.0, [[0.5, 1]])], LN2 / 2),  # where does it end?
        ([(0.9, [[0.9, 0.1, 1, 0]])], H9 + H9 / 2),  # both
        ([(0.9, [[1]]), (0.5, [[0.5]])], H9 + 2 * LN2),  # objects are added up
    ],
)
def test_an_object_counts_by_its_score_and_its_outline(
    objects: list[tuple[float, list[list[float]]]], expected: float
) -> None:
    assert score(*objects) == pytest.approx(expected, abs=1e-6)


def test_many_sure_objects_side_by_side_are_sure() -> None:
    sure = (1.0, [[1.0, 1.0], [0.0, 1.0]])
    assert score(*[sure] * 30) == 0


def test_large_objects_do_not_count_more_than_small_ones() -> None:
    assert score((0.9, [[0.9] * 50] * 50)) == pytest.approx(score((0.9, [[0.9]])), abs=1e-6)


def test_half_sure_objects_outrank_sure_ones() -> None:
    mask = [[0.1, 0.9]]
    assert score((0.5, mask), (0.5, mask)) > score((0.99, mask), (0.99, mask)) > score()


def test_masks_are_cut_at_the_pixels_that_their_boxes_touch() -> None:
    masks = np.arange(3 * 4 * 5, dtype=np.float32).reshape(3, 4, 5)
    boxes = np.array([[1, 0, 3, 2], [0.5, 1.5, 2.5, 3.2], [-9, -9, 99, 99]], np.float32)
    first, second, third = (mask[window] for mask, window in zip(masks, box_windows(boxes, (4, 5)), strict=True))
    assert first.tolist() == masks[0, 0:2, 1:3].tolist()
    assert second.tolist() == masks[1, 1:4, 0:3].tolist()
    assert third.tolist() == masks[2].tolist()


@pytest.mark.parametrize("box", [[2, 2, 2, 2], [9, 9, 12, 12], [-5, -5, -1, -1], [3, 3, 1, 1]])
def test_a_box_without_any_pixel_gets_the_nearest(box: list[float]) -> None:
    (window,) = box_windows(np.array([box], np.float32), (4, 5))
    assert np.zeros((4, 5))[window].shape == (1, 1)


def test_a_mask_for_each_score_is_expected() -> None:
    with pytest.raises(ValueError, match="zip"):
        entropy_of_objects(np.array([0.5, 0.5], np.float32), [np.ones((1, 1), np.float32)])
    with pytest.raises(ValueError, match=r"at least one pixel, got shape \(0, 3\)"):
        score_of_empty()


def score_of_empty() -> float:
    return entropy_of_objects(np.array([0.5], np.float32), [np.ones((0, 3), np.float32)])

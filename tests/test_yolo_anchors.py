"""Anchors: how well they fit boxes, and those that are estimated for a data set."""

import numpy as np
import pytest

from common.yolo.anchored.anchors import ANCHORS, LEAST_RECALL, best_recall, box_sizes, estimate

COCO = np.array(ANCHORS[3], dtype=np.float32).reshape(-1, 2)


@pytest.mark.parametrize(
    ("size", "recall"),
    [
        ((10, 13), 1.0),  # an anchor itself
        ((39, 51), 1.0),  # less than 4 times as large as that one, and near others
        ((1400, 1200), 1.0),  # less than 4 times as large as the largest
        ((1500, 1200), 0.0),  # one side is more than 4 times as large
        ((2, 13), 0.0),  # 5 times as narrow as the smallest
    ],
)
def test_an_anchor_fits_a_box_up_to_four_times_as_large_or_small(size: tuple[int, int], recall: float) -> None:
    assert best_recall(np.array([size], np.float32), COCO) == recall


def test_recall_is_a_share_of_the_boxes() -> None:
    sizes = np.array([(10, 13), (1, 1), (300, 300), (3000, 9)], np.float32)
    assert best_recall(sizes, COCO) == 0.5
    assert best_recall(sizes[:0], COCO) == 1.0


def test_boxes_that_no_anchor_fits_get_anchors_of_their_own() -> None:
    random = np.random.default_rng(1)
    kinds = np.array([(2.5, 60), (400, 12), (5, 5)])
    sizes = (kinds[random.integers(3, size=400)] * random.uniform(0.8, 1.25, (400, 2))).astype(np.float32)
    before = best_recall(sizes, COCO)
    anchors = estimate(sizes, COCO)
    assert before < LEAST_RECALL
    assert best_recall(sizes, anchors) == 1.0
    assert anchors.shape == COCO.shape
    areas = anchors.prod(axis=1)
    assert (np.diff(areas) >= 0).all(), "the finest scale has the smallest ones"


def test_an_estimate_is_the_same_every_time_and_survives_half_precision() -> None:
    sizes = np.random.default_rng(2).uniform(3, 900, (500, 2)).astype(np.float32)
    anchors = estimate(sizes, COCO)
    np.random.default_rng().random()
    np.testing.assert_array_equal(anchors, estimate(sizes, COCO))
    np.testing.assert_array_equal(anchors, anchors.astype(np.float16).astype(np.float32))


@pytest.mark.parametrize("count", [0, 1, 5])
def test_few_boxes_are_enough(count: int) -> None:
    sizes = np.array([(900 + i, 1 + i) for i in range(count)], np.float32).reshape(-1, 2)
    anchors = estimate(sizes, COCO)
    assert anchors.shape == COCO.shape
    assert np.isfinite(anchors).all()
    assert best_recall(sizes, anchors) >= best_recall(sizes, COCO)


def test_boxes_are_measured_as_the_model_sees_them() -> None:
    fractions = [np.array([(0.5, 0.5), (0.1, 0.2)]), np.zeros((0, 2)), np.array([(1.0, 1.0)])]
    sizes = box_sizes(fractions, np.array([(640, 480), (640, 640), (320, 640)], np.float32))
    np.testing.assert_allclose(sizes, [(320, 240), (64, 96), (320, 640)])
    assert box_sizes([], np.zeros((0, 2), np.float32)).shape == (0, 2)

"""CALD mining, against values computed by hand."""

import math

import numpy as np
import pytest

from common.boxes.upright import clip, iou
from common.mining.algorithm import Augmented, Evidence, importance
from common.mining.cald import class_distribution
from common.mining.registry import DETECTION
from common.predictions import Detections, Prediction
from tests.geometry import rotated
from tests.mining_cases import SETTINGS, SIZE, Box, detections, evidence, scored

CALD = DETECTION["cald"]
BOX: Box = (0, 0, 10, 10)
HALF: Box = (0, 0, 10, 5)
FAR: Box = (50, 50, 60, 60)


def native(plain: Detections, *augmented: Detections) -> float:
    return CALD.score(evidence(plain, *augmented), SETTINGS)


def rank(plain: Detections, *augmented: Detections) -> float:
    return importance(CALD, evidence(plain, *augmented), SETTINGS)


@pytest.mark.parametrize(
    ("plain", "augmented", "expected"),
    [
        # perfect agreement: 1 + 1 - 1.3
        ((BOX, [1.0]), (BOX, [1.0]), 0.7),
        # same box, half sure: 1 + 0.5 - 1.3
        ((BOX, [0.5]), (BOX, [0.5]), 0.2),
        # no overlap: 0 + 0.5 (0.8 + 0.8) - 1.3
        ((BOX, [0.8]), (FAR, [0.8]), 0.5),
        # IoU 0.5; (0.8, 0.2) against (0.6, 0.4) diverge by 0.0241573: 0.5 + 0.7 (1 - 0.0241573) - 1.3
        ((BOX, [0.8]), (HALF, [0.6]), 0.1169101),
        # same box, other class: 1 + 1 (1 - ln 2) - 1.3
        ((BOX, [1.0, 0.0]), (BOX, [0.0, 1.0]), 0.7 - math.log(2)),
        # nothing at all agrees: 0 + 0 - 1.3
        ((BOX, [0.0]), (FAR, [0.0]), 1.3),
    ],
)
def test_one_box_is_scored_by_its_distance_to_the_base_point(
    plain: tuple[Box, list[float]], augmented: tuple[Box, list[float]], expected: float
) -> None:
    assert native(detections(plain), detections(augmented)) == pytest.approx(expected, abs=1e-6)


def test_the_worst_box_speaks_for_an_augmentation() -> None:
    both = detections((BOX, [1.0]), (FAR, [0.5]))
    assert native(both, both) == pytest.approx(0.2)


def test_augmentations_are_averaged() -> None:
    sure, half = detections((BOX, [1.0])), detections((HALF, [0.5]))
    first, second = native(sure, sure), native(sure, half)
    assert native(sure, sure, half) == pytest.approx((first + second) / 2)
    assert first != pytest.approx(second)


def test_a_box_is_matched_with_the_one_that_overlaps_it_most() -> None:
    found = detections((HALF, [0.9]), (BOX, [0.5]))
    assert native(detections((BOX, [0.5])), found) == pytest.approx(0.2)


def test_a_detector_that_follows_every_augmentation_is_perfectly_consistent() -> None:
    plain = detections((BOX, [1.0]), ((30, 40, 70, 80), [1.0]))
    assert CALD.augment is not None
    changed = CALD.augment(np.zeros((*SIZE, 3), np.uint8), plain, np.random.default_rng(0))
    found = tuple(Prediction(each.move(plain)) for each in changed)
    case = Evidence("a.jpg", Prediction(plain), SIZE, found, changed)
    assert CALD.score(case, SETTINGS) == pytest.approx(0.7)


def test_what_a_box_has_outside_the_input_is_not_compared() -> None:
    plain, found = detections((BOX, [1.0])), detections(((-10, -5, 10, 10), [1.0]))
    assert native(plain, found) == pytest.approx(0.7)


def test_an_image_without_detections_comes_first_as_in_the_authors_code() -> None:
    nothing = detections()
    assert native(nothing) == 0
    assert native(nothing, scored(0.9)) == 0
    assert rank(nothing) >= rank(scored(0.5), scored(0.5))


def test_an_augmentation_without_detections_counts_as_the_most_informative() -> None:
    sure = detections((BOX, [1.0]))
    assert native(sure, sure, detections()) == pytest.approx(0.7 / 2)


def test_detections_that_fall_apart_outrank_those_that_hold() -> None:
    plain = scored(0.9, 0.9)
    blurred = detections(((0, 10, 15, 28), [0.4]), ((20, 10, 35, 28), [0.4]))
    assert rank(plain, blurred) > rank(plain, plain)


def test_the_number_of_consistent_boxes_does_not_matter() -> None:
    many = detections(*[((4.0 * i, 0, 4.0 * i + 3, 3), [0.95]) for i in range(30)])
    one = detections(((0, 0, 3, 3), [0.95]))
    doubtful = scored(0.5)
    assert rank(many, many) == pytest.approx(rank(one, one))
    assert rank(many, many) < rank(doubtful, doubtful)


def test_missing_augmented_predictions_are_an_error_that_names_the_image() -> None:
    with pytest.raises(ValueError, match=r"image\.jpg: cald needs predictions on augmented inputs"):
        rank(scored(0.5))


@pytest.mark.parametrize(
    ("probabilities", "expected"),
    [
        ([0.2, 0.3], [0.2, 0.3, 0.5]),  # a softmax head, or an unsure sigmoid one: the rest is background
        ([0.9, 0.9], [0.5, 0.5, 0.0]),  # a sigmoid head that believes in both
        ([0.0, 0.0], [0.0, 0.0, 1.0]),  # nothing but background
    ],
)
def test_class_scores_become_a_distribution_with_background(probabilities: list[float], expected: list[float]) -> None:
    distribution = class_distribution(np.array([probabilities], np.float32))
    assert distribution[0] == pytest.approx(expected, abs=1e-6)


def test_overlaps_of_boxes_are_exact_and_total() -> None:
    boxes = np.array([BOX, HALF, FAR, (5, 5, 5, 5), (9, 9, 1, 1)], np.float32)
    expected = [[1, 0.5, 0, 0, 0], [0.5, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]]
    assert iou(boxes, boxes).tolist() == expected


def test_the_part_of_a_box_outside_the_input_is_cut_off() -> None:
    assert clip(np.array([[-5, -5, 200, 50]], np.float32), (96, 128)).tolist() == [[0, 0, 128, 50]]


def test_rotated_boxes_are_followed_and_compared_as_rotated_boxes() -> None:
    plain = rotated([[60, 50, 50, 8, 0.7]])
    assert CALD.augment is not None
    changed = CALD.augment(np.zeros((*SIZE, 3), np.uint8), plain, np.random.default_rng(0))
    followed = [each.move(plain) for each in changed]
    assert CALD.score(on_augmentations(plain, changed, followed), SETTINGS) == pytest.approx(1.5 - 1.3, abs=1e-5)
    turned = [each.with_boxes(each.boxes + np.array([0, 0, 0, 0, 0.3], np.float32)) for each in followed]
    overlaps = [one.iou(other)[0, 0] for one, other in zip(followed, turned, strict=True)]
    assert max(overlaps) < 0.5
    expected = np.mean([1.3 - (0.5 + overlap) for overlap in overlaps])
    assert CALD.score(on_augmentations(plain, changed, turned), SETTINGS) == pytest.approx(expected)


def on_augmentations(plain: Detections, changed: tuple[Augmented, ...], found: list[Detections]) -> Evidence:
    return Evidence("a.jpg", Prediction(plain), SIZE, tuple(map(Prediction, found)), changed)


def test_a_cutout_covers_the_shares_of_rotated_boxes_that_it_covers() -> None:
    covered = rotated([[50, 50, 40, 10, math.pi / 4]]).covered(np.array([[0, 0, 50, 100], [90, 90, 99, 99]]))
    assert covered.tolist() == [[pytest.approx(0.5)], [0]]

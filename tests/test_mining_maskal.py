"""MaskAL mining, against values computed by hand and pycocotools."""

import math

import numpy as np
import pytest
from pycocotools import mask as coco

from common.mining.maskal import (
    MASKAL,
    NOTHING_SEEN,
    Sighting,
    box_certainty,
    certainty,
    clusters,
    mask_certainty,
    pack,
    semantic_certainty,
)

SIZE = (10, 13)
"""130 pixels: not a multiple of 8, nor of 64."""
RNG = np.random.default_rng(3)
Box = tuple[int, int, int, int]
LEFT: Box = (0, 0, 5, 4)
RIGHT: Box = (7, 5, 13, 10)
SURE = (1.0, 0.0, 0.0)


def filled(*boxes: Box) -> np.ndarray:
    masks = np.zeros((len(boxes), *SIZE), bool)
    for mask, (x1, y1, x2, y2) in zip(masks, boxes, strict=True):
        mask[y1:y2, x1:x2] = True
    return masks


def sighting(*found: tuple[Box, tuple[float, ...]]) -> Sighting:
    """One pass with objects that fill their boxes."""
    boxes = [box for box, _ in found]
    return Sighting(
        pack(filled(*boxes)),
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array([each for _, each in found] or np.zeros((0, 3)), np.float32),
    )


def test_masks_are_kept_in_an_eighth_of_their_memory_and_no_bit_is_lost() -> None:
    masks = RNG.random((4, *SIZE)) < 0.5
    packed = pack(masks)
    assert packed.shape == (4, 3)
    assert packed.dtype == np.uint64
    bits = np.unpackbits(packed.view(np.uint8), axis=1)
    assert (bits[:, :130].reshape(masks.shape) == masks).all()
    assert not bits[:, 130:].any()
    assert pack(np.zeros((0, *SIZE), bool)).shape == (0, 3)


@pytest.mark.parametrize(
    ("probabilities", "expected"),
    [
        ([1, 0, 0], 1),
        ([0.2, 0.2, 0.2], 0),  # torn between all, whatever they sum to
        ([0.4, 0.4, 0], 1 - math.log(2) / math.log(3)),
        ([0.45, 0.05], 1 - 0.3250830 / math.log(2)),  # 0.9 and 0.1 after scaling
        ([0, 0], 0),
        ([0.3], 0.3),  # one class: no choice, so the score
    ],
)
def test_semantic_certainty_is_one_less_the_share_of_the_entropy(probabilities: list[float], expected: float) -> None:
    assert semantic_certainty(np.array([probabilities], np.float32)) == pytest.approx([expected], abs=1e-6)


def test_masks_are_compared_with_what_a_quarter_of_them_share() -> None:
    # Of eight masks two reach further, so their surplus belongs to the mean; a third part, in one of them, does not.
    masks = filled(*[(0, 0, 4, 4)] * 6, (0, 0, 8, 4), (0, 0, 8, 4))
    masks[7, 9, 12] = True
    assert mask_certainty(pack(masks)) == pytest.approx((6 * 16 / 32 + 1 + 32 / 33) / 8)


def test_boxes_are_compared_with_the_mean_box() -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 0, 20, 10]], np.float32)
    assert box_certainty(boxes) == pytest.approx((10 / 15 + 15 / 20) / 2)


def test_detections_that_overlap_by_more_than_half_are_one_object() -> None:
    masks = pack(filled((0, 0, 8, 4), RIGHT, (0, 0, 6, 4), (0, 0, 4, 4), (0, 0, 8, 4)))
    # 24 / 32 joins the first; 16 / 32 is not more than half.
    assert clusters(masks).tolist() == [0, 1, 0, 2, 0]


def test_a_detection_joins_the_object_that_it_overlaps_most() -> None:
    masks = pack(filled((0, 0, 6, 4), (3, 0, 11, 4), (2, 0, 9, 4)))
    # 16 / 36 with the first, 24 / 36 with the second.
    assert clusters(masks).tolist() == [0, 1, 1]
    masks = pack(filled((0, 0, 8, 4), (2, 0, 12, 4), (1, 0, 11, 4)))
    # More than half with both: 28 / 44 and 36 / 44.
    assert clusters(masks[[0, 2]]).tolist() == [0, 0]
    assert clusters(pack(filled((0, 0, 10, 1), (6, 0, 13, 1), (3, 0, 13, 1)))).tolist() == [0, 1, 1]


def test_clusters_are_those_of_pycocotools_overlaps() -> None:
    boxes = [(x, y, x + int(w), y + int(h)) for x, y, w, h in zip(*RNG.integers(1, 7, (4, 60)), strict=True)]
    masks = filled(*boxes)
    encoded = coco.encode(np.asfortranarray(masks.transpose(1, 2, 0).astype(np.uint8)))
    overlaps = coco.iou(encoded, encoded, [0] * len(boxes))
    firsts: list[int] = []
    expected = []
    for row in range(len(boxes)):
        best = max(range(len(firsts)), key=lambda number: overlaps[row, firsts[number]], default=None)
        if best is None or overlaps[row, firsts[best]] <= 0.5:
            best = len(firsts)
            firsts.append(row)
        expected.append(best)
    assert clusters(pack(masks)).tolist() == expected


def test_empty_masks_are_objects_of_their_own_without_certainty() -> None:
    nothing = pack(np.zeros((2, *SIZE), bool))
    assert clusters(nothing).tolist() == [0, 1]
    assert mask_certainty(nothing[:1]) == 0


@pytest.mark.parametrize(
    ("passes", "expected"),
    [
        # The same in every pass.
        ([sighting((LEFT, SURE)), sighting((LEFT, SURE))], 1.0),
        # Seen in one pass of two.
        ([sighting((LEFT, SURE)), sighting()], 0.5),
        # Twice in one pass is still one pass.
        ([sighting((LEFT, SURE), (LEFT, SURE)), sighting()], 0.5),
        # The mean over the objects: 1 and 1/2.
        ([sighting((LEFT, SURE), (RIGHT, SURE)), sighting((LEFT, SURE))], 0.75),
        # Torn between two of three classes in one of two passes.
        ([sighting((LEFT, SURE)), sighting((LEFT, (0.5, 0.5, 0.0)))], 1 - math.log(2) / math.log(3) / 2),
        # 20 and 15 pixels: both belong to the mean mask of 20; the mean box is 4.5 wide.
        ([sighting((LEFT, SURE)), sighting(((0, 0, 5, 3), SURE))], (1 + 0.75) / 2 * (3.5 / 4 + 3 / 3.5) / 2),
    ],
)
def test_certainty_is_meaning_times_place_times_occurrence(passes: list[Sighting], expected: float) -> None:
    assert certainty(passes) == pytest.approx(expected, abs=1e-6)


def test_one_class_has_a_certainty_too() -> None:
    assert certainty([sighting((LEFT, (0.8,)))] * 3) == pytest.approx(0.8)


def test_an_image_in_which_nothing_is_seen_comes_last() -> None:
    assert certainty([sighting(), sighting()]) == NOTHING_SEEN == 1


def test_passes_that_disagree_are_labelled_before_passes_that_agree() -> None:
    agree = certainty([sighting((LEFT, SURE)), sighting((LEFT, SURE))])
    disagree = certainty([sighting((LEFT, SURE)), sighting((RIGHT, (0.4, 0.4, 0.2)))])
    assert MASKAL.smaller_is_sooner
    assert disagree < agree

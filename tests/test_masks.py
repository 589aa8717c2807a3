"""Masks survive every form they take; what is no mask is told from what is one."""

import cv2
import numpy as np
import pytest
from coco_masks import encode
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from common.masks import rle
from common.masks.label_map import class_masks
from common.masks.outline import outline

SIDES = st.integers(1, 12)
SIZE = st.tuples(SIDES, SIDES)


def masks_of(count: int) -> st.SearchStrategy[np.ndarray]:
    return SIZE.flatmap(lambda size: hnp.arrays(np.bool_, (count, *size)))


def spelled_out(counts: bytes) -> list[int] | None:
    """Run lengths, number by number, as COCO's `rleFrString` reads them; None for what it would misread."""
    runs: list[int] = []
    number, shift = 0, 0
    for group in (character - 48 for character in counts):
        if not 0 <= group < 64 or shift > 30:
            return None
        number |= (group & 31) << shift
        shift += 5
        if not group & 32:
            number -= (1 << shift) if group & 16 else 0
            runs.append(number + (runs[-2] if len(runs) > 2 else 0))
            number, shift = 0, 0
    return runs if runs and not shift and min(runs) >= 0 else None


@given(masks_of(3))
def test_a_mask_comes_back_bit_by_bit(masks: np.ndarray) -> None:
    size = (masks.shape[1], masks.shape[2])
    counts = [encode(mask) for mask in masks]
    assert all(np.array_equal(rle.decode(text, size), mask) for text, mask in zip(counts, masks, strict=True))
    assert rle.areas(counts, [size] * 3).tolist() == masks.sum(axis=(1, 2)).tolist()
    assert rle.valid(counts, [size[0] * size[1]] * 3).all()


def test_boxes_are_tight_and_have_an_exclusive_corner() -> None:
    masks = np.zeros((3, 8, 9), np.bool_)
    masks[0, 2:5, 3:9] = True
    masks[1, 7, 0] = masks[1, 0, 8] = True
    assert rle.boxes([encode(mask) for mask in masks], [(8, 9)] * 3).tolist() == [
        [3, 2, 9, 5],
        [0, 0, 9, 8],
        [0, 0, 0, 0],
    ]


def test_what_is_no_mask_of_that_size_is_not_decoded() -> None:
    with pytest.raises(ValueError, match="expected a compressed mask of 4 x 6 pixels, got b'd0'"):
        rle.decode(b"d0", (4, 6))


def test_no_mask_at_all_is_no_problem() -> None:
    assert rle.boxes([], []).shape == (0, 4)
    assert (rle.areas([], []).shape, rle.valid([], []).shape) == ((0,), (0,))


@given(st.lists(st.binary(max_size=12) | st.text("0123456789:;<=>?@PQRSTVXYnop", max_size=8).map(str.encode)))
def test_a_damaged_text_is_never_taken_for_a_mask(texts: list[bytes]) -> None:
    runs = [spelled_out(text) for text in texts]
    assert rle.valid(texts, [sum(each or []) for each in runs]).tolist() == [each is not None for each in runs]
    assert not rle.valid(texts, [sum(each or []) + 1 for each in runs]).any()


def test_masks_are_looked_at_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rle, "_AT_ONCE", 2)
    assert rle.valid([b"d0", b"d", b"d0", b"d0", b""], [20, 20, 21, 20, 0]).tolist() == [
        True,
        False,
        False,
        True,
        False,
    ]


def test_a_polygon_is_filled_as_pycocotools_does_it() -> None:
    mask = rle.decode(rle.encode_polygon([2, 1, 6, 1, 6, 4, 2, 4], (8, 9)), (8, 9))
    assert np.argwhere(mask).tolist() == [[y, x] for y in range(1, 4) for x in range(2, 6)]


@given(SIZE.flatmap(lambda size: hnp.arrays(np.uint8, size, elements=st.integers(0, 4))))
def test_the_masks_of_a_label_map_are_those_of_each_class(labels: np.ndarray) -> None:
    found = class_masks(labels)
    assert list(found) == np.unique(labels).tolist()
    assert all(counts == encode(labels == index) for index, counts in found.items())


# outlines


def filled(points: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """As ultralytics reads a label: 9 decimals, 32 bits, times the size, truncated, `cv2.fillPoly`."""
    height, width = shape
    label = np.array([f"{v:.9f}" for v in (points / [width, height]).reshape(-1)], np.float32).reshape(-1, 2)
    image = np.zeros(shape, np.uint8)
    cv2.fillPoly(image, [(label * np.array([width, height], np.float32)).astype(np.int32)], 1)
    return image > 0


def evenly_filled(points: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """By the even-odd rule at the centres of the pixels: nothing of a border is drawn."""
    ys, xs = np.indices(shape) + 0.5
    inside = np.zeros(shape, np.bool_)
    for (x1, y1), (x2, y2) in zip(points, np.roll(points, -1, axis=0), strict=True):
        with np.errstate(divide="ignore", invalid="ignore"):
            inside ^= ((y1 > ys) != (y2 > ys)) & (xs < (x2 - x1) * (ys - y1) / (y2 - y1) + x1)
    return inside


def canvas(*shapes: tuple[slice, slice, bool]) -> np.ndarray:
    mask = np.zeros((60, 80), np.bool_)
    for rows, columns, value in shapes:
        mask[rows, columns] = value
    return mask


BLOCK = (slice(5, 55), slice(10, 70), True)
HOLE, OTHER_HOLE = (slice(20, 30), slice(20, 33), False), (slice(8, 12), slice(50, 60), False)
ISLAND, PART, SPECK = (slice(24, 26), slice(25, 27), True), (slice(2, 30), slice(75, 79), True), (3, 2, True)


@pytest.mark.parametrize(
    ("shapes", "bridges"),
    [
        ([BLOCK], 0),
        ([SPECK], 0),  # a single pixel
        ([BLOCK, HOLE], 0),  # the bridge to a hole lies in the object
        ([BLOCK, HOLE, OTHER_HOLE], 0),
        ([BLOCK, PART], 5),  # columns 70 to 74
        ([BLOCK, HOLE, PART], 5),
        ([BLOCK, HOLE, ISLAND], 4),  # through the hole, between two corners of the island and its rim
        ([BLOCK, SPECK], 7),
    ],
)
def test_an_object_stays_one_polygon_with_all_its_parts_and_holes(shapes: list, bridges: int) -> None:
    mask = canvas(*shapes)
    points = outline(mask)
    image = filled(points, mask.shape)
    assert (image & mask).sum() == mask.sum()
    assert (image & ~mask).sum() <= bridges
    assert np.array_equal(evenly_filled(points, mask.shape), mask)


@given(hnp.arrays(np.bool_, (5, 6)).filter(np.any))
def test_an_outline_holds_every_mask_within_its_tightest_box(mask: np.ndarray) -> None:
    points = outline(mask)
    ys, xs = np.nonzero(mask)
    assert len(points) >= 3
    assert np.abs(points.min(axis=0) - [xs.min(), ys.min()]).max() < 0.011
    assert np.abs(points.max(axis=0) - [xs.max() + 1, ys.max() + 1]).max() < 0.011
    assert np.array_equal(evenly_filled(points, mask.shape), mask)


def test_a_very_long_border_is_joined_as_well() -> None:
    mask = np.zeros((200, 400), np.bool_)
    mask[1:199:2, 1:180] = mask[1:199, 1] = True  # two combs
    mask[1:199:2, 200:398] = mask[1:199, 397] = True
    image = filled(outline(mask), mask.shape)
    assert (image & mask).sum() == mask.sum()
    assert (image & ~mask).sum() < 60

"""Masks of prototypes, against the formula written out pixel by pixel."""

import numpy as np
import pytest
from coco_masks import encode
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from common.images.letterbox import letterbox
from common.masks import rle
from common.masks.prototypes import Prototypes
from common.masks.rle import Part

RNG = np.random.default_rng(3)


def prototypes(n: int = 3, grid: tuple[int, int] = (8, 8), size: tuple[int, int] = (32, 32)) -> Prototypes:
    coefficients = RNG.normal(size=(n, 4)).astype(np.float32)
    return Prototypes(coefficients, RNG.normal(size=(4, *grid)).astype(np.float32), size)


def bilinear(values: np.ndarray, y: float, x: float) -> float:
    """Between the centres of cells; the outermost cells go on for ever."""
    y, x = (min(max(v - 0.5, 0), side - 1) for v, side in zip((y, x), values.shape, strict=True))
    y0, x0 = int(y), int(x)
    y1, x1 = min(y0 + 1, values.shape[0] - 1), min(x0 + 1, values.shape[1] - 1)
    top = values[y0, x0] * (x0 + 1 - x) + values[y0, x1] * (x - x0)
    return float(top * (y0 + 1 - y) + (values[y1, x0] * (x0 + 1 - x) + values[y1, x1] * (x - x0)) * (y - y0))


@pytest.mark.parametrize("size", [(40, 40), (60, 25), (21, 70), (7, 5)])  # height, width: also non-square and small
def test_a_pixel_is_the_objects_if_its_logit_is_positive_and_its_centre_in_the_box(size: tuple[int, int]) -> None:
    height, width = size
    prepared = letterbox(np.zeros((height, width, 3), np.uint8), 32, 16)
    found = prototypes(2, (prepared.pixels.shape[0] // 4, prepared.pixels.shape[1] // 4), prepared.pixels.shape[:2])
    boxes = np.array([[0, 0, width, height], [width * 0.2, height * 0.3, width * 0.81, height * 0.77]], np.float32)
    place = prepared.placement
    for i, part in enumerate(found.in_image(boxes, place.back, size)):
        whole = rle.decode(rle.encode_part(part, size), size)
        logits = found.logits(i)
        for y, x in np.ndindex(size):
            x1, y1, x2, y2 = boxes[i]
            inside = x1 <= x + 0.5 < x2 and y1 <= y + 0.5 < y2
            row = ((y + 0.5) * place.scale_y + place.offset_y) / 4
            column = ((x + 0.5) * place.scale_x + place.offset_x) / 4
            logit = bilinear(logits, row, column)
            if abs(logit) > 0.05:  # OpenCV interpolates in steps of 1/32
                assert whole[y, x] == (inside and logit > 0), (y, x, logit)


def test_a_window_of_the_grid_has_the_same_values() -> None:
    found = prototypes()
    window = (slice(2, 5), slice(1, 7))
    assert np.allclose(found.logits(1, window), found.logits(1)[window], atol=1e-6)
    assert np.allclose(found.probabilities(1), 1 / (1 + np.exp(-found.logits(1))))


def test_boxes_are_told_in_cells_of_the_grid() -> None:
    found = prototypes(1, grid=(8, 16), size=(32, 128))
    assert found.on_grid(np.array([[8, 4, 64, 32]], np.float32)).tolist() == [[1, 1, 8, 8]]


def test_an_object_outside_the_image_has_no_pixel() -> None:
    found = prototypes(1)
    [part] = found.in_image(np.array([[10, 10, 10, 10]], np.float32), np.eye(2, 3), (32, 32))
    assert not part.mask.any()


def test_numbers_of_prototypes_must_agree() -> None:
    with pytest.raises(ValueError, match="coefficients: expected 4 per row, got 3"):
        Prototypes(np.zeros((2, 3), np.float32), np.zeros((4, 8, 8), np.float32), (32, 32))
    with pytest.raises(ValueError, match=r"expected \(n, m\) and \(m, h, w\)"):
        Prototypes(np.zeros(3, np.float32), np.zeros((3, 8, 8), np.float32), (32, 32))


@given(st.data())
def test_a_part_of_an_image_is_compressed_as_the_whole_image_is(data: st.DataObject) -> None:
    height, width = data.draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    y, x = data.draw(st.integers(0, height)), data.draw(st.integers(0, width))
    rows, columns = data.draw(st.integers(0, height - y)), data.draw(st.integers(0, width - x))
    mask = data.draw(hnp.arrays(np.bool_, (rows, columns)))
    whole = np.zeros((height, width), np.bool_)
    whole[y : y + rows, x : x + columns] = mask
    assert rle.encode_part(Part(x, y, mask), (height, width)) == encode(whole)

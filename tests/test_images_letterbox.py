"""Fitting an image to a model, and boxes back to the image."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.images.letterbox import GREY, letterbox
from tests.geometry import upright

sides = st.integers(1, 300)
strides = st.sampled_from([1, 8, 32, 64])


def image_of(width: int, height: int) -> np.ndarray:
    return np.zeros((height, width, 3), np.uint8)


@given(width=sides, height=sides, size=st.integers(32, 200), stride=strides)
def test_the_input_is_the_smallest_that_holds_the_scaled_image(width: int, height: int, size: int, stride: int) -> None:
    prepared = letterbox(image_of(width, height), size, stride)
    outer_h, outer_w, channels = prepared.pixels.shape
    inner = np.argwhere(prepared.pixels[:, :, 0] == 0)
    inner_h, inner_w = inner.max(axis=0) - inner.min(axis=0) + 1
    assert (channels, prepared.pixels.dtype) == (3, np.uint8)
    assert max(inner_h, inner_w) == size
    for outer, kept in ((outer_h, inner_h), (outer_w, inner_w)):
        assert outer % stride == 0
        assert 0 <= outer - kept < stride
    for side, kept in ((height, inner_h), (width, inner_w)):
        assert kept == pytest.approx(max(side * size / max(width, height), 1), abs=0.501)
    (top, left), (bottom, right) = inner.min(axis=0), inner.max(axis=0) + 1
    middle = [(left + right) / 2, (top + bottom) / 2]
    back = prepared.placement.to_image(upright([[left, top, right, bottom], middle * 2])).boxes
    np.testing.assert_allclose(back, [[0, 0, width, height], [width / 2, height / 2] * 2], atol=0.01)
    assert np.unique(prepared.pixels).tolist() in ([0], [0, GREY])


@given(width=sides, height=sides, size=st.integers(32, 200), stride=strides, data=st.data())
def test_boxes_come_back_to_where_they_were(
    width: int, height: int, size: int, stride: int, data: st.DataObject
) -> None:
    placement = letterbox(image_of(width, height), size, stride).placement
    corners = st.tuples(*(st.floats(0, side, width=32) for side in (width, height, width, height)))
    boxes = np.sort(np.array(data.draw(st.lists(corners, max_size=4)), np.float32).reshape(-1, 2, 2), axis=1).reshape(
        -1, 4
    )
    scale = np.array([placement.scale_x, placement.scale_y] * 2)
    offset = np.array([placement.offset_x, placement.offset_y] * 2)
    back = placement.to_image(upright(boxes * scale + offset)).boxes
    assert back.dtype == np.float32
    np.testing.assert_allclose(back, boxes, atol=0.05)


def test_boxes_are_clipped_to_the_image() -> None:
    placement = letterbox(image_of(40, 20), 80, 32).placement
    back = placement.to_image(upright([[-50, -50, 500, 500]])).boxes
    assert back.tolist() == [[0, 0, 40, 20]]


def test_the_whole_input_maps_to_the_whole_image() -> None:
    prepared = letterbox(image_of(31, 17), 64, 32)
    height, width = prepared.pixels.shape[:2]
    assert prepared.placement.to_image(upright([[0, 0, width, height]])).boxes.tolist() == [[0, 0, 31, 17]]


def test_an_object_stays_where_its_box_says() -> None:
    image = image_of(100, 60)
    image[20:40, 30:50] = 255
    prepared = letterbox(image, 200, 32)
    bright = np.argwhere(prepared.pixels[:, :, 0] > 200)
    (top, left), (bottom, right) = bright.min(axis=0), bright.max(axis=0) + 1
    box = prepared.placement.to_image(upright([[left, top, right, bottom]])).boxes
    np.testing.assert_allclose(box, [[30, 20, 50, 40]], atol=1)


@pytest.mark.parametrize(
    ("width", "height", "shape"),
    [
        (1, 1, (64, 64, 3)),  # a dot
        (1000, 1, (32, 64, 3)),  # a line: one pixel high stays one pixel high
        (1, 1000, (64, 32, 3)),
        (64, 64, (64, 64, 3)),  # nothing to do
    ],
)
def test_extreme_images_have_a_proper_input(width: int, height: int, shape: tuple[int, int, int]) -> None:
    assert letterbox(image_of(width, height), 64, 32).pixels.shape == shape


def test_an_image_that_fits_is_not_resampled() -> None:
    image = np.random.default_rng(0).integers(0, 256, (32, 64, 3), np.uint8)
    np.testing.assert_array_equal(letterbox(image, 64, 32).pixels, image)


def test_the_image_itself_is_not_changed() -> None:
    image = np.random.default_rng(0).integers(0, 256, (10, 20, 3), np.uint8)
    before = image.copy()
    letterbox(image, 64, 32).pixels[:] = 7
    np.testing.assert_array_equal(image, before)

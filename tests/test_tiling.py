"""Whole images looked at tile by tile: nothing is missed, nothing told twice, and cells fall on cells."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.boxes import rotated as geometry
from common.images.letterbox import GREY, Prepared
from common.loop.tiling import TiledPredictor, Tiles
from common.predictions import Detections, Prediction, RotatedDetections
from tests.geometry import rotated

STRIDE = 32


class Bright:
    """Finds bright 8 x 8 squares that lie whole in its input; its class map is the mean of each cell."""

    class_names = ("light",)

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def prepare(self, image: np.ndarray) -> Prepared:
        raise AssertionError("tiles are cut from what Tiles prepares")

    def predict(self, batch: np.ndarray, *, class_maps: bool) -> list[Prediction]:
        self.shapes.append(batch.shape)
        return [Prediction(self.found(image), self.maps(image) if class_maps else ()) for image in batch]

    def found(self, image: np.ndarray) -> Detections:
        bright = np.pad(image[..., 0] == 255, 1)
        corners = np.argwhere(bright[1:-1, 1:-1] & ~bright[:-2, 1:-1] & ~bright[1:-1, :-2])
        whole = [(y, x) for y, x in corners if bright[y + 1 : y + 9, x + 1 : x + 9].all()]
        return rotated([(x + 4, y + 4, 8, 8, 0.1) for y, x in whole])

    def maps(self, image: np.ndarray) -> tuple[np.ndarray, ...]:
        h, w = image.shape[:2]
        grey = image[..., 0].astype(np.float32) / 255
        return tuple(grey.reshape(1, h // s, s, w // s, s).mean(axis=(2, 4), dtype=np.float32) for s in (8, 16, STRIDE))


def once(detections: Detections) -> Detections:
    """Of boxes in the same place, the first."""
    first = np.unique(detections.boxes.round(3), axis=0, return_index=True)[1]
    return detections.take(np.sort(first))


def tiled(tiles: Tiles, batch_size: int = 3) -> tuple[TiledPredictor, Bright]:
    inner = Bright()
    return TiledPredictor(inner, tiles, batch_size, once), inner


def picture(height: int, width: int, lights: Sequence[tuple[int, int]]) -> np.ndarray:
    image = np.full((height, width, 3), 50, np.uint8)
    for x, y in lights:
        image[y : y + 8, x : x + 8] = 255
    return image


@given(st.integers(1, 40), st.integers(1, 6), st.integers(0, 200))
def test_tiles_cover_every_pixel_and_overlap_as_much_as_asked(length: int, side: int, overlap: int) -> None:
    tiles = Tiles(side * STRIDE, min(overlap, side * STRIDE - 1), 1.0, STRIDE)
    starts = tiles.starts(length * STRIDE)
    assert starts == sorted(set(starts))
    assert all(start % STRIDE == 0 for start in starts)
    assert starts[0] == 0
    assert starts[-1] + tiles.side >= length * STRIDE
    assert max(starts) == 0 or starts[-1] + tiles.side == length * STRIDE
    steps = np.diff(starts)
    assert (steps <= max(tiles.side - tiles.overlap, STRIDE)).all()


@pytest.mark.parametrize(
    ("size", "tile", "overlap", "expected"),
    [((300, 500), 128, 40, 128), ((100, 90), 128, 40, 128), ((64, 700), 256, 60, 256), ((400, 400), 100, 30, 128)],
)
def test_tiles_have_the_size_of_the_input(size: tuple[int, int], tile: int, overlap: int, expected: int) -> None:
    tiles = Tiles.of(tile, overlap, expected, STRIDE)
    assert tiles.scale == expected / tile
    prepared = tiles.prepare(picture(*size, []))
    predictor, inner = tiled(tiles)
    predictor.predict(prepared.pixels[None], class_maps=False)
    assert {shape[1:3] for shape in inner.shapes} == {tuple(min(expected, side) for side in prepared.pixels.shape[:2])}
    assert all(shape[0] <= 3 for shape in inner.shapes)
    assert prepared.placement.scale_x == pytest.approx(expected / tile, abs=0.02)


def test_every_object_is_found_once_where_it_is() -> None:
    rng = np.random.default_rng(0)
    places = [(int(x), int(y)) for x in range(5, 480, 24) for y in range(3, 280, 20) if rng.random() < 0.6]
    image = picture(300, 500, places)
    predictor, _ = tiled(Tiles.of(128, 40, 128, STRIDE))
    prepared = predictor.prepare(image)
    [found] = predictor.predict(prepared.pixels[None], class_maps=False)
    back = prepared.placement.to_image(found.detections)
    assert isinstance(back, RotatedDetections)
    centres = sorted(map(tuple, back.boxes[:, :2].round().astype(int).tolist()))
    assert centres == sorted((x + 4, y + 4) for x, y in places)


def test_a_small_image_is_one_tile_and_is_left_as_it_was_found() -> None:
    image = picture(90, 100, [(10, 10)])
    predictor, inner = tiled(Tiles.of(128, 40, 128, STRIDE))
    prepared = predictor.prepare(image)
    [found] = predictor.predict(prepared.pixels[None], class_maps=True)
    [alone] = Bright().predict(prepared.pixels[None], class_maps=True)
    assert len(inner.shapes) == 1
    np.testing.assert_array_equal(found.detections.boxes, alone.detections.boxes)


def test_maps_of_the_tiles_become_the_maps_of_the_whole() -> None:
    image = np.random.default_rng(1).integers(0, 255, (300, 500, 3), np.uint8)
    predictor, inner = tiled(Tiles.of(128, 40, 128, STRIDE))
    pixels = predictor.prepare(image).pixels
    assert (pixels == GREY).any()
    [found] = predictor.predict(pixels[None], class_maps=True)
    for ours, whole in zip(found.class_maps, inner.maps(pixels), strict=True):
        np.testing.assert_allclose(ours, whole, atol=1e-6)


def test_images_of_a_batch_stay_apart() -> None:
    images = [picture(300, 300, [(10, 10)]), picture(300, 300, [(200, 250), (90, 20)])]
    predictor, _ = tiled(Tiles.of(128, 40, 128, STRIDE), batch_size=4)
    pixels = np.stack([predictor.prepare(image).pixels for image in images])
    together = predictor.predict(pixels, class_maps=False)
    assert [len(item.detections) for item in together] == [1, 2]


def test_what_is_joined_is_best_first() -> None:
    parts = [
        replace(rotated([(5, 5, 8, 8, 0)] * 2), scores=np.array([0.9, 0.2], np.float32)),
        replace(rotated([(50, 5, 8, 8, 0)] * 2), scores=np.array([0.5, 0.2], np.float32)),
        RotatedDetections.empty(1),
    ]
    joined = RotatedDetections.joined(parts)
    assert joined.scores.tolist() == pytest.approx([0.9, 0.5, 0.2, 0.2])
    assert joined.boxes[:, 0].tolist() == [5, 50, 5, 50]
    assert geometry.areas(joined.boxes).tolist() == [64] * 4

"""Large images in overlapping tiles: small objects keep their size, and memory stays bounded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice, product

import numpy as np
from numpy.typing import NDArray

from common.arrays import Floats, Pixels
from common.images.letterbox import Prepared, letterbox
from common.loop.predictor import Predictor
from common.predictions import Detections, Prediction

Suppress = Callable[[Detections], Detections]
"""Suppresses duplicates of an object that several tiles show. Receives and returns detections best first."""


@dataclass(frozen=True, slots=True)
class Tiles:
    """Tiling of an image.

    Attributes:
        side: side of a tile in pixels of the model's input; a multiple of `stride`.
        overlap: minimum overlap of neighbours in the same pixels; less than `side`.
        scale: model pixels per image pixel.
        stride: coarsest stride of the model in pixels. Tiles begin at multiples of it, so that cells fall on cells.
    """

    side: int
    overlap: int
    scale: float
    stride: int

    @classmethod
    def of(cls, tile_size: int, tile_overlap: int, input_size: int, stride: int) -> "Tiles":
        """Make tiles of a size in pixels of the image, each scaled to the size of a model's input.

        Args:
            tile_size: side of a tile in pixels of the image.
            tile_overlap: overlap in pixels of the image, less than `tile_size`.
            input_size: side of the model's input in pixels.
            stride: see above.
        """
        scale = input_size / tile_size
        return cls(-(-input_size // stride) * stride, round(tile_overlap * scale), scale, stride)

    def prepare(self, image: Pixels) -> Prepared:
        """Bring the whole image to the scale of the tiles, padded to a multiple of the stride."""
        return letterbox(image, max(round(max(image.shape[:2]) * self.scale), 1), self.stride)

    def starts(self, length: int) -> list[int]:
        """Starts of the tiles along a side of `length` pixels, a multiple of the stride. The last tile ends with it."""
        if length <= self.side:
            return [0]
        step = max((self.side - self.overlap) // self.stride, 1) * self.stride
        return [*range(0, length - self.side, step), length - self.side]

    def corners(self, height: int, width: int) -> list[tuple[int, int]]:
        """Top left corners `(y, x)` of all tiles of an input."""
        return list(product(self.starts(height), self.starts(width)))


class TiledPredictor:
    """A `Predictor` of whole images that works tile by tile.

    Args:
        predictor: predictor of one tile.
        tiles: tiling of the images.
        batch_size: maximum number of tiles per forward pass.
        suppress: removes duplicates from the detections of neighbouring tiles.
    """

    def __init__(self, predictor: Predictor, tiles: Tiles, batch_size: int, suppress: Suppress) -> None:
        self._predictor = predictor
        self._tiles = tiles
        self._batch_size = batch_size
        self._suppress = suppress
        self.class_names = predictor.class_names

    def prepare(self, image: Pixels) -> Prepared:
        """See `Tiles.prepare`."""
        return self._tiles.prepare(image)

    def predict(self, batch: NDArray[np.uint8], *, class_maps: bool) -> list[Prediction]:
        """Predict all tiles of all images in batches, and join the results."""
        height, width = batch.shape[1:3]
        corners, side = self._tiles.corners(height, width), self._tiles.side
        cut = [image[y : y + side, x : x + side] for image in batch for y, x in corners]
        found = iter(
            prediction
            for start in range(0, len(cut), self._batch_size)
            for prediction in self._predictor.predict(
                np.stack(cut[start : start + self._batch_size]), class_maps=class_maps
            )
        )
        return [self._joined(list(islice(found, len(corners))), corners, (height, width)) for _ in batch]

    def _joined(
        self, parts: Sequence[Prediction], corners: Sequence[tuple[int, int]], size: tuple[int, int]
    ) -> Prediction:
        if len(parts) == 1:
            return parts[0]
        shifts = [np.array([[1.0, 0.0, x], [0.0, 1.0, y]]) for y, x in corners]
        moved = [part.detections.moved(shift, size) for part, shift in zip(parts, shifts, strict=True)]
        maps = zip(*(part.class_maps for part in parts), strict=True)
        tile = (min(self._tiles.side, size[0]), min(self._tiles.side, size[1]))
        return Prediction(
            self._suppress(Detections.joined(moved)), tuple(_stitched(scale, corners, tile, size) for scale in maps)
        )


def _stitched(
    maps: Sequence[Floats], corners: Sequence[tuple[int, int]], tile: tuple[int, int], size: tuple[int, int]
) -> Floats:
    """Stitch the maps of all tiles to one `(K, h, w)` of the whole input; overlaps take the largest probability.

    Tiles begin on cells of every scale up to the model's stride. On coarser scales they go to the nearest cell.
    """
    classes, rows, columns = maps[0].shape
    per_y, per_x = rows / tile[0], columns / tile[1]
    height, width = round(size[0] * per_y), round(size[1] * per_x)
    whole = np.zeros((classes, height, width), np.float32)
    for part, (y, x) in zip(maps, corners, strict=True):
        top, left = min(round(y * per_y), height - rows), min(round(x * per_x), width - columns)
        place = whole[:, top : top + rows, left : left + columns]
        np.maximum(place, part, out=place)
    return whole

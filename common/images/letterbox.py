"""Fit images of any size to the input of a model, and bring boxes back."""

from dataclasses import dataclass

import cv2
import numpy as np

from common.arrays import Pixels
from common.boxes.affine import Matrix
from common.predictions import Detections

GREY = 114
"""Value of the border, as in the training of YOLO models."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Position of an image in a model's input: `input = image * scale + offset`.

    Attributes:
        width, height: size of the image, in pixels.
        scale_x, scale_y: model pixels per image pixel.
        offset_x, offset_y: model pixels of border on the left and at the top.
    """

    width: int
    height: int
    scale_x: float
    scale_y: float
    offset_x: float
    offset_y: float

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the image."""
        return self.height, self.width

    @property
    def back(self) -> Matrix:
        """Map from pixels of the model's input to pixels of the image."""
        return np.array(
            [
                [1 / self.scale_x, 0, -self.offset_x / self.scale_x],
                [0, 1 / self.scale_y, -self.offset_y / self.scale_y],
            ]
        )

    def to_image(self, detections: Detections) -> Detections:
        """Convert detections from pixels of the input to pixels of the image."""
        return detections.moved(self.back, self.size)


@dataclass(frozen=True, slots=True)
class Prepared:
    """An image ready for a model: `pixels` is `(H, W, 3)` uint8 BGR, `placement` maps back to the image."""

    pixels: Pixels
    placement: Placement


def stretch(image: Pixels, size: int) -> Prepared:
    """Scale to `size` by `size` pixels, ignoring the aspect ratio.

    Args:
        image: `(h, w, 3)` uint8.
        size: sides of the result in pixels.
    """
    height, width = image.shape[:2]
    placement = Placement(width, height, size / width, size / height, 0, 0)
    return Prepared(np.asarray(cv2.resize(image, (size, size), interpolation=cv2.INTER_LINEAR), np.uint8), placement)


def letterbox(image: Pixels, size: int, stride: int) -> Prepared:
    """Scale the longer side to `size`, keep the aspect ratio, and pad to the least multiple of `stride`.

    The shape depends on this image alone, so that no neighbour in a batch can change a prediction.

    Args:
        image: `(h, w, 3)` uint8.
        size: longer side of the result in pixels, before rounding up to `stride`.
        stride: coarsest stride of the model in pixels.
    """
    height, width = image.shape[:2]
    ratio = size / max(height, width)
    inner_w, inner_h = max(round(width * ratio), 1), max(round(height * ratio), 1)
    outer_w, outer_h = (-(-side // stride) * stride for side in (inner_w, inner_h))
    left, top = (outer_w - inner_w) // 2, (outer_h - inner_h) // 2
    placement = Placement(width, height, inner_w / width, inner_h / height, left, top)
    if (inner_w, inner_h) != (width, height):
        image = np.asarray(cv2.resize(image, (inner_w, inner_h), interpolation=cv2.INTER_LINEAR), np.uint8)
    pixels = np.full((outer_h, outer_w, 3), GREY, np.uint8)
    pixels[top : top + inner_h, left : left + inner_w] = image
    return Prepared(pixels, placement)

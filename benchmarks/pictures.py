"""The image files that are measured with, the same in every run."""

from typing import Final

import cv2
import numpy as np

from workbench.sample import Pixels, Sample

HEIGHT: Final = 480
WIDTH: Final = 640
GREY: Final = 114


def images(count: int) -> list[Sample]:
    """JPEG files of 640 x 480 pixels and about 150 KB, as photographs of that size are: coarse and fine noise."""
    return [Sample(_noise(np.random.default_rng([7, i])), name=f"{i:04d}.jpg") for i in range(count)]


def _noise(rng: np.random.Generator) -> Pixels:
    coarse = rng.normal(0, 40, (HEIGHT // 16, WIDTH // 16, 3)).astype(np.float32)
    canvas = GREY + cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    pixels: Pixels = np.clip(canvas + rng.normal(0, 14, canvas.shape), 0, 255).astype(np.uint8)
    return pixels

"""Backgrounds that a detector has to see through: noise, stripes, gradients, lines."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Canvas = NDArray[np.float32]
"""`(H, W, 3)` float32 BGR, nominally 0 to 255; clipped only at the end."""

OCTAVES: Final = (3, 7, 15, 40)
"""Cells along an image side, from the coarsest layer of noise to the finest; each layer is 0.6 of the one before."""


def background(rng: np.random.Generator, height: int, width: int) -> Canvas:
    """A textured canvas of `height` x `width` pixels without any object of a class."""
    canvas = gradient(rng, height, width) + octave_noise(rng, height, width, rng.uniform(8, 28))
    if rng.random() < 0.4:
        canvas += stripes(rng, height, width, rng.uniform(6, 18))
    add_lines(rng, canvas, int(rng.integers(0, 6)))
    return canvas


def gradient(rng: np.random.Generator, height: int, width: int) -> Canvas:
    """Two random colours that run into each other in a random direction."""
    low, high = rng.uniform(25, 225, (2, 3))
    high = low + (high - low) * rng.uniform(0.1, 0.7)
    colours: Canvas = (low + ramp(rng, height, width)[..., None] * (high - low)).astype(np.float32)
    return colours


def ramp(rng: np.random.Generator, height: int, width: int) -> Canvas:
    """`(height, width)` float32: a plane from 0 to 1 that rises in a random direction."""
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    plane = np.cos(angle) * x + np.sin(angle) * y
    scaled: Canvas = ((plane - plane.min()) / max(float(np.ptp(plane)), 1.0)).astype(np.float32)
    return scaled


def octave_noise(rng: np.random.Generator, height: int, width: int, amplitude: float) -> Canvas:
    """Value noise in several sizes, mean 0; gray and coloured in equal parts; `amplitude` scales the coarsest layer."""
    total = np.zeros((height, width, 3), np.float32)
    for layer, cells in enumerate(OCTAVES):
        grid = rng.normal(0, 1, (cells, cells, 3)) * 0.5 + rng.normal(0, 1, (cells, cells, 1)) * 0.7
        total += 0.6**layer * cv2.resize(grid.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.float32(amplitude) * total


def stripes(rng: np.random.Generator, height: int, width: int, amplitude: float) -> Canvas:
    """Waves of one colour, mean 0, with 4 to 18 periods across the image."""
    phase = ramp(rng, height, width) * rng.uniform(4, 18) * 2 * np.pi
    colour = rng.uniform(0.4, 1.0, 3)
    waves: Canvas = (amplitude * np.sin(phase)[..., None] * colour).astype(np.float32)
    return waves


def add_lines(rng: np.random.Generator, canvas: Canvas, count: int) -> None:
    """Draws `count` random strokes onto `canvas`, in place."""
    height, width = canvas.shape[:2]
    for _ in range(count):
        start, end = rng.integers(0, (width, height), (2, 2)).tolist()
        colour = rng.uniform(20, 235, 3).tolist()
        cv2.line(canvas, start, end, colour, int(rng.integers(1, 4)), cv2.LINE_AA)

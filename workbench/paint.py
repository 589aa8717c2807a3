"""Fills shapes, and photographs the painted canvas."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from workbench.textures import Canvas, octave_noise, ramp

Mask = NDArray[np.bool_]

_LEAST_CONTRAST: Final = 110.0


@dataclass(frozen=True, slots=True)
class Exposure:
    """Settings of a photograph. Pairs are the bounds of a uniform draw.

    Attributes:
        gain: factor of the brightness, 1 = as drawn.
        blur: standard deviation of the Gaussian, pixels.
        noise: standard deviation of the sensor noise, 0 to 255 steps.
    """

    gain: tuple[float, float] = (0.8, 1.1)
    blur: tuple[float, float] = (0.0, 0.7)
    noise: tuple[float, float] = (1.0, 6.0)


CLEAR: Final = Exposure()
DARK: Final = Exposure(gain=(0.16, 0.3), noise=(6.0, 11.0))
UNSHARP: Final = Exposure(blur=(2.2, 3.6))


def paint(rng: np.random.Generator, canvas: Canvas, alpha: Canvas) -> None:
    """Blends a shaded, grainy fill that stands out from what is below it into `canvas`, in place.

    Args:
        alpha: `(H, W)` float32: how much of each pixel is filled, 0 to 1; not 0 everywhere.
    """
    x, y, width, height = cv2.boundingRect((alpha > 0).astype(np.uint8))
    below, alpha = canvas[y : y + height, x : x + width], alpha[y : y + height, x : x + width, None]
    shade = (ramp(rng, height, width) - 0.5) * rng.uniform(0, 120)
    grain = octave_noise(rng, height, width, rng.uniform(0, 14))
    below += alpha * (_contrasting(rng, below.mean(axis=(0, 1))) + shade[..., None] + grain - below)


def expose(rng: np.random.Generator, canvas: Canvas, exposure: Exposure) -> NDArray[np.uint8]:
    """The photograph of a canvas: blur, brightness, sensor noise, 8 bits."""
    sigma = rng.uniform(*exposure.blur)
    seen = cv2.GaussianBlur(canvas, (0, 0), sigma) if sigma > 0.3 else canvas
    seen = seen * rng.uniform(*exposure.gain) + rng.normal(0, rng.uniform(*exposure.noise), canvas.shape)
    return np.clip(np.rint(seen), 0, 255).astype(np.uint8)


def _contrasting(rng: np.random.Generator, below: NDArray[np.float32]) -> NDArray[np.float32]:
    """A random colour at least `_LEAST_CONTRAST` away from `below` in BGR."""
    while True:
        colour = rng.uniform(15, 240, 3).astype(np.float32)
        if np.linalg.norm(colour - below) >= _LEAST_CONTRAST:
            return colour

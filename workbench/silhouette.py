"""A mask as the picture and the page draw it."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from workbench.scene import Points

FINE: Final = 640
"""Pixels of the longer side that a line need not be finer than."""


@dataclass(frozen=True, slots=True, eq=False)
class Silhouette:
    """What a mask covers, as closed lines through the middles of its outermost pixels.

    Attributes:
        rings: of each part and of each hole, in pixels. What lies within an odd number of them is covered.
        top: where its label goes: the uppermost point `x, y`, twice. (0, 0) of an empty mask.
    """

    rings: tuple[Points, ...]
    top: tuple[float, float, float, float]

    @property
    def path(self) -> str:
        """The rings as SVG writes them."""
        lines = ("L".join(f"{x:g},{y:g}" for x, y in ring.tolist()) for ring in self.rings)
        return "".join(f"M{line}Z" for line in lines)


def silhouette(mask: NDArray[np.bool_]) -> Silhouette:
    """The silhouette of a mask `(H, W)`, of any number of parts and holes."""
    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    coarse = max(mask.shape) / FINE
    lines = [cv2.approxPolyDP(ring, coarse, closed=True) for ring in found] if coarse > 1 else found
    rings = tuple(ring[:, 0].astype(np.float64) + 0.5 for ring in lines)
    points = np.concatenate(rings).tolist() if rings else [[0.0, 0.0]]
    x, y = min(points, key=lambda point: (point[1], point[0]))
    return Silhouette(rings, (x, y, x, y))

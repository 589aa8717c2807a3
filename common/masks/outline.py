"""Masks of any shape as one closed polygon, for formats that have nothing else."""

import cv2
import numpy as np
from numpy.typing import NDArray

from common.arrays import Bools, Doubles, Ints

Points = Doubles

_LOW, _HIGH = 0.01, 0.99
"""Position of the polygon within a border pixel: just inside, so that rounding cannot carry it into the next pixel."""

_LOOKED_AT = 512
"""Maximum number of points per ring in the search for the shortest bridge."""


def outline(mask: Bools) -> Points:
    """Trace a mask as one polygon, with all its holes and parts.

    Rings are joined by bridges of zero width, there and back through the same points: a hole to the ring around it, a
    part to the parts before it. So filling by the even-odd rule restores the mask, except for the bridges themselves
    if a renderer draws them: `cv2.fillPoly`, which ultralytics uses, draws a line of one pixel between two parts. The
    idea is that of `merge_multi_segment` of ultralytics, which does not handle holes.

    Args:
        mask: `(height, width)`, at least one pixel.

    Returns:
        `(p, 2)` corners `x, y` in pixels, at the outer borders of the border pixels, so that the bounding box is that
        of the mask up to 0.01 of a pixel. Truncated to integers they are the border pixels. p >= 3.
    """
    x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
    # Every pixel becomes four, so that a corner shows on which side of its pixel it lies.
    pixels = mask[y : y + height, x : x + width].view(np.uint8).repeat(2, axis=0).repeat(2, axis=1)
    rings, tree = cv2.findContours(pixels, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    corners = [ring.reshape(-1, 2).astype(np.int64) for ring in rings]
    joined = _join_all([_join_all([corners[i], *(corners[k] for k in _holes(tree[0], i))]) for i in _outer(tree[0])])
    return joined // 2 + np.where(joined % 2, _HIGH, _LOW) + [x, y]


def _outer(tree: NDArray[np.int32]) -> list[int]:
    return [int(i) for i in np.flatnonzero(tree[:, 3] < 0)]


def _holes(tree: NDArray[np.int32], outer: int) -> list[int]:
    return [int(i) for i in np.flatnonzero(tree[:, 3] == outer)]


def _join_all(rings: list[Ints]) -> Ints:
    joined = rings[0]
    for ring in rings[1:]:
        joined = _join(joined, ring)
    return joined


def _join(first: Ints, second: Ints) -> Ints:
    """Join two rings: along the first to the bridge, over it, all around the second, back over it, and on."""
    i, j = _bridge(first, second)
    return np.concatenate([first[: i + 1], second[j:], second[: j + 1], first[i:]])


def _bridge(first: Ints, second: Ints) -> tuple[int, int]:
    """Find two points near each other, one per ring."""
    step, other_step = (-(-len(ring) // _LOOKED_AT) for ring in (first, second))
    distances = ((first[::step, None] - second[None, ::other_step]) ** 2).sum(axis=2)
    i, j = np.unravel_index(distances.argmin(), distances.shape)
    return int(i) * step, int(j) * other_step

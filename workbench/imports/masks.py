"""Masks of other formats as the platform has them: one polygon of whole numbers, or compressed run lengths."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from pycocotools import mask as coco_mask

from common.datasets.coco_masks import FARTHEST
from common.masks import rle
from workbench.asset import CocoMask
from workbench.imports.entry import Corners, Polygon, Rle

_LEAST_NUMBERS: Final = 6
"""Three corners."""


def platform_mask(mask: Sequence[Polygon] | Rle, size: rle.Size, crowd: bool) -> tuple[CocoMask, Corners]:
    """A mask as the platform exports it, and the tightest box around it.

    The platform knows one polygon per object, in whole numbers. Several polygons, and one that has no pixel after
    rounding, become run lengths.

    Args:
        mask: polygons in pixels, or run lengths.
        size: height and width of the image as stored.
        crowd: whether it is many objects in one.

    Raises:
        ValueError: it is not a mask of that size, or has no pixel; the message is a reason for people.
    """
    if isinstance(mask, Mapping):
        counts = _compressed(mask, size)
        return _run_lengths(counts, size, crowd), _box(counts, size)
    if any(len(polygon) < _LEAST_NUMBERS or len(polygon) % 2 for polygon in mask):
        raise ValueError("a polygon of it has fewer than three corners")
    if not all(abs(value) <= FARTHEST for polygon in mask for value in polygon):  # nor may it be nan
        raise ValueError("a coordinate of it is not a usable number")
    if len(mask) == 1:
        ring = np.rint(mask[0]).astype(np.int64).tolist()
        counts = _filled([ring], size)
        if area := _area(counts, size):
            return CocoMask([ring], area, crowd), _box(counts, size)
    counts = _filled(mask, size)
    return _run_lengths(counts, size, crowd), _box(counts, size)


def _run_lengths(counts: bytes, size: rle.Size, crowd: bool) -> CocoMask:
    area = _area(counts, size)
    if not area:
        raise ValueError("its mask has no pixel")
    return CocoMask({"counts": counts.decode(), "size": list(size)}, area, crowd)


def _compressed(mask: Rle, size: rle.Size) -> bytes:
    if list(mask.get("size", [])) != list(size):
        raise ValueError("its run lengths are for a size other than that of the image")
    counts: Any = mask["counts"]
    try:
        text: bytes = (
            coco_mask.frPyObjects(dict(mask), *size)["counts"]
            if isinstance(counts, list)
            else str(counts).encode("ascii")
        )
    except (ValueError, TypeError, OverflowError):
        raise ValueError("its run lengths are malformed") from None
    if not rle.valid([text], [size[0] * size[1]])[0]:
        raise ValueError("its run lengths are malformed")
    return text


def _filled(polygons: Sequence[Polygon], size: rle.Size) -> bytes:
    counts: bytes = coco_mask.merge(coco_mask.frPyObjects([list(map(float, each)) for each in polygons], *size))[
        "counts"
    ]
    return counts


def _area(counts: bytes, size: rle.Size) -> int:
    return int(rle.areas([counts], [size])[0])


def _box(counts: bytes, size: rle.Size) -> Corners:
    x1, y1, x2, y2 = rle.boxes([counts], [size])[0].tolist()
    return x1, y1, x2, y2

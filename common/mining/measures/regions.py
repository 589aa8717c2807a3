"""Statistics of a map over the regions of an image, without a loop over the regions."""

from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from common.arrays import Floats, Segments

Map = TypeVar("Map", Floats, NDArray[np.int16])


def resized(values: Map, size: tuple[int, ...]) -> Map:
    """Resize a map of an image to `(h, w)`: numbers are interpolated, classes are those of the nearest pixel."""
    if values.shape == size:
        return values
    shrinks = size[0] * size[1] < values.size
    smooth = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    way = smooth if np.issubdtype(values.dtype, np.floating) else cv2.INTER_NEAREST
    found: Map = np.asarray(cv2.resize(values, size[::-1], interpolation=way), values.dtype)
    return found


def means(values: Floats, labels: Segments) -> Floats:
    """Mean of a map in each region.

    Args:
        values: `(h, w)` float32.
        labels: `(h, w)` int32, regions numbered from 0 without gaps.

    Returns:
        `(R,)` float32, R being the last number plus 1.
    """
    flat = labels.ravel()
    return (np.bincount(flat, weights=values.ravel()) / np.bincount(flat)).astype(np.float32)


def modes(classes: NDArray[np.integer], labels: Segments, class_count: int) -> NDArray[np.int16]:
    """Most frequent class in each region, of equally frequent ones the first.

    Args:
        classes: `(h, w)`, integers from 0 to `class_count` - 1.
        labels: `(h, w)` int32, regions numbered from 0 without gaps.
        class_count: K, less than 2^15.

    Returns:
        `(R,)` int16, R being the last region's number plus 1.
    """
    regions = int(labels.max()) + 1
    pairs = labels.ravel().astype(np.int64) * class_count + classes.ravel()
    votes = np.bincount(pairs, minlength=regions * class_count).reshape(regions, class_count)
    winners: NDArray[np.int16] = votes.argmax(axis=1).astype(np.int16)
    return winners

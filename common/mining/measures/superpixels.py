"""Superpixels: an image cut into regions that follow its edges.

Sources: Achanta et al., "SLIC Superpixels Compared to State-of-the-Art Superpixel Methods", TPAMI 2012 (slic, and slico
without a compactness to choose); Liu et al., "Manifold SLIC", CVPR 2016 (mslic); Van den Bergh et al., "SEEDS", ECCV
2012 (seeds). The implementations are those of cv2.ximgproc.

These crash on images of few pixels, and may return more regions than requested. So the image is first resized to a
canvas on which the cells of the initial grid are whole squares of a size that they can handle, and the labels are read
back at the centres of the image's pixels.
"""

from collections.abc import Mapping
from typing import Final

import cv2
import numpy as np

from common.arrays import Pixels, Segments

SLIC_VARIANTS: Final[Mapping[str, int]] = {
    "slico": cv2.ximgproc.SLICO,
    "slic": cv2.ximgproc.SLIC,
    "mslic": cv2.ximgproc.MSLIC,
}
NAMES: Final = (*SLIC_VARIANTS, "seeds")
"""Values of the parameter `superpixel_algorithm`."""
ITERATIONS: Final = 4
"""Iterations. 10 make slico and seeds a little better (0.6 % fewer mixed pixels), in twice the time."""
CELLS: Final = (8, 48)
"""Minimum and maximum side of a cell of the canvas, in pixels: the smallest that works, the largest that helps."""
RULER: Final = 10.0
"""Compactness of slic: the default of the library."""
ABSORBED: Final = (25, 30, 40, 50)
"""Parts below this percentage of the mean region join a neighbour: 25 as the authors use, more if too many are left."""
LEVELS: Final = 3
"""SEEDS: a cell is divided LEVELS - 1 times into quarters."""
PRIOR: Final = 3
"""SEEDS: smoothness of the outlines, 0 to 5."""
BINS: Final = 5
"""SEEDS: bins of the histogram of each channel."""


def superpixels(image: Pixels, algorithm: str, most: int) -> Segments:
    """Number the regions of an image; the same in every run.

    The initial grid has nearly as many cells as allowed. On photographs the result has more than 90 % of `most`
    regions; with seeds on all images. slic drops ragged regions in noise, and mslic merges the cells of even surfaces
    (down to a third).

    Args:
        image: `(h, w, 3)` uint8 in BGR order, not empty. All four algorithms compare colours in CIELAB, slightly
            blurred, as OpenCV advises.
        algorithm: one of `NAMES`.
        most: parameter `max_superpixel_per_image`, >= 1.

    Returns:
        `(h, w)` int32, at most `most` numbers from 0 on, without gaps. An image of at most `most` pixels has one region
        per pixel.

    Raises:
        ValueError: an unknown algorithm, or `most` below 1.
    """
    if algorithm not in NAMES:
        raise ValueError(f"superpixel_algorithm: {algorithm!r} is not allowed ({', '.join(NAMES)})")
    if most < 1:
        raise ValueError(f"max_superpixel_per_image: {most} is not allowed (1 or more)")
    height, width = image.shape[:2]
    if height * width <= most:
        return np.arange(height * width, dtype=np.int32).reshape(height, width)
    cut = _seeds(image, most) if algorithm == "seeds" else _slic(image, SLIC_VARIANTS[algorithm], most)
    return _consecutive(_read_back(cut, (height, width)))


def grid(size: tuple[int, int], most: int) -> tuple[int, int]:
    """Find rows and columns of nearly square cells for an image of `size`, as many as possible up to `most`."""
    height, width = size
    ideal = (most * height / width) ** 0.5
    choices = {min(max(round(rows), 1), height, most) for rows in (np.floor(ideal), np.ceil(ideal))}
    return max(((rows, min(most // rows, width)) for rows in sorted(choices)), key=lambda each: each[0] * each[1])


def _slic(image: Pixels, variant: int, most: int) -> Segments:
    """Cut at most `most` regions, from ever coarser initial grids: mslic multiplies its cells where there is detail."""
    cells = most
    while cells > 1:
        rows, columns, side = _cells(image, cells, 1)
        slic = cv2.ximgproc.createSuperpixelSLIC(_canvas(image, rows * side, columns * side), variant, side, RULER)
        slic.iterate(ITERATIONS)
        for share in ABSORBED:
            slic.enforceLabelConnectivity(share)
            if slic.getNumberOfSuperpixels() <= most:
                return np.asarray(slic.getLabels(), np.int32)
        cells = min(cells - 1, cells * most // slic.getNumberOfSuperpixels())
    return _plain(grid(image.shape[:2], most))


def _seeds(image: Pixels, most: int) -> Segments:
    rows, columns, side = _cells(image, most, 2 ** (LEVELS - 1))
    height, width = rows * side, columns * side
    seeds = cv2.ximgproc.createSuperpixelSEEDS(width, height, 3, rows * columns, LEVELS, PRIOR, BINS, True)
    # SEEDS makes more than requested if only a handful are.
    if seeds.getNumberOfSuperpixels() > most:
        return _plain((rows, columns))
    seeds.iterate(_canvas(image, height, width), ITERATIONS)
    return np.asarray(seeds.getLabels(), np.int32)


def _cells(image: Pixels, most: int, multiple: int) -> tuple[int, int, int]:
    """Find rows, columns and side in pixels of the canvas's square cells, about as large as those of the image."""
    height, width = image.shape[:2]
    rows, columns = grid((height, width), most)
    side = np.clip((height * width / (rows * columns)) ** 0.5, *CELLS)
    return rows, columns, round(side / multiple) * multiple


def _canvas(image: Pixels, height: int, width: int) -> Pixels:
    shrinks = height * width < image.shape[0] * image.shape[1]
    resized = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.asarray(cv2.cvtColor(cv2.GaussianBlur(resized, (3, 3), 0), cv2.COLOR_BGR2Lab), np.uint8)


def _plain(cells: tuple[int, int]) -> Segments:
    """Number cells of one pixel each."""
    return np.arange(cells[0] * cells[1], dtype=np.int32).reshape(cells)


def _read_back(labels: Segments, size: tuple[int, int]) -> Segments:
    """Read the labels of a canvas at the centres of the pixels of an image of `size`."""
    rows, columns = (
        ((2 * np.arange(side) + 1) * across) // (2 * side) for side, across in zip(size, labels.shape, strict=True)
    )
    at_centres: Segments = labels[rows][:, columns]
    return at_centres


def _consecutive(labels: Segments) -> Segments:
    """Renumber in the same order, without gaps."""
    occurs = np.bincount(labels.ravel()) > 0
    numbers = np.cumsum(occurs, dtype=np.int32) - np.int32(1)
    renumbered: Segments = numbers[labels]
    return renumbered

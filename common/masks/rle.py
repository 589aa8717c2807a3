"""Compressed masks, as COCO and the platform write them: run lengths of background and foreground, down the columns.

The first run is background (perhaps of no pixel), the second foreground, and so on. From the fourth on, a length is
written as its difference to the one before the last; in groups of five bits, lowest first, one ASCII character per
group. The text does not contain the size: that comes from the image, always as (height, width) of the pixels as stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pycocotools import mask as coco_mask

from common.arrays import Bools, Ints

Size = tuple[int, int]

_OFFSET, _MORE, _SIGN, _DIGITS = 48, 32, 16, 31
"""Offset of the character of a group; bits of a group: another one follows, sign, digits."""

_MOST_GROUPS = 7
"""Groups of the longest number: 35 bits. pycocotools counts in 32."""

_AT_ONCE = 256
"""Number of masks that are parsed together: more would not fit into the cache of a processor."""


@dataclass(frozen=True, slots=True)
class Part:
    """A mask inside a rectangle of an image; empty elsewhere.

    Attributes:
        x, y: first pixel of the rectangle, in pixels of the image.
        mask: `(height, width)` of the rectangle.
    """

    x: int
    y: int
    mask: Bools


def encode_part(part: Part, size: Size) -> bytes:
    """Compress a mask of an image of `size` (height, width), without ever making it as large as the image."""
    height = size[0]
    columns = np.pad(part.mask.T, ((0, 0), (1, 1))).view(np.int8)
    steps = np.diff(columns, axis=1)
    offset = part.x * height + part.y
    starts, ends = (_places(steps == sign, height) + offset for sign in (1, -1))
    # A run that ends at the bottom of a column continues at the top of the next one.
    apart = starts[1:] != ends[:-1]
    first, last = np.append(True, apart)[: len(starts)], np.append(apart, True)[: len(ends)]
    return encode_runs(starts[first], ends[last], size)


def encode_runs(starts: Ints, ends: Ints, size: Size) -> bytes:
    """Compress runs of an image of `size` (height, width).

    Args:
        starts, ends: `(n,)` first pixels of the runs and the pixels behind their last, down the columns, ascending; no
            run touches the next one.
    """
    bounds = np.stack([starts, ends], axis=1).reshape(-1)
    lengths = np.diff(bounds, prepend=0, append=size[0] * size[1])
    kept = lengths if lengths[-1] else lengths[:-1]  # drop an empty last run
    counts: bytes = coco_mask.frPyObjects({"counts": kept, "size": list(size)}, *size)["counts"]
    return counts


def encode_polygon(points: Sequence[float], size: Size) -> bytes:
    """Compress the inside of a polygon `x1, y1, x2, y2, ...`, filled as by pycocotools and so by the platform."""
    counts: bytes = coco_mask.frPyObjects([points], *size)[0]["counts"]
    return counts


def decode(counts: bytes, size: Size) -> Bools:
    """Decompress a mask to `(height, width)`.

    Raises:
        ValueError: the text is not a mask of that size.
    """
    height, width = size
    runs, _, strange = _parse([counts])
    if strange.any() or not len(runs) or runs.sum() != height * width:
        raise ValueError(f"expected a compressed mask of {height} x {width} pixels, got {counts[:40]!r}")
    return np.repeat(np.arange(len(runs)) % 2 > 0, runs).reshape(width, height).T


def areas(counts: Sequence[bytes], sizes: Sequence[Size]) -> Ints:
    """Count the pixels of n valid masks, `(n,)`."""
    return np.array(coco_mask.area(list(map(_rle, counts, sizes))), np.int64).reshape(-1)


def boxes(counts: Sequence[bytes], sizes: Sequence[Size]) -> Ints:
    """Tightest boxes around n valid masks, corners `(n, 4)`, max corner exclusive; all 0 for an empty mask."""
    found = np.array(coco_mask.toBbox(list(map(_rle, counts, sizes))), np.int64).reshape(-1, 4)
    return np.hstack([found[:, :2], found[:, :2] + found[:, 2:]])


def valid(counts: Sequence[bytes], pixels: Sequence[int]) -> Bools:
    """Check which of n texts are compressed masks of so many pixels, `(n,)`: only these are safe to decode."""
    parts = [slice(start, start + _AT_ONCE) for start in range(0, len(counts), _AT_ONCE)]
    return np.concatenate([np.zeros(0, np.bool_), *(_valid(counts[part], pixels[part]) for part in parts)])


def _places(found: Bools, height: int) -> Ints:
    """Positions down the columns of an image of `height`, of the true cells `(columns, rows)`."""
    columns, rows = np.nonzero(found)
    return columns * height + rows


def _rle(counts: bytes, size: Size) -> dict[str, object]:
    return {"counts": counts, "size": list(size)}


def _valid(counts: Sequence[bytes], pixels: Sequence[int]) -> Bools:
    runs, texts, strange = _parse(counts)
    bad = np.bincount(texts[strange], minlength=len(counts))
    totals = np.bincount(texts, runs, len(counts))
    sound: Bools = (np.bincount(texts, minlength=len(counts)) > 0) & (bad == 0) & (totals == np.asarray(pixels))
    return sound


def _parse(counts: Sequence[bytes]) -> tuple[Ints, Ints, Bools]:
    """Parse all texts: run lengths in a row, the text that each belongs to, and whether it is malformed or negative."""
    lengths = np.fromiter(map(len, counts), np.int64, len(counts))
    groups = np.frombuffer(b"".join(counts), np.uint8).astype(np.int64) - _OFFSET
    if not len(groups):
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.bool_)
    ends = np.cumsum(lengths[lengths > 0]) - 1
    final = groups & _MORE == 0
    strange = (groups < 0) | (groups >= 2 * _MORE)
    strange[ends] |= ~final[ends]
    final[ends] = True  # a text that is cut off must not run into the next one
    starts = np.flatnonzero(np.append(True, final[:-1]))
    places = np.arange(len(groups)) - starts[np.cumsum(np.append(0, final[:-1]))]
    strange |= places >= _MOST_GROUPS
    digits = (groups & _DIGITS) << 5 * np.minimum(places, _MOST_GROUPS)
    signs = (groups[final] & _SIGN > 0).astype(np.int64) << 5 * np.minimum(places[final] + 1, _MOST_GROUPS)
    texts = np.repeat(np.arange(len(counts)), lengths)[starts]
    runs = _undo_differences(np.add.reduceat(digits, starts) - signs, texts)
    return runs, texts, np.logical_or.reduceat(strange, starts) | (runs < 0)


def _undo_differences(numbers: Ints, texts: Ints) -> Ints:
    """Compute run lengths from the numbers of all texts; `texts` holds the text that each number belongs to."""
    place = np.arange(len(numbers)) - np.searchsorted(texts, texts)
    runs = numbers.copy()
    for parity in (0, 1):
        rows = np.flatnonzero((place % 2 == parity) & (place > 0))
        totals = np.cumsum(numbers[rows])
        first = place[rows] <= 2
        before = (totals - numbers[rows])[first]
        runs[rows] = totals - before[np.cumsum(first) - 1]
    return runs

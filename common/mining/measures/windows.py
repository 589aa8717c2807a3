"""Parts of a map of an image: rows and columns."""

import numpy as np

from common.arrays import Floats


def box_windows(boxes: Floats, size: tuple[int, ...]) -> list[tuple[slice, slice]]:
    """Cut out each box: its rows and columns, with every pixel that it touches, and at least one.

    Args:
        boxes: `(n, 4)` float32, `x1, y1, x2, y2` in pixels of the masks, max corner exclusive; clipped to the masks.
        size: height and width of the masks.
    """
    last = np.array([size[1] - 1, size[0] - 1])
    near = np.clip(np.floor(boxes[:, :2]), 0, last).astype(int)
    far = np.maximum(np.clip(np.ceil(boxes[:, 2:]), 0, last + 1).astype(int), near + 1)
    corners = np.hstack([near, far]).tolist()
    return [(slice(y1, y2), slice(x1, x2)) for x1, y1, x2, y2 in corners]

"""Clip boxes that reach beyond their image."""

from dataclasses import replace

import numpy as np

from common.arrays import Ints
from common.datasets.dataset import Dataset


def clip_boxes(dataset: Dataset, sizes: Ints) -> Dataset:
    """Clip every box to its image, and drop objects of which nothing is left.

    Args:
        dataset: its boxes may reach beyond the image, because the platform never clips.
        sizes: `(images, 2)` width and height in pixels.
    """
    corners = np.tile(sizes.astype(np.float32), 2)[dataset.image_index]
    boxes = np.clip(dataset.boxes, 0, corners)
    return replace(dataset, boxes=boxes).where((boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1]))

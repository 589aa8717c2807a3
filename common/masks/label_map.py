"""Maps of classes: one class index per pixel, `(height, width)`."""

import numpy as np

from common.arrays import Labels
from common.masks.rle import encode_runs

IGNORED = 255
"""Value that losses and metrics ignore, as in OpenMMLab, Cityscapes and Pascal VOC."""


def class_masks(labels: Labels) -> dict[int, bytes]:
    """Compress the mask of each class that occurs, by class index, ascending.

    One pass over the map for all classes; the same bytes as from pycocotools for each class by itself.

    Args:
        labels: `(height, width)`.
    """
    column_wise = labels.T.reshape(-1)
    edges = np.flatnonzero(column_wise[1:] != column_wise[:-1]) + 1
    starts, ends = np.append(0, edges), np.append(edges, len(column_wise))
    values = column_wise[starts]
    order = np.argsort(values, kind="stable")
    classes, firsts = np.unique(values[order], return_index=True)
    height, width = labels.shape
    return {
        int(index): encode_runs(starts[rows], ends[rows], (height, width))
        for index, rows in zip(classes, np.split(order, firsts[1:]), strict=True)
    }

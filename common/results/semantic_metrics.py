"""Metrics of class maps, from one matrix that counts pixels."""

from collections.abc import Sequence

import numpy as np

from common.arrays import Ints, Labels
from common.masks.label_map import IGNORED
from common.results.class_metrics import ClassMetrics, Evaluation

Counts = Ints


def confusion(truth: Labels, predicted: Labels, class_count: int) -> Counts:
    """Count pixels by their true and predicted class: `(K, K)`, truth along the rows. Sum over the images of a set.

    Args:
        truth: class index of each pixel, or 255 if unknown: such a pixel does not count.
        predicted: the same shape; class indices below K.
        class_count: K, including the background if it is a class.

    Raises:
        ValueError: shapes differ, or a value is not a class.
    """
    if truth.shape != predicted.shape:
        raise ValueError(f"predicted: expected shape {truth.shape}, got {predicted.shape}")
    known = truth != IGNORED
    rows, columns = truth[known].astype(np.int64), predicted[known].astype(np.int64)
    for name, values in (("truth", rows), ("predicted", columns)):
        if values.size and not 0 <= values.min() <= values.max() < class_count:
            raise ValueError(f"{name}: expected classes 0 to {class_count - 1}, got {values.min()} to {values.max()}")
    cells = np.bincount(rows * class_count + columns, minlength=class_count**2)
    return cells.reshape(class_count, class_count).astype(np.int64)


def semantic_metrics(matrix: Counts, class_names: Sequence[str]) -> Evaluation:
    """Summarise a confusion matrix as mmsegmentation defines it, in [0, 1] and never NaN.

    Args:
        matrix: `(K, K)`, see `confusion`.
        class_names: names of the K classes.

    Returns:
        `mIoU`: mean intersection over union of the classes that occur in the truth or the prediction.
        `mAcc`: mean recall of the pixels of the classes that occur in the truth.
        `aAcc`: share of correct pixels.
        Each is 0 if there is nothing to measure. A class that is only predicted has an intersection over union of 0,
        but no accuracy.
    """
    right, truth, predicted = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    ious, accuracies = _ratios(right, truth + predicted - right), _ratios(right, truth)
    metrics = {
        "mIoU": _mean(ious),
        "mAcc": _mean(accuracies),
        "aAcc": _mean(_ratios(right.sum(keepdims=True), truth.sum(keepdims=True))),
    }
    rows = zip(class_names, ious, accuracies, truth.tolist(), strict=True)
    return Evaluation(metrics, tuple(ClassMetrics(*row) for row in rows))


def _ratios(parts: Counts, wholes: Counts) -> list[float | None]:
    """Divide; None where the whole is 0."""
    return [part / whole if whole else None for part, whole in zip(parts.tolist(), wholes.tolist(), strict=True)]


def _mean(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else 0.0

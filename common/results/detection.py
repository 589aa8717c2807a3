"""infer-result.json for boxes."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import starmap
from pathlib import Path

import msgspec
import numpy as np

from common.files import replacing
from common.predictions import Detections, RotatedDetections
from common.results.records import Annotation, Box

ANGLE_DIGITS = 6
"""Decimal places of an angle: the precision of float32."""


def annotations(detections: Detections, class_names: Sequence[str]) -> tuple[Annotation, ...]:
    """Convert the objects of one image to the platform's format.

    Boxes are rounded so that a perfect prediction of a box of the data set returns the same four integers and, if it is
    rotated, the same angle. A box is at least one pixel wide and high.

    Args:
        detections: boxes in pixels of the image; upright ones already clipped to it.
        class_names: names of the task; detections of other classes are left out.
    """
    boxes = _rotated(detections) if isinstance(detections, RotatedDetections) else _upright(detections)
    rows = zip(boxes, detections.classes.tolist(), detections.scores.tolist(), strict=True)
    return tuple(
        Annotation(box, class_names[label], min(max(round(score, 6), 0.0), 1.0))
        for box, label, score in rows
        if label < len(class_names)
    )


def _upright(detections: Detections) -> Iterator[Box]:
    corners = np.rint(detections.boxes).astype(int)
    sides = np.maximum(corners[:, 2:] - corners[:, :2], 1)
    starts = np.maximum(corners[:, 2:] - sides, 0)  # a box thinner than a pixel stays inside the image
    return starmap(Box, np.hstack([starts, sides]).tolist())


def _rotated(detections: RotatedDetections) -> Iterator[Box]:
    """Make the unrotated boxes about the same centres, with the angles."""
    boxes = detections.convention.apply(detections.boxes)
    sides = np.maximum(np.rint(boxes[:, 2:4]), 1)
    starts = np.rint(boxes[:, :2] - sides / 2)
    angles = (boxes[:, 4] / detections.convention.unit.radians).round(ANGLE_DIGITS) + 0.0  # no -0.0
    for (x, y, w, h), angle in zip(np.hstack([starts, sides]).astype(int).tolist(), angles.tolist(), strict=True):
        yield Box(x, y, w, h, angle)


def write_infer_result(
    path: Path, objects: Iterable[tuple[str, tuple[Annotation, ...]]], *, legacy: bool = False
) -> None:
    """Write all images, one at a time, so that memory does not grow with their number.

    Args:
        path: infer-result.json.
        objects: (base name of the image, its objects) for every candidate, those without objects too.
        legacy: use the key that platform 1.1 reads.
    """
    key = "annotations" if legacy else "boxes"
    encode = msgspec.json.encode
    with replacing(path) as handle:
        handle.write(b'{"detection":{')
        for i, (name, found) in enumerate(objects):
            handle.write((b",\n" if i else b"\n") + encode(name) + b":" + encode({key: found}))
        handle.write(b"\n}}\n")

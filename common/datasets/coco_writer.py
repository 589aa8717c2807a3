"""Write a data set as one COCO document, for mmdetection and for evaluation."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from common.arrays import Doubles, Ints
from common.boxes import rotated, upright
from common.contract import AngleUnit
from common.datasets.clip import clip_boxes
from common.datasets.dataset import Dataset
from common.datasets.rotated import inside, rotated_boxes
from common.files import write_bytes

Entry = dict[str, object]
Document = dict[str, list[Entry]]
"""`images`, `annotations` and `categories`."""


def to_coco(dataset: Dataset, sizes: Ints, image_names: Sequence[str], unit: AngleUnit | None = None) -> Document:
    """Build the document: ids of images and annotations count from 1, ids of categories are class indices, from 0.

    Args:
        dataset: the images and boxes. Upright boxes are clipped to the images; rotated ones are kept whole, or left
            out if they lie entirely outside.
        sizes: `(images, 2)` width and height in pixels.
        image_names: `file_name` of each image.
        unit: unit of the angles; None = all boxes are upright, and angles are ignored.

    Returns:
        `images`, `annotations` (`bbox` = x, y, width, height in pixels; `area`; `iscrowd` 0) and `categories`. With
        angles, annotations also have `obb` = cx, cy, width, height in pixels and the angle in radians, clockwise on the
        screen; `bbox` is the enclosing upright box, and `area` that of the rotated box.
    """
    return {
        "images": [
            {"id": i, "file_name": name, "width": width, "height": height}
            for i, (name, (width, height)) in enumerate(zip(image_names, sizes.tolist(), strict=True), 1)
        ],
        "annotations": _upright(clip_boxes(dataset, sizes)) if unit is None else _rotated(dataset, sizes, unit),
        "categories": [{"id": index, "name": name} for index, name in enumerate(dataset.class_names)],
    }


def write_coco(document: Document, path: Path) -> None:
    """Write the document as JSON in one step."""
    write_bytes(path, msgspec.json.encode(document), durable=False)


def _upright(dataset: Dataset) -> list[Entry]:
    boxes = dataset.boxes.astype(np.float64)
    return _annotations(dataset, boxes, upright.areas(boxes))


def _rotated(dataset: Dataset, sizes: Ints, unit: AngleUnit) -> list[Entry]:
    boxes = rotated_boxes(dataset, unit)
    kept = inside(dataset, boxes, sizes)
    boxes = boxes[kept]
    annotations = _annotations(dataset.where(kept), rotated.enclosing(boxes), rotated.areas(boxes))
    return [annotation | {"obb": box} for annotation, box in zip(annotations, boxes.tolist(), strict=True)]


def _annotations(dataset: Dataset, boxes: Doubles, areas: Doubles) -> list[Entry]:
    """Make the annotations of a data set, with upright boxes as corners `(n, 4)` and areas `(n,)`."""
    low, high = np.split(boxes, 2, axis=1)
    columns = (dataset.image_index + 1, dataset.classes, np.hstack([low, high - low]), areas)
    # To pycocotools an id of 0 means "not matched", so ids count from 1.
    return [
        {"id": i, "image_id": image, "category_id": category, "bbox": bbox, "area": area, "iscrowd": 0}
        for i, (image, category, bbox, area) in enumerate(zip(*(c.tolist() for c in columns), strict=True), 1)
    ]

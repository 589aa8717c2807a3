"""A data set as one COCO document, for mmdetection and for evaluation."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from common.datasets.clip import clip_boxes
from common.datasets.dataset import Dataset
from common.files import write_bytes


def to_coco(dataset: Dataset, sizes: NDArray[np.int64], image_names: Sequence[str]) -> dict[str, Any]:
    """Build the document: ids of images and annotations count from 1, ids of categories are class indices, from 0.

    Args:
        dataset: the images and boxes; boxes are clipped to the images.
        sizes: `(images, 2)` width and height in pixels.
        image_names: `file_name` of each image.

    Returns:
        `images`, `annotations` (`bbox` = x, y, width, height in pixels; `area`; `iscrowd` 0) and `categories`.
    """
    return {
        "images": [
            {"id": i, "file_name": name, "width": width, "height": height}
            for i, (name, (width, height)) in enumerate(zip(image_names, sizes.tolist(), strict=True), 1)
        ],
        "annotations": _annotations(clip_boxes(dataset, sizes)),
        "categories": [{"id": index, "name": name} for index, name in enumerate(dataset.class_names)],
    }


def write_coco(document: dict[str, Any], path: Path) -> None:
    """Write the document as JSON in one step."""
    write_bytes(path, msgspec.json.encode(document), durable=False)


def _annotations(dataset: Dataset) -> list[dict[str, Any]]:
    low, high = np.split(dataset.boxes.astype(np.float64), 2, axis=1)
    columns = (dataset.image_index + 1, dataset.classes, np.hstack([low, high - low]), (high - low).prod(axis=1))
    # pycocotools takes an annotation with id 0 for one that was not matched, so ids count from 1.
    return [
        {"id": i, "image_id": image, "category_id": category, "bbox": bbox, "area": area, "iscrowd": 0}
        for i, (image, category, bbox, area) in enumerate(zip(*(c.tolist() for c in columns), strict=True), 1)
    ]

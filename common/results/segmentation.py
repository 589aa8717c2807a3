"""infer-result.json for masks: a COCO document, exactly as the platform's parser demands it."""

import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from common.files import replacing
from common.masks import rle
from common.masks.label_map import Labels, class_masks
from common.masks.records import MaskObject, MaskRecord


def instances(
    masks: NDArray[np.bool_], classes: NDArray[np.int64], scores: NDArray[np.floating], class_count: int
) -> tuple[MaskObject, ...]:
    """The objects of one image as the platform reads them, in the given order.

    Left out are masks without a pixel, which would have no box; classes that the task does not have; and of objects of
    one class with the same box all but the first: the platform would drop them, whatever their masks.

    Args:
        masks: `(n, height, width)`, at the image's own size, best object first.
        classes: `(n,)` class indices.
        scores: `(n,)`.
        class_count: of the task.
    """
    kept = np.flatnonzero(masks.any(axis=(1, 2)) & (classes < class_count))
    found = _objects(classes[kept].tolist(), rle.encode(masks[kept]), masks.shape[1:], scores[kept].tolist())
    first: dict[tuple[int, tuple[int, ...]], MaskObject] = {}
    for item in found:
        first.setdefault((item.category, item.bbox), item)
    return tuple(first.values())


def class_objects(labels: Labels, class_count: int) -> tuple[MaskObject, ...]:
    """What one image shows of each class, by class index: one mask a class, without a confidence.

    Args:
        labels: `(height, width)` class index of each pixel, at the image's own size; what is no class of the task, such
            as the background, is left out.
        class_count: of the task.
    """
    height, width = labels.shape
    found = {index: counts for index, counts in class_masks(labels).items() if index < class_count}
    return tuple(_objects(list(found), list(found.values()), (height, width), [None] * len(found)))


def write_segmentation_result(path: Path, images: Iterable[tuple[str, MaskRecord]], class_names: Sequence[str]) -> None:
    """Write all images, one at a time, so that memory does not grow with their number.

    Args:
        path: infer-result.json.
        images: (base name, what was found); every candidate, those without objects too, no base name twice. The
            platform knows an image by its base name: with a folder before it, all its objects would be lost.
        class_names: of the task; the position is the class index, and the category id.
    """
    encode = msgspec.json.encode
    categories = [{"id": index, "name": name} for index, name in enumerate(class_names)]
    written = 0
    path.parent.mkdir(parents=True, exist_ok=True)
    # Two lists grow at once: the shorter one beside the file, until the other is complete.
    with replacing(path) as handle, tempfile.TemporaryFile(dir=path.parent) as listed:
        handle.write(b'{"categories":' + encode(categories) + b',\n"annotations":[')
        for image_id, (name, record) in enumerate(images, 1):
            entry = {"id": image_id, "file_name": name, "width": record.width, "height": record.height}
            listed.write((b",\n" if image_id > 1 else b"\n") + encode(entry))
            for item in record.objects:
                handle.write((b",\n" if written else b"\n") + encode(_annotation(item, written + 1, image_id, record)))
                written += 1
        handle.write(b'\n],\n"images":[')
        listed.seek(0)
        shutil.copyfileobj(listed, handle)
        handle.write(b"\n]}\n")


def _objects(
    classes: Sequence[int], counts: Sequence[bytes], size: rle.Size, scores: Sequence[float | None]
) -> list[MaskObject]:
    """Objects of masks that have a pixel."""
    if not classes:
        return []
    sizes = [size] * len(counts)
    corners = rle.boxes(counts, sizes)
    boxes = np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]]).tolist()
    columns = zip(classes, boxes, rle.areas(counts, sizes).tolist(), counts, scores, strict=True)
    return [
        MaskObject(index, tuple(box), area, text.decode(), None if score is None else _confidence(score))
        for index, box, area, text, score in columns
    ]


def _confidence(score: float) -> float:
    return min(max(round(score, 6), 0.0), 1.0)


def _annotation(item: MaskObject, annotation_id: int, image_id: int, record: MaskRecord) -> dict[str, Any]:
    """The platform reads `confidence` and not `score`, and fails without `area`."""
    annotation = {
        "id": annotation_id,
        "image_id": image_id,
        "category_id": item.category,
        "bbox": item.bbox,
        "area": item.area,
        "iscrowd": 0,
        "segmentation": {"counts": item.counts, "size": (record.height, record.width)},
    }
    return annotation if item.confidence is None else annotation | {"confidence": item.confidence}

"""infer-result.json for masks: a COCO document, exactly as the platform's parser requires it."""

import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from common.arrays import Ints, Labels
from common.files import replacing
from common.masks import rle
from common.masks.label_map import class_masks
from common.results.records import MaskObject, Record


def instances(
    parts: Iterable[rle.Part],
    classes: Ints,
    scores: NDArray[np.floating],
    size: rle.Size,
    class_names: Sequence[str],
) -> tuple[MaskObject, ...]:
    """Convert the objects of one image to the platform's format, in the given order.

    Left out are masks without a pixel, which would not have a box; classes that the task does not have; and of objects
    of one class with the same box all but the first: the platform would drop them, whatever their masks.

    Args:
        parts: n masks, best object first; one is used at a time.
        classes: `(n,)` class indices.
        scores: `(n,)`.
        size: height and width of the image.
        class_names: names of the task.
    """
    rows = [
        (class_names[index], rle.encode_part(part, size), score)
        for part, index, score in zip(parts, classes.tolist(), scores.tolist(), strict=True)
        if index < len(class_names) and part.mask.any()
    ]
    first: dict[tuple[str, tuple[int, ...]], MaskObject] = {}
    for item in _objects(rows, size):
        first.setdefault((item.class_name, item.bbox), item)
    return tuple(first.values())


def class_objects(labels: Labels, class_names: Sequence[str]) -> tuple[MaskObject, ...]:
    """Make one mask per class that an image shows, by class index, without a confidence.

    Args:
        labels: `(height, width)` class index of each pixel, at the image's own size; classes that the task does not
            have, such as the background, are left out.
        class_names: names of the task.
    """
    height, width = labels.shape
    rows = [(class_names[i], counts, None) for i, counts in class_masks(labels).items() if i < len(class_names)]
    return tuple(_objects(rows, (height, width)))


def write_segmentation_result(
    path: Path, images: Iterable[tuple[str, Record[MaskObject]]], class_names: Sequence[str]
) -> None:
    """Write all images, one at a time, so that memory does not grow with their number.

    Args:
        path: infer-result.json.
        images: (base name, record) for every candidate, those without objects too, no base name twice. The platform
            identifies an image by its base name: with a folder before it, all its objects would be lost.
        class_names: names of the task; the position is the category id. Other classes of objects (of a task that does
            not name classes) get the next ids.
    """
    encode = msgspec.json.encode
    ids = {name: index for index, name in enumerate(class_names)}
    written = 0
    path.parent.mkdir(parents=True, exist_ok=True)
    # Two lists grow at once: the shorter one goes to a temporary file until the longer one is complete.
    with replacing(path) as handle, tempfile.TemporaryFile(dir=path.parent) as listed:
        handle.write(b'{"annotations":[')
        for image_id, (name, record) in enumerate(images, 1):
            height, width = record.size
            entry = {"id": image_id, "file_name": name, "width": width, "height": height}
            listed.write((b",\n" if image_id > 1 else b"\n") + encode(entry))
            for item in record.objects:
                category = ids.setdefault(item.class_name, len(ids))
                annotation = _annotation(item, written + 1, image_id, category, record.size)
                handle.write((b",\n" if written else b"\n") + encode(annotation))
                written += 1
        handle.write(b'\n],\n"images":[')
        listed.seek(0)
        shutil.copyfileobj(listed, handle)
        categories = [{"id": index, "name": name} for name, index in ids.items()]
        handle.write(b'\n],\n"categories":' + encode(categories) + b"}\n")


def _objects(rows: Sequence[tuple[str, bytes, float | None]], size: rle.Size) -> list[MaskObject]:
    """Make objects from rows of class name, compressed mask (not empty), and score."""
    if not rows:
        return []
    names, counts, scores = zip(*rows, strict=True)
    sizes = [size] * len(counts)
    corners = rle.boxes(counts, sizes)
    boxes = np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]]).tolist()
    columns = zip(names, boxes, rle.areas(counts, sizes).tolist(), counts, scores, strict=True)
    return [
        MaskObject(name, tuple(box), area, text.decode(), None if score is None else _confidence(score))
        for name, box, area, text, score in columns
    ]


def _confidence(score: float) -> float:
    return min(max(round(score, 6), 0.0), 1.0)


def _annotation(
    item: MaskObject, annotation_id: int, image_id: int, category_id: int, size: rle.Size
) -> dict[str, object]:
    """Make an annotation. The platform reads `confidence` and not `score`, and fails without `area`."""
    annotation = {
        "id": annotation_id,
        "image_id": image_id,
        "category_id": category_id,
        "bbox": item.bbox,
        "area": item.area,
        "iscrowd": 0,
        "segmentation": {"counts": item.counts, "size": size},
    }
    return annotation if item.confidence is None else annotation | {"confidence": item.confidence}

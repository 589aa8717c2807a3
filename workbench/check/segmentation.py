"""infer-result.json of a segmentation project: a COCO document."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image
from pycocotools import mask as coco_mask

from common.contract import ObjectType
from common.masks import rle
from workbench.check.finding import Breach, Finding
from workbench.check.reading import read_json
from workbench.check.values import INT32, is_int, is_mapping, is_number, is_text, is_unit, is_whole
from workbench.task import Task

_LISTS: Final = ("images", "categories", "annotations")
_MASK_FORM: Final = 'Write {"counts": compressed text, "size": [height, width]}'


@dataclass(frozen=True)
class _Known:
    """Images and categories that annotations refer to.

    Attributes:
        semantic: whether the project labels classes, not objects.
        sizes: height and width of the images by their ids; None where the image cannot be read.
        categories: the ids of the categories.
        boxes: class and box of what was seen so far, for each image.
        numbers: annotation ids so far.
    """

    semantic: bool
    sizes: Mapping[Hashable, rle.Size | None]
    categories: frozenset[Hashable]
    boxes: set[Hashable] = field(default_factory=set)
    numbers: set[Hashable] = field(default_factory=set)


def check_masks(task: Task) -> list[Finding]:
    """Breaches in infer-result.json: an entry for each candidate, known classes, masks that fit image, box and area."""
    file = task.output["infer_result_file"]
    advice = "Write it, with empty lists where nothing is found"
    document, repeated = read_json(file, advice, task.output["root_dir"])
    if isinstance(document, Finding):
        return [document]
    twice = [(f"key {key!r} occurs twice", "Write it once: the first is lost") for key in repeated]
    return [Finding(file, what, advice) for what, advice in [*twice, *_document(document, task)]]


def _document(document: object, task: Task) -> Iterator[Breach]:
    if not is_mapping(document):
        yield f"holds {type(document).__name__}, not a mapping", f"Write {', '.join(_LISTS)}"
        return
    missing = [key for key in _LISTS if not isinstance(document.get(key), list)]
    for key in missing:
        yield f"key {key!r} is missing or not a list", "Write it, even if empty: without it the whole task fails"
    if missing:
        return
    images, categories, annotations = (document[key] for key in _LISTS)
    yield from _images(images, task)
    yield from _categories(categories, task)
    paths = {path.name: path for path in task.candidates}
    entries = [entry for entry in images if is_mapping(entry)]
    known = _Known(
        semantic=task.object_type is ObjectType.SEMANTIC,
        sizes={_key(entry.get("id")): _size(paths.get(str(entry.get("file_name")))) for entry in entries},
        categories=frozenset(_key(entry.get("id")) for entry in categories if is_mapping(entry)),
    )
    for index, annotation in enumerate(annotations):
        for what, advice in _annotation(annotation, known):
            yield f"annotation {index}: {what}", advice


def _images(images: Sequence[object], task: Task) -> Iterator[Breach]:
    """The images are all candidates, by their base names with extensions."""
    yield from _entries("image", images, "file_name", "Write id and file_name")
    names = {str(entry.get("file_name")) for entry in images if is_mapping(entry)}
    wanted = {path.name for path in task.candidates}
    if not images:
        yield "images is empty", "List every candidate: platforms before 2.5 fail on an empty list"
        return
    for name in sorted(wanted - names):
        yield f"image {name!r} is missing", "List every candidate, those without objects too"
    for name in sorted(names - wanted):
        base = name.rpartition("/")[2]
        if base != name and base in wanted:
            yield f"image {name!r} has a folder", f"Write the base name {base!r}: all objects of the image are lost"
        else:
            yield (
                f"image {name!r} is not the base name of a candidate",
                "Name images as in the index, without the folder",
            )


def _categories(categories: Sequence[object], task: Task) -> Iterator[Breach]:
    yield from _entries("category", categories, "name", "Write id and name: without a name the whole task fails")
    classes = {class_name.lower() for class_name in task.class_names}
    for entry in categories:
        name = entry.get("name") if is_mapping(entry) else None
        if is_text(name) and name.lower() not in classes:
            yield f"category {name!r} is not in class_names", f"Write one of {sorted(classes)}: others are dropped"


def _entries(kind: str, entries: Sequence[object], key: str, advice: str) -> Iterator[Breach]:
    """Entries with an id and a text, both different from all others."""
    seen: set[Hashable] = set()
    for index, entry in enumerate(entries):
        if not is_mapping(entry) or "id" not in entry or not is_text(entry.get(key)):
            yield f"{kind} {index} is {entry!r}", advice
            continue
        for field_name, value in (("id", entry["id"]), (key, entry[key])):
            if (field_name, _key(value)) in seen:
                yield f"{kind} {index}: {field_name} {value!r} is listed already", "Write each once: others are dropped"
            seen.add((field_name, _key(value)))


def _annotation(annotation: object, known: _Known) -> Iterator[Breach]:
    """One object, or one class of one image."""
    if not is_mapping(annotation):
        yield f"{annotation!r} is not a mapping", "Write image_id, category_id, bbox, area and segmentation"
        return
    yield from _references(annotation, known)
    yield from _confidence(annotation, known)
    yield from _once(annotation, known)
    yield from _box(annotation.get("bbox"))
    yield from _area(annotation)
    yield from _mask(annotation, known.sizes.get(_key(annotation.get("image_id"))))


def _references(annotation: Mapping[str, Any], known: _Known) -> Iterator[Breach]:
    for key, ids, name in (("image_id", known.sizes, "images"), ("category_id", known.categories, "categories")):
        if key not in annotation:
            yield f"{key} is missing", "Write it: without it the whole task fails"
        elif _key(annotation[key]) not in ids:
            yield f"{key} is {annotation[key]!r}", f"Write the id of one of {name}"
    if not is_int(annotation.get("id")) or annotation["id"] in known.numbers:
        yield f"id is {annotation.get('id')!r}", "Number all annotations: COCO's tools know them by their ids"
    known.numbers.add(_key(annotation.get("id")))


def _confidence(annotation: Mapping[str, Any], known: _Known) -> Iterator[Breach]:
    if "score" in annotation and "confidence" not in annotation:
        yield "score is not read", "Write confidence"
    elif "confidence" in annotation:
        if not is_unit(annotation["confidence"]):
            yield f"confidence is {annotation['confidence']!r}", "Write a number from 0 to 1"
    elif not known.semantic:
        yield "confidence is missing", "Write a number from 0 to 1: without it an object counts as unscored, -1"
    if annotation.get("iscrowd", 0) not in (0, 1):
        yield f"iscrowd is {annotation['iscrowd']!r}", "Write 0"


def _once(annotation: Mapping[str, Any], known: _Known) -> Iterator[Breach]:
    """The platform takes the second of two objects with one class and one box for the first."""
    bbox = annotation.get("bbox")
    place = (_key(annotation.get("image_id")), _key(annotation.get("category_id")))
    if known.semantic and place in known.boxes:
        yield "the class occurs twice on this image", "Write one mask for each class and image"
    elif isinstance(bbox, list) and all(map(is_number, bbox)):
        box = (*place, *map(int, bbox))
        if box in known.boxes:
            yield f"class and bbox {bbox} occur twice on this image", "Leave out the worse: the second is dropped"
        known.boxes.add(box)
    known.boxes.add(place)


def _box(bbox: object) -> Iterator[Breach]:
    if not isinstance(bbox, list) or len(bbox) != 4 or not all(map(is_number, bbox)):
        yield f"bbox is {bbox!r}", "Write [x, y, width, height]: without it the object is dropped"
    elif not all(is_whole(value) and int(value) in INT32 for value in bbox):
        yield f"bbox is {bbox}", "Write integers: fractions are cut off"
    elif min(bbox[2:]) < 1:
        yield f"bbox is {bbox}", "Leave out what is less than a pixel wide or high: it is dropped"


def _area(annotation: Mapping[str, Any]) -> Iterator[Breach]:
    area = annotation.get("area")
    if "area" not in annotation:
        yield "area is missing", "Write it: without it the whole task fails"
    elif not is_whole(area) or area < 1:
        yield f"area is {area!r}", "Write the pixels of the mask, an integer from 1"


def _mask(annotation: Mapping[str, Any], size: rle.Size | None) -> Iterator[Breach]:
    """A compressed mask of the image's size with the box and the area of the annotation."""
    mask = annotation.get("segmentation")
    if not is_mapping(mask):
        what = f"{len(mask)} polygons" if isinstance(mask, list) else repr(mask)
        yield (
            f"segmentation is {what}",
            f"{_MASK_FORM}: more than one polygon makes the whole task fail, and one loses holes",
        )
        return
    counts, given = mask.get("counts"), mask.get("size")
    if not is_text(counts):
        yield (
            f"segmentation.counts is {type(counts).__name__}",
            f"{_MASK_FORM}: anything else makes the whole task fail",
        )
    elif not isinstance(given, list) or len(given) != 2 or not all(is_int(side) and side > 0 for side in given):
        yield f"segmentation.size is {given!r}", _MASK_FORM
    elif size is not None and given != list(size):
        yield f"segmentation.size is {given}, the image {list(size)}", "Encode at the image's own height and width"
    elif not rle.valid([counts.encode("ascii", "replace")], [given[0] * given[1]])[0]:
        yield (
            f"segmentation.counts is not a mask of {given[0]} x {given[1]} pixels",
            "Encode down the columns, by pycocotools",
        )
    else:
        yield from _content(annotation, {"counts": counts, "size": given})


def _content(annotation: Mapping[str, Any], mask: dict[str, Any]) -> Iterator[Breach]:
    area, box = int(coco_mask.area(mask)), np.asarray(coco_mask.toBbox(mask)).astype(int).tolist()
    if not area:
        yield "the mask has no pixel", "Leave the object out"
        return
    if is_whole(annotation.get("area")) and annotation["area"] >= 1 and annotation["area"] != area:
        yield f"area is {annotation['area']}, the mask has {area} pixels", "Write the pixels of the mask"
    if not list(_box(annotation.get("bbox"))) and annotation["bbox"] != box:
        yield f"bbox is {annotation['bbox']}, the mask's is {box}", "Write the tightest box around the mask"


def _size(path: Path | None) -> rle.Size | None:
    """Height and width as stored; None without a readable image."""
    try:
        if path is not None:
            with Image.open(path) as image:
                return image.height, image.width
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    return None


def _key(value: object) -> Hashable:
    """Ids may be of any type."""
    return value if isinstance(value, Hashable) else repr(value)

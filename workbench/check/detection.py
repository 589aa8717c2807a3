"""infer-result.json of a detection project."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from workbench.check.finding import Breach, Finding
from workbench.check.reading import read_json
from workbench.check.values import INT32, is_mapping, is_number, is_text, is_unit, is_whole
from workbench.task import Task

_CORNER_KEYS: Final = ("x", "y", "w", "h")
_SIDES: Final = ("w", "h")
_ANGLE_KEYS: Final = frozenset({"rotate_angle", "rotateAngle"})


def check_detections(task: Task, *, rotated: bool = False) -> list[Finding]:
    """Breaches in infer-result.json: an entry for each candidate, boxes of whole pixels, known classes, scores.

    If the image is `rotated`, or one box has an angle, then every box must have one.
    """
    file = task.output["infer_result_file"]
    advice = "Write it, with an empty list for an image without objects"
    document, repeated = read_json(file, advice, task.output["root_dir"])
    if isinstance(document, Finding):
        return [document]
    images = document.get("detection") if is_mapping(document) else None
    if not is_mapping(images):
        return [
            Finding(file, "key 'detection' is missing or not a mapping", "Map image names to boxes below 'detection'")
        ]
    breaches = [
        *((f"key {key!r} occurs twice", "Write it once: the first is lost") for key in repeated),
        *_names(images, task),
        *(breach for name in images for breach in _image(name, images[name], task)),
        *_angles(images, task, rotated),
    ]
    return [Finding(file, what, advice) for what, advice in breaches]


def _names(images: Mapping[str, Any], task: Task) -> Iterator[Breach]:
    """The keys are the base names of all candidates, with their extensions."""
    wanted = {path.name for path in task.candidates}
    for text, names in (
        ("is missing", wanted - images.keys()),
        ("is not the base name of a candidate", images.keys() - wanted),
    ):
        for name in sorted(names):
            yield f"image {name!r} {text}", "Write one entry per candidate, named as in the index without the folder"


def _image(name: str, entry: object, task: Task) -> Iterator[Breach]:
    """The boxes of one image."""
    key = _list_key(task)
    if not is_mapping(entry) or not isinstance(entry.get(key), list):
        yield f"image {name!r} has no list {key!r}", f"Write {{{key!r}: []}} for an image without objects"
        return
    classes = {class_name.lower() for class_name in task.class_names}
    for index, item in enumerate(entry[key]):
        for what, advice in _item(item, classes):
            yield f"box {index} of image {name!r}: {what}", advice


def _angles(images: Mapping[str, Any], task: Task, rotated: bool) -> Iterator[Breach]:
    """An image that knows angles gives every one: to the platform, a box without is upright."""
    entries = [entry for entry in images.values() if is_mapping(entry)]
    lists = [entry[_list_key(task)] for entry in entries if isinstance(entry.get(_list_key(task)), list)]
    boxes = [item["box"] for items in lists for item in items if is_mapping(item) and is_mapping(item.get("box"))]
    without = sum(not box.keys() & _ANGLE_KEYS for box in boxes)
    if without and (rotated or without < len(boxes)):
        yield f"{without} of {len(boxes)} boxes have no rotate_angle", "Write it in every box, 0 for an upright one"


def _list_key(task: Task) -> str:
    return "annotations" if task.legacy else "boxes"


def _item(item: object, classes: set[str]) -> Iterator[Breach]:
    """One object: class, score, rectangle."""
    if not is_mapping(item):
        yield f"{item!r} is not a mapping", "Write box, class_name and score"
        return
    class_name = item.get("class_name")
    if not is_text(class_name):
        yield f"class_name is {class_name!r}", "Write a class name: without one the whole task fails"
    elif class_name.lower() not in classes:
        yield f"class_name {class_name!r} is not in class_names", f"Write one of {sorted(classes)}: others are dropped"
    if not is_unit(item.get("score")):
        yield f"score is {item.get('score')!r}", "Write a number from 0 to 1"
    yield from _rectangle(item.get("box"))


def _rectangle(box: object) -> Iterator[Breach]:
    """x, y, w, h in whole pixels, perhaps an angle, and nothing else."""
    if not is_mapping(box):
        yield f"box is {box!r}", "Write x, y, w and h"
        return
    for key in _CORNER_KEYS:
        value = box.get(key)
        if not is_whole(value) or int(value) not in INT32:
            yield f"{key} is {value!r}", "Write an integer: a fraction makes the whole task fail"
        elif key in _SIDES and value < 1:
            yield f"{key} is {value!r}", "Leave out what is less than a pixel wide or high"
    for key in box.keys() - {*_CORNER_KEYS, *_ANGLE_KEYS}:
        yield f"unknown key {key!r}", "Leave it out: it makes the whole task fail"
    for key in box.keys() & _ANGLE_KEYS:
        if not is_number(box[key]):
            yield f"{key} is {box[key]!r}", "Write a finite number"

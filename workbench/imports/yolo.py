"""YOLO data sets: data.yaml, and a text file per image; boxes `class cx cy w h` or polygons, relative to the image."""

import math
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import yaml

from workbench.imports.entry import (
    TEST,
    TRAIN,
    VAL,
    Catalogue,
    Corners,
    Entry,
    Lost,
    Probe,
    SourceError,
    Thing,
    UnusableError,
)
from workbench.imports.files import image_files

_BOX_COLUMNS: Final = 5
_LEAST_POLYGON: Final = 7
"""A class and three corners."""


def read_yolo(source: Path) -> Catalogue:
    """Reads a YOLO data set.

    Args:
        source: its data.yaml, or the folder that it lies in. The keys `train`, `val` and `test` name folders of images
            or lists of them, below `path` or the folder of the file; labels lie in `labels` where images lie in
            `images`, or beside them. Without `names`, but with `nc`, a class has its number as name.

    Raises:
        SourceError: there is no such file, it is malformed, or a folder that it names is missing.
    """
    file = source if source.is_file() else _data_file(source)
    try:
        content = yaml.safe_load(file.read_bytes())
    except yaml.YAMLError as error:
        raise SourceError(f"{file}: not a YAML file ({error}). Expected names, train and val") from None
    if not isinstance(content, dict):
        raise SourceError(f"{file}: holds {type(content).__name__}. Expected names, train and val")
    names = _names(content, file)
    entries = [
        Entry(image, split, partial(_things, label_file(image), names))
        for split in (TRAIN, VAL, TEST)
        for image in _images(content, split, file)
    ]
    if not entries:
        raise SourceError(f"{file}: no image is found below its train, val or test. Give folders with images")
    return Catalogue([names[index] for index in sorted(names)], entries)


def label_file(image: Path) -> Path:
    """Label file of an image: the last folder `images` of its path becomes `labels`."""
    parts = list(image.parts)
    for place in range(len(parts) - 2, -1, -1):
        if parts[place] == "images":
            parts[place] = "labels"
            break
    return Path(*parts).with_suffix(".txt")


def _data_file(source: Path) -> Path:
    files = [source / "data.yaml", *sorted(source.glob("*.yaml")), *sorted(source.glob("*.yml"))]
    found = next((file for file in files if file.is_file()), None)
    if found is None:
        raise SourceError(f"{source}: there is no data.yaml. Write one with names, train and val")
    return found


def _names(content: Mapping[str, Any], file: Path) -> dict[int, str]:
    names = content.get("names")
    if names is None and isinstance(content.get("nc"), int):
        names = list(range(content["nc"]))
    if isinstance(names, list):
        names = dict(enumerate(names))
    if not isinstance(names, dict) or not names or not all(isinstance(key, int) for key in names):
        raise SourceError(f"{file}: names is {names!r}. Write a list of class names, or a mapping from 0, 1, ...")
    return {index: str(name) for index, name in names.items()}


def _images(content: Mapping[str, Any], split: str, file: Path) -> Iterator[Path]:
    value = content.get(split) or (content.get("valid") if split == VAL else None) or []
    for text in value if isinstance(value, list) else [value]:
        place = _resolve(str(text), content, file)
        if place is None:
            raise SourceError(
                f"{file}: {split} is {text!r}, which is neither a folder nor a file. Correct it, or `path`"
            )
        yield from image_files(place) if place.is_dir() else _listed(place)


def _resolve(text: str, content: Mapping[str, Any], file: Path) -> Path | None:
    """A path of data.yaml. Exports of Roboflow say `../train/images` and mean `train/images`."""
    roots = [file.parent / str(content.get("path") or ""), Path(str(content.get("path") or ".")), file.parent]
    tries = [root / each for root in roots for each in (text, text.removeprefix("../"))]
    return next((path for path in tries if path.exists()), None)


def _listed(file: Path) -> Iterator[Path]:
    """The images that a list names; `./` stands for the folder of the list."""
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.strip():
            yield file.parent / line.strip()


def _things(file: Path, names: Mapping[int, str], probe: Probe) -> Iterable[Thing | Lost]:
    """The objects of one image; an image without a file has none."""
    if not file.is_file():
        return
    text = file.read_text(encoding="utf-8", errors="replace")
    lines = [line.split() for line in text.splitlines() if line.strip()]
    if lines and probe.turned:
        raise UnusableError("EXIF rotates it, and its labels are for the rotated image: save it rotated")
    for fields in lines:
        yield _thing(fields, names, probe)


def _thing(fields: list[str], names: Mapping[int, str], probe: Probe) -> Thing | Lost:
    try:
        index, numbers = int(float(fields[0])), [float(field) for field in fields[1:]]
    except (ValueError, OverflowError):
        return Lost("its line has something other than numbers")
    if not all(map(math.isfinite, numbers)):
        return Lost("a coordinate of it is not a usable number")
    if index not in names:
        return Lost("its class number is not in names")
    columns = len(fields)
    if columns == _BOX_COLUMNS:
        return Thing(names[index], _corners(numbers, probe))
    if columns >= _LEAST_POLYGON and columns % 2:
        scale = (probe.width, probe.height)
        return Thing(names[index], None, mask=[[value * scale[i % 2] for i, value in enumerate(numbers)]])
    return Lost("its line is neither `class cx cy w h` nor a class and three corners or more")


def _corners(numbers: list[float], probe: Probe) -> Corners:
    cx, cy, w, h = numbers
    return (
        (cx - w / 2) * probe.width,
        (cy - h / 2) * probe.height,
        (cx + w / 2) * probe.width,
        (cy + h / 2) * probe.height,
    )

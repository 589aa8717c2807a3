"""COCO data sets: a JSON file per split, boxes `[x, y, width, height]`, masks as polygons or run lengths."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from workbench.imports.entry import Catalogue, Entry, Loss, Lost, Polygon, Probe, Rle, SourceError, Thing, check_size
from workbench.imports.files import ImageFinder, split_of, split_of_path
from workbench.imports.tally import Kind


class CocoImage(msgspec.Struct, gc=False):
    """An entry of `images`."""

    id: int | str
    file_name: str
    width: int = 0
    height: int = 0


class CocoCategory(msgspec.Struct, gc=False):
    """An entry of `categories`."""

    id: int
    name: str


class CocoAnnotation(msgspec.Struct):
    """An entry of `annotations`; the mask stays text until its image is at hand."""

    image_id: int | str
    category_id: int
    bbox: list[float] | None = None
    iscrowd: int | bool | None = 0
    segmentation: msgspec.Raw = msgspec.Raw(b"null")


class CocoDocument(msgspec.Struct):
    """The part of a file that is read."""

    images: list[CocoImage]
    categories: list[CocoCategory]
    annotations: list[CocoAnnotation]


@dataclass(frozen=True, slots=True)
class _Part:
    """One file of the data set."""

    file: Path
    split: str
    document: CocoDocument


def read_coco(source: Path) -> Catalogue:
    """Reads a COCO data set.

    Args:
        source: a JSON file, beside or below whose folder the images are; or a folder with JSON files in it, in
            `annotations`, or beside the images of each split (`train/_annotations.coco.json`). The names of files and
            folders name the splits.

    Raises:
        SourceError: there is no such file, it is malformed, or files give a category id to different classes.
    """
    root = source.parent if source.is_file() else source
    files = [source] if source.is_file() else _files(source)
    parts = [_Part(file, split_of(file.stem) or split_of_path(file.parent, root), _decode(file)) for file in files]
    if not parts:
        raise SourceError(
            f"{source}: no COCO file was found. Give a JSON file with images, annotations and categories, or a folder "
            "that has such files in it, in `annotations`, or in the folders of its splits"
        )
    entries: list[Entry] = []
    lost: list[Loss] = []
    finder = ImageFinder(root.parent if root.name == "annotations" else root)
    for part in parts:
        entries += _entries(part, finder, lost)
    return Catalogue(_class_names(parts), entries, lost)


def _files(source: Path) -> list[Path]:
    """The files of boxes and masks; the data set of COCO itself has others beside them, of captions and keypoints."""
    places = (source / "annotations", source)
    files = sorted(file for place in places for file in place.glob("*.json"))
    files = files or sorted(source.glob("*/*.json")) or sorted(source.glob("*/annotations/*.json"))
    instances = [file for file in files if file.name.startswith("instances_")]
    return instances or [file for file in files if _looks_like_coco(file)]


def _looks_like_coco(file: Path) -> bool:
    try:
        document = msgspec.json.decode(file.read_bytes(), type=dict[str, msgspec.Raw])
    except msgspec.DecodeError:
        return False
    return {"images", "annotations", "categories"} <= document.keys()


def _decode(file: Path) -> CocoDocument:
    try:
        return msgspec.json.decode(file.read_bytes(), type=CocoDocument)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SourceError(f"{file}: malformed COCO file ({error}). Expected images, annotations, categories") from None


def _class_names(parts: Sequence[_Part]) -> list[str]:
    """Names by category id, which need not be without gaps."""
    names: dict[int, str] = {}
    for part in parts:
        for category in part.document.categories:
            if names.setdefault(category.id, category.name) != category.name:
                raise SourceError(
                    f"{part.file}: category {category.id} is {category.name!r}, but {names[category.id]!r} in another "
                    "file. Give the same ids to the classes of all splits"
                )
    return [names[number] for number in sorted(names)]


def _entries(part: _Part, finder: ImageFinder, lost: list[Loss]) -> Iterator[Entry]:
    names = {category.id: category.name for category in part.document.categories}
    found: Mapping[int | str, list[CocoAnnotation]] = _by_image(part.document.annotations)
    for number in found.keys() - {image.id for image in part.document.images}:
        place = f"{part.file}: image_id {number}"
        lost += [Loss(Kind.OBJECTS, "its image_id is in no entry of images", place)] * len(found[number])
    hint = part.file.stem.removeprefix("instances_")
    folders = [part.file.parent, *(finder.source / name for name in ("", "images", hint, f"images/{hint}"))]
    for image in part.document.images:
        file = finder.find(image.file_name, folders, hint)
        if file is None:
            lost.append(Loss(Kind.IMAGES, "the data set lists it, but there is no such file", image.file_name))
        else:
            yield Entry(file, part.split, partial(_things, image, found.get(image.id, []), names))


def _by_image(annotations: Iterable[CocoAnnotation]) -> dict[int | str, list[CocoAnnotation]]:
    groups: dict[int | str, list[CocoAnnotation]] = defaultdict(list)
    for annotation in annotations:
        groups[annotation.image_id].append(annotation)
    return groups


def _things(
    image: CocoImage, annotations: Iterable[CocoAnnotation], names: Mapping[int, str], probe: Probe
) -> Iterator[Thing | Lost]:
    check_size(probe, image.width, image.height)
    for annotation in annotations:
        name = names.get(annotation.category_id)
        mask = _mask(msgspec.json.decode(annotation.segmentation))
        box = annotation.bbox or []
        if name is None:
            yield Lost("its category_id is in no entry of categories")
        elif len(box) != 4 and mask is None:
            yield Lost("it has neither a bbox of four numbers nor a mask")
        else:
            corners = (box[0], box[1], box[0] + box[2], box[1] + box[3]) if len(box) == 4 else None
            yield Thing(name, corners, mask=mask, crowd=bool(annotation.iscrowd))


def _mask(content: Any) -> Sequence[Polygon] | Rle | None:
    """Polygons, run lengths, or None for an empty or unknown `segmentation`."""
    if isinstance(content, dict) and content.get("counts"):
        return content
    if isinstance(content, list) and content:
        return [content] if isinstance(content[0], int | float) else content
    return None

"""Pascal VOC data sets: an XML file per image, boxes with inclusive corners."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from workbench.imports.entry import (
    TEST,
    TRAIN,
    UNSPLIT,
    VAL,
    Catalogue,
    Entry,
    Loss,
    Lost,
    SourceError,
    Thing,
    things_of,
)
from workbench.imports.files import ImageFinder, split_of_path, unlabelled
from workbench.imports.tally import Kind

_SETS: Final = "ImageSets/Main"
_MASKS: Final = "Segmentation"
"""Prefix of the folders of masks, which are images too."""

_CORNERS: Final = ("xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True, slots=True)
class _Labels:
    """Content of an XML file; sizes are 0 where it gives none."""

    file: Path
    image_name: str
    width: int
    height: int
    things: Sequence[Thing | Lost]


def read_voc(source: Path) -> Catalogue:
    """Reads a VOC data set.

    Coordinates stay as they are, as in an import of the platform: whether the first pixel is 0 or 1, VOC does not say.
    Angles that the platform itself writes (`rotate_angle`, radians) are read. Masks, parts and the marks `difficult`,
    `truncated` and `occluded` are not: the platform has no place for them.

    Args:
        source: a folder with XML files anywhere below it (`Annotations`), and the images beside them or in
            `JPEGImages`. `ImageSets/Main/train.txt`, `val.txt` and `test.txt` name the splits, or else the names of
            folders.

    Raises:
        SourceError: there is no XML file that can be read.
    """
    root = source.parent if source.name == "Annotations" else source
    finder = ImageFinder(root)
    sets = _sets(root)
    entries: list[Entry] = []
    lost: list[Loss] = []
    names: set[str] = set()
    malformed: list[Path] = []
    for file in sorted(root.rglob("*.xml")):
        labels = _read(file)
        if labels is None:
            lost.append(Loss(Kind.IMAGES, "its XML file is malformed", str(file)))
            malformed.append(file)
            continue
        image = _image(labels, finder)
        if image is None:
            lost.append(Loss(Kind.IMAGES, "it has an XML file, but there is no such image", labels.image_name))
            continue
        names.update(thing.name for thing in labels.things if isinstance(thing, Thing))
        split = sets.get(file.stem, UNSPLIT) if sets else split_of_path(file.parent, root)
        entries.append(Entry(image, split, things_of(labels.things, labels.width, labels.height)))
    if not entries:
        raise SourceError(f"{source}: no VOC label with its image is below it. Give a folder with XML files and images")
    used = {entry.image for entry in entries} | {finder.find(file.stem, []) for file in malformed}
    lost += unlabelled(path for path in finder.all() if not path.parent.name.startswith(_MASKS) and path not in used)
    return Catalogue(sorted(names, key=str.lower), entries, lost)


def _sets(root: Path) -> dict[str, str]:
    """The split of each image by its name; empty if there are no lists of them."""
    found: dict[str, str] = {}
    for name, split in (("trainval", TRAIN), ("train", TRAIN), ("test", TEST), ("val", VAL)):
        for file in sorted(root.glob(f"**/{_SETS}/{name}.txt")):
            found |= {line.split()[0]: split for line in file.read_text(encoding="utf-8").splitlines() if line.strip()}
    return found


def _read(file: Path) -> _Labels | None:
    try:
        root = ElementTree.fromstring(file.read_bytes())  # noqa: S314 (expat itself stops entity bombs)
    except (ElementTree.ParseError, ValueError, LookupError):
        return None
    width, height = (_side(root, side) for side in ("width", "height"))
    name = (root.findtext("filename") or "").strip().replace("\\", "/").rpartition("/")[2]
    return _Labels(file, name or file.stem, width, height, [_thing(element) for element in root.iterfind("object")])


def _image(labels: _Labels, finder: ImageFinder) -> Path | None:
    """By `filename`, or by the name of the XML file, which people rename more carefully."""
    folders = [labels.file.parent, labels.file.parent.parent / "JPEGImages", labels.file.parent.parent / "images"]
    hint = labels.file.parent.name
    return finder.find(labels.image_name, folders, hint) or finder.find(labels.file.stem, folders, hint)


def _thing(element: ElementTree.Element) -> Thing | Lost:
    name = (element.findtext("name") or "").strip()
    box = element.find("bndbox")
    if not name:
        return Lost("it has no name")
    if box is None:
        return Lost("it has no bndbox")
    try:
        xmin, ymin, xmax, ymax = _corners(box)
        angle = _number(box, "rotate_angle", 0.0)
    except ValueError:
        return Lost("a corner of its bndbox is missing or not a number")
    return Thing(name, (xmin, ymin, xmax + 1, ymax + 1), angle)


def _corners(box: ElementTree.Element) -> Iterator[float]:
    for tag in _CORNERS:
        yield float(box.findtext(tag, "missing"))


def _side(root: ElementTree.Element, name: str) -> int:
    try:
        return int(_number(root, f"size/{name}", 0.0))
    except (ValueError, OverflowError):
        return 0


def _number(element: ElementTree.Element, path: str, default: float) -> float:
    return float(element.findtext(path, "").strip() or default)

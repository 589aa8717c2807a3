"""DOTA data sets: a text file per image, four corners `x1 y1 ... x4 y4 class difficulty` of each rotated object."""

from pathlib import Path
from typing import Final

from workbench.imports.entry import Catalogue, Entry, Loss, Lost, SourceError, Thing, things_of
from workbench.imports.files import ImageFinder, split_of_path, unlabelled
from workbench.imports.rectangle import smallest_rectangle
from workbench.imports.tally import Kind

_FOLDERS: Final = "labelTxt*"
_COORDINATES: Final = 8
_HEADERS: Final = ("imagesource:", "gsd:", "acquisition dates:")


def read_dota(source: Path) -> Catalogue:
    """Reads a DOTA data set.

    Each object becomes the smallest rectangle around its four corners. The mark `difficulty` is passed over: the
    platform has no place for it.

    Args:
        source: a folder with `labelTxt` and `images` in it, or in a folder for each split.

    Raises:
        SourceError: there is no label with an image.
    """
    finder = ImageFinder(source)
    entries: list[Entry] = []
    lost: list[Loss] = []
    names: set[str] = set()
    for folder in sorted(path for path in source.rglob(_FOLDERS) if path.is_dir()):
        for file in sorted(folder.glob("*.txt")):
            image = finder.find(file.stem, [], _hint(folder, source))
            if image is None:
                lost.append(Loss(Kind.IMAGES, "it has labels, but there is no such image", file.stem))
                continue
            things = [_thing(line.split()) for line in _lines(file)]
            names.update(thing.name for thing in things if isinstance(thing, Thing))
            entries.append(Entry(image, split_of_path(folder, source), things_of(things)))
    if not entries:
        raise SourceError(f"{source}: no DOTA label with its image is below it. Give a folder with labelTxt and images")
    used = {entry.image for entry in entries}
    lost += unlabelled(path for path in finder.all() if path not in used)
    return Catalogue(sorted(names, key=str.lower), entries, lost)


def _hint(folder: Path, source: Path) -> str:
    """The folder that labels and images of a split have in common."""
    parts = folder.relative_to(source).parts
    return parts[0] if len(parts) > 1 else ""


def _lines(file: Path) -> list[str]:
    lines = file.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    return [line for line in lines if line.strip() and not line.lower().startswith(_HEADERS)]


def _thing(fields: list[str]) -> Thing | Lost:
    if len(fields) <= _COORDINATES:
        return Lost("its line does not have eight coordinates and a class")
    try:
        points = list(map(float, fields[:_COORDINATES]))
    except ValueError:
        return Lost("a coordinate is not a number")
    corners, angle = smallest_rectangle(points)
    return Thing(fields[_COORDINATES], corners, angle)

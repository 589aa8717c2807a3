"""The platform's index files: paths of images and of their annotations."""

import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from common.contract import EXPORT_WORDS
from common.datasets.problems import quote, refuse
from common.errors import DatasetError

AnyPath = TypeVar("AnyPath", str, Path)

LIST_FOLDER_FROM = 16
"""Number of wanted files in one folder from which listing the folder is cheaper than asking for each."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One line of a training or validation index.

    Attributes:
        image: absolute path of the image.
        annotation: absolute path of its annotation file; with COCO all lines name the same one.
    """

    image: Path
    annotation: Path


def read_training_index(path: Path) -> list[Sample]:
    """Read an image and its annotation file per line, both absolute. Names may contain blanks: only a tab separates.

    Raises:
        DatasetError: the file is missing or empty, or a line has no tab or a relative path.
    """
    lines = list(_lines(path))
    if not lines:
        raise DatasetError(
            f"{path}: no image is listed. The platform exports an empty index when `export_format` is none or unknown; "
            f"allowed are {', '.join(EXPORT_WORDS)}, each followed by `:raw`"
        )
    refuse([problem for number, line in lines for problem in _training_problems(f"{path}:{number}", line)])
    columns = (line.split("\t") for _, line in lines)
    return [Sample(Path(image), Path(annotation)) for image, annotation, *_ in columns]


def read_candidate_index(path: Path) -> list[str]:
    """Read one absolute image path per line; text behind a tab is ignored.

    Returns:
        Paths as text: a `Path` takes five times the memory, and there may be a million.

    Raises:
        DatasetError: the file is missing or empty, or a path is relative.
    """
    images: list[str] = []
    problems: list[str] = []
    for number, line in _lines(path):
        images.append(line.split("\t")[0])
        problems.extend(_path_problems(f"{path}:{number}", images[-1]))
    if not images:
        raise DatasetError(f"{path}: no image is listed; expected one absolute path per line")
    refuse(problems)
    return images


def missing_files(paths: Iterable[AnyPath]) -> list[AnyPath]:
    """Find the paths that are not existing files, in the given order.

    A folder with many wanted files is listed once, so that 200 000 paths take a second.
    """
    wanted = list(paths)
    places = [os.path.split(path) for path in wanted]
    folders: dict[str, list[str]] = defaultdict(list)
    for folder, name in places:
        folders[folder].append(name)
    absent = {(folder, name) for folder, names in folders.items() for name in _absent(folder, names)}
    return [path for path, place in zip(wanted, places, strict=True) if place in absent]


def duplicate_names(paths: Collection[AnyPath]) -> dict[str, list[AnyPath]]:
    """Find base names that occur more than once, each with its paths in the given order.

    The platform's results, and COCO files, identify an image by its base name alone.
    """
    seen: set[str] = set()
    repeated: dict[str, list[AnyPath]] = {}
    for name in map(os.path.basename, paths):
        if name in seen:
            repeated[name] = []
        seen.add(name)
    for path in paths if repeated else ():
        if os.path.basename(path) in repeated:
            repeated[os.path.basename(path)].append(path)
    return repeated


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Read number and text of each line that is not blank."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DatasetError(f"{path}: the index file is missing") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: the index file cannot be read as UTF-8 text ({error})") from None
    # str.splitlines would also split at characters that a file name may contain, such as U+2028.
    return ((number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip())


def _training_problems(place: str, line: str) -> Iterator[str]:
    columns = line.split("\t")
    if len(columns) == 1:
        yield f"{place}: {quote(line)} has no tab; expected `<absolute image path><TAB><absolute annotation path>`"
    else:
        for column in columns[:2]:
            yield from _path_problems(place, column)


def _path_problems(place: str, path: str) -> Iterator[str]:
    if not path.startswith("/"):
        yield f"{place}: {quote(path)} is not an absolute path"


def _absent(folder: str, names: Sequence[str]) -> list[str]:
    if len(names) >= LIST_FOLDER_FROM:
        try:
            with os.scandir(folder) as entries:
                present = {entry.name for entry in entries if entry.is_file()}
            return [name for name in names if name not in present]
        except OSError:  # not there, or its files may be read but not listed: ask for each
            pass
    # Path.is_file would raise where the folder may not be entered.
    return [name for name in names if not os.path.isfile(Path(folder, name))]

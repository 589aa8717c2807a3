"""Finds the images and splits of a data set by the names of files and folders."""

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path, PurePath
from typing import Final

from workbench.imports.entry import TEST, TRAIN, UNSPLIT, VAL, Loss
from workbench.imports.tally import Kind

IMAGE_SUFFIXES: Final = frozenset(
    {
        ".jpg",
        ".jpeg",
        ".png",
        ".bmp",
        ".tif",
        ".tiff",
        ".webp",
        ".gif",
        ".jp2",
        ".pfm",
        ".dng",
        ".mpo",
        ".heic",
        ".avif",
    }
)
"""Suffixes of image files. Not all of them can be imported; the others are counted as lost."""

_SPLIT_WORDS: Final = (("train", TRAIN), ("valid", VAL), ("val", VAL), ("test", TEST))


def split_of(text: str) -> str:
    """The split that a name speaks of: `instances_train2017` is `train`, `valid` is `val`; empty if it speaks of none.

    `trainval` is for training: what is left of it is up to the user.
    """
    lowered = text.lower()
    return next((split for word, split in _SPLIT_WORDS if word in lowered), UNSPLIT)


def split_of_path(path: Path, source: Path) -> str:
    """The split that the nearest folder of `path` below `source` speaks of."""
    for part in reversed(path.relative_to(source).parts):
        if split := split_of(part):
            return split
    return UNSPLIT


def is_image_name(path: PurePath) -> bool:
    """True if the name of a file is that of an image."""
    return path.suffix.lower() in IMAGE_SUFFIXES


def image_files(folder: Path) -> list[Path]:
    """All image files below a folder, by name; hidden ones, such as those of macOS, are passed over."""
    return sorted(path for path in folder.rglob("*") if is_image_name(path) and not _hidden(path, folder))


def unlabelled(files: Iterable[Path]) -> list[Loss]:
    """Losses for images without labels: they may show nothing, or may not have been looked at."""
    return [
        Loss(Kind.IMAGES, "it has no label file; if it shows nothing, add an empty one", str(file)) for file in files
    ]


class ImageFinder:
    """Finds the image files that labels speak of.

    Attributes:
        source: the folder of the data set.
    """

    def __init__(self, source: Path) -> None:
        self.source = source

    def find(self, name: str, folders: Iterable[Path], hint: str = "") -> Path | None:
        """The file called `name`, which may have folders.

        Args:
            name: a relative path, as the labels have it, or a base name without its suffix.
            folders: where to look first.
            hint: of several files of the same name, the one with this in its path is meant.

        Returns:
            None if there is no such file, or several and no hint.
        """
        relative = PurePath(name.replace("\\", "/"))
        for folder in folders:
            if (folder / relative).is_file():
                return folder / relative
        known = self._by_name.get(relative.name) or self._by_stem.get(relative.name, [])
        if len(known) > 1:
            known = [path for path in known if hint and hint in path.relative_to(self.source).parts]
        return known[0] if len(known) == 1 else None

    def all(self) -> list[Path]:
        """All image files of the data set."""
        return [path for paths in self._by_name.values() for path in paths]

    @cached_property
    def _by_name(self) -> dict[str, list[Path]]:
        return _grouped((path.name, path) for path in image_files(self.source))

    @cached_property
    def _by_stem(self) -> dict[str, list[Path]]:
        return _grouped((path.stem, path) for path in self.all())


def _grouped(pairs: Iterable[tuple[str, Path]]) -> dict[str, list[Path]]:
    groups: dict[str, list[Path]] = defaultdict(list)
    for key, path in pairs:
        groups[key].append(path)
    return dict(groups)


def _hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in path.relative_to(folder).parts)

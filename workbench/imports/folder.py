"""A plain folder of images, without labels."""

from collections.abc import Iterable
from pathlib import Path

from workbench.imports.entry import UNSPLIT, Catalogue, Entry, Lost, Probe, SourceError, Thing
from workbench.imports.files import image_files


def read_folder(source: Path) -> Catalogue:
    """All images below a folder.

    Raises:
        SourceError: there is no image.
    """
    files = image_files(source) if source.is_dir() else []
    if not files:
        raise SourceError(f"{source}: no image is below it. Give a folder of JPEG, PNG or BMP files")
    return Catalogue((), [Entry(file, UNSPLIT, _nothing) for file in files])


def _nothing(_: Probe) -> Iterable[Thing | Lost]:
    return ()

"""A plain folder of images, without labels."""

from pathlib import Path

from workbench.imports.entry import UNSPLIT, Catalogue, Entry, SourceError, things_of
from workbench.imports.files import image_files


def read_folder(source: Path) -> Catalogue:
    """All images below a folder.

    Raises:
        SourceError: there is no image.
    """
    files = image_files(source) if source.is_dir() else []
    if not files:
        raise SourceError(f"{source}: no image is below it. Give a folder of JPEG, PNG or BMP files")
    return Catalogue((), [Entry(file, UNSPLIT, things_of(())) for file in files])

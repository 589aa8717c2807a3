"""Folders of numbered files for a framework; files of an earlier run are brought up to date."""

from collections.abc import Iterable, Sequence
from pathlib import Path


def link_images(image_files: Sequence[Path], folder: Path) -> tuple[Path, list[str]]:
    """Fill a folder with a numbered link to each image.

    Args:
        image_files: one file per image, whose suffix fits its content.
        folder: created, and cleared of files with other names.

    Returns:
        The folder, and the name of each link, such as `000000.jpg`.
    """
    names = [f"{i:06d}{file.suffix}" for i, file in enumerate(image_files)]
    folder_of(names, folder)
    for name, file in zip(names, image_files, strict=True):
        _link(folder / name, file.absolute())
    return folder, names


def folder_of(names: Iterable[str], folder: Path) -> Path:
    """Create the folder, or clear it of files with other names."""
    folder.mkdir(parents=True, exist_ok=True)
    for stale in {path.name for path in folder.iterdir()}.difference(names):
        (folder / stale).unlink()
    return folder


def write_if_changed(file: Path, content: bytes) -> None:
    """Write a file unless it has that content already.

    Truncating thousands of files may wait for the disk; after a restart they are usually right as they are.
    """
    if not file.is_file() or file.read_bytes() != content:
        file.write_bytes(content)


def _link(link: Path, target: Path) -> None:
    if not link.is_symlink() or link.readlink() != target:
        link.unlink(missing_ok=True)
        link.symlink_to(target)

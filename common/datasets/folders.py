"""Folders of numbered files that a framework reads; what an earlier run wrote is brought up to date."""

from collections.abc import Iterable, Sequence
from pathlib import Path


def link_images(image_files: Sequence[Path], folder: Path) -> tuple[Path, list[str]]:
    """Make a folder with a numbered link to each image.

    Args:
        image_files: an image file each whose suffix fits its content.
        folder: is made, and cleared of files of other names.

    Returns:
        The folder, and the name of each link, such as `000000.jpg`.
    """
    names = [f"{i:06d}{file.suffix}" for i, file in enumerate(image_files)]
    folder_of(names, folder)
    for name, file in zip(names, image_files, strict=True):
        _link(folder / name, file.absolute())
    return folder, names


def folder_of(names: Iterable[str], folder: Path) -> Path:
    """Make the folder, without files of other names."""
    folder.mkdir(parents=True, exist_ok=True)
    for stale in {path.name for path in folder.iterdir()}.difference(names):
        (folder / stale).unlink()
    return folder


def write_if_changed(file: Path, content: bytes) -> None:
    """Write a file unless it holds just that.

    Truncating thousands of files can wait for the disk; a restarted task finds them as they should be.
    """
    if not file.is_file() or file.read_bytes() != content:
        file.write_bytes(content)


def _link(link: Path, target: Path) -> None:
    if not link.is_symlink() or link.readlink() != target:
        link.unlink(missing_ok=True)
        link.symlink_to(target)

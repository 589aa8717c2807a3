"""An image of a task on disk: only its path and its objects are kept in memory."""

import hashlib
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from workbench.asset import CocoMask, Shape
from workbench.sample import Angles, Boxes, Classes, no_angles, no_boxes, no_classes


@dataclass(frozen=True, eq=False, slots=True)
class StoredImage:
    """An image file and its n objects.

    Attributes:
        source: the file.
        digest: SHA-1 of its content, hexadecimal.
        extension: `jpg`, `png` or `bmp`, by its content.
        shape: height, width and channels as stored.
        boxes: `(n, 4)` int64, corners in pixels, max corner exclusive; turned back to angle 0.
        classes: `(n,)` int64, positions in the class names.
        angles: `(n,)` float64, radians, clockwise on the screen.
        masks: one per object, or nothing where only boxes are labelled.
    """

    source: Path
    digest: str
    extension: str
    shape: Shape
    boxes: Boxes
    classes: Classes
    angles: Angles
    masks: tuple[CocoMask, ...] = ()

    @property
    def asset(self) -> str:
        """`<last 2 digits>/<SHA-1>.<extension>`."""
        return f"{self.label}.{self.extension}"

    @property
    def label(self) -> str:
        """`<last 2 digits>/<SHA-1>`."""
        return f"{self.digest[-2:]}/{self.digest}"

    def write(self, file: Path) -> None:
        """Copies the file, byte by byte."""
        shutil.copyfile(self.source, file)

    def without_objects(self) -> Self:
        """Copy of the image without objects."""
        return replace(self, boxes=no_boxes(), classes=no_classes(), angles=no_angles(), masks=())


def digest_of(file: Path) -> str:
    """SHA-1 of a file's content, hexadecimal, read in parts."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.sha1(usedforsecurity=False)).hexdigest()

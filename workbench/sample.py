"""An image of a task with its objects, before it becomes files."""

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Boxes = NDArray[np.int64]
Classes = NDArray[np.int64]
Angles = NDArray[np.float64]


def no_boxes() -> Boxes:
    """The boxes of an image without objects: `(0, 4)`."""
    return np.zeros((0, 4), np.int64)


def no_classes() -> Classes:
    """The classes of an image without objects: `(0,)`."""
    return np.zeros(0, np.int64)


def no_angles() -> Angles:
    """Stands for an angle of 0 for every object: `(0,)`."""
    return np.zeros(0)


@dataclass(frozen=True, eq=False)
class Sample:
    """An image, its objects and the file that it becomes.

    Attributes:
        image: `(H, W, 3)` uint8 BGR, `(H, W, 4)` BGRA or `(H, W)` gray.
        boxes: `(n, 4)` int64, corners `x1, y1, x2, y2` in pixels; the max corner is exclusive (width = x2 - x1). Those
            of a rotated object are the corners that it has when it is turned back to angle 0 about its centre.
        classes: `(n,)` int64, positions in the task's class names.
        angles: `(n,)` float64, radians, clockwise on the screen. By default nothing is rotated.
        name: path below `/in/assets`, kept as it is; None names the file by its SHA-1, as the platform does.
        extension: how the image is encoded: `jpg`, `png` or `bmp`.
        content: the bytes of the file where they are not an encoding of `image`: a broken file, a palette, EXIF.

    Raises:
        ValueError: boxes, classes and angles do not fit each other.
    """

    image: Pixels
    boxes: Boxes = field(default_factory=no_boxes)
    classes: Classes = field(default_factory=no_classes)
    angles: Angles = field(default_factory=no_angles)
    name: str | None = None
    extension: str = "jpg"
    content: bytes | None = None

    def __post_init__(self) -> None:
        count = len(self.classes)
        if not len(self.angles):
            object.__setattr__(self, "angles", np.zeros(count))
        for name, shape in (("boxes", (count, 4)), ("angles", (count,))):
            if getattr(self, name).shape != shape:
                raise ValueError(
                    f"{name}: expected shape {shape} as there are classes, got {getattr(self, name).shape}"
                )

    @cached_property
    def encoded(self) -> bytes:
        """The bytes of the image file."""
        if self.content is not None:
            return self.content
        quality = [cv2.IMWRITE_JPEG_QUALITY, 92] if self.extension == "jpg" else []
        return cv2.imencode(f".{self.extension}", self.image, quality)[1].tobytes()

    @cached_property
    def asset(self) -> str:
        """The path of the image file below `/in/assets`: `<last 2 digits>/<SHA-1>.<extension>`, or `name`."""
        if self.name is not None:
            return self.name
        digest = hashlib.sha1(self.encoded, usedforsecurity=False).hexdigest()
        return f"{digest[-2:]}/{digest}.{self.extension}"

    @property
    def base_name(self) -> str:
        """The name of the image file without its folder: by which the results of a task name the image."""
        return self.asset.rpartition("/")[2]

    @property
    def label(self) -> str:
        """`<xx>/<SHA-1>`; a sample with a name of its own keeps all of it, so that `a.jpg` and `a.png` differ."""
        return self.asset.rpartition(".")[0] if self.name is None else self.name

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of the image."""
        height, width, *channels = self.image.shape
        return height, width, channels[0] if channels else 1

    @property
    def masks(self) -> tuple[()]:
        """A sample has boxes only; see `masked`."""
        return ()

    def write(self, file: Path) -> None:
        """Writes the image file."""
        file.write_bytes(self.encoded)

    def without_objects(self) -> Self:
        """Copy of the image without objects."""
        return replace(self, boxes=no_boxes(), classes=no_classes(), angles=no_angles())

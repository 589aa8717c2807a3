"""Interface of an image of a task, rendered or on disk."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

from workbench.sample import Angles, Boxes, Classes

Shape = tuple[int, int, int]
"""Height, width and channels of an image as it is stored."""


@dataclass(frozen=True, slots=True)
class CocoMask:
    """Mask of an object as the platform's COCO files have it.

    Attributes:
        segmentation: compressed RLE `{"counts": text, "size": [height, width]}`, one polygon of whole numbers
            `[[x1, y1, ...]]`, or `{}` for an object of which only the box is known.
        area: its pixels; 0 without a mask.
        crowd: whether it is many objects in one mask.
    """

    segmentation: dict[str, Any] | list[list[int]]
    area: int
    crowd: bool = False


NO_MASK = CocoMask({}, 0)


class Asset(Protocol):
    """An image file of a task, and what is on it."""

    @property
    def boxes(self) -> Boxes:
        """`(n, 4)` corners in pixels, max corner exclusive; turned back to angle 0."""

    @property
    def classes(self) -> Classes:
        """`(n,)` positions in the class names."""

    @property
    def angles(self) -> Angles:
        """`(n,)` radians, clockwise on the screen."""

    @property
    def masks(self) -> Sequence[CocoMask]:
        """The masks of the n objects, or nothing where none has one."""

    @property
    def asset(self) -> str:
        """The path of the image file below `/in/assets`."""

    @property
    def label(self) -> str:
        """The path of its annotation file below `/in/annotations`, without suffix."""

    @property
    def shape(self) -> Shape:
        """Height, width and channels."""

    def write(self, file: Path) -> None:
        """Makes the image file."""

    def without_objects(self) -> Self:
        """Copy of the image without objects."""

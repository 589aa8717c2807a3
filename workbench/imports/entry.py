"""A data set as a reader finds it, before it is converted for the platform."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from workbench.imports.tally import Kind

Corners = tuple[float, float, float, float]

Polygon = Sequence[float]
"""`x1, y1, x2, y2, ...` in pixels."""

Rle = Mapping[str, Any]
"""`counts`, a text or a list of run lengths, and `size`, height and width."""

TRAIN: Final = "train"
VAL: Final = "val"
TEST: Final = "test"
UNSPLIT: Final = ""
"""The split of an image of a data set that has none."""


class SourceError(Exception):
    """A data set that cannot be imported as asked; the message says what is wrong, where, and what to do."""


@dataclass(frozen=True, slots=True)
class Thing:
    """One labelled object.

    Attributes:
        name: its class, as the data set spells it.
        corners: `x1, y1, x2, y2` in pixels of the stored image, max corner exclusive; of a rotated object those that it
            has when it is turned back about its centre. None where only the mask is known.
        angle: radians, clockwise on the screen.
        mask: its polygons, or its run lengths; None where only the box is known.
        crowd: whether it is many objects in one.
    """

    name: str
    corners: Corners | None
    angle: float = 0.0
    mask: Sequence[Polygon] | Rle | None = None
    crowd: bool = False


@dataclass(frozen=True, slots=True)
class Lost:
    """An object that cannot be read, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Probe:
    """Header of an image file.

    Attributes:
        width, height: in pixels as stored, so before any turn that EXIF asks for; as the platform sees it.
        channels: values per pixel.
        extension: by the format, whatever the file is called: `jpg`, `png` or `bmp`.
        turned: whether EXIF asks for the image to be shown turned or mirrored.
    """

    width: int
    height: int
    channels: int
    extension: str
    turned: bool


Things = Callable[[Probe], Iterable[Thing | Lost]]
"""Reads the objects of an image, given the content of its file."""


class UnusableError(Exception):
    """An image that must be left out with everything on it; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One image of a data set.

    Attributes:
        image: its file.
        split: `train`, `val`, `test`, or empty in a data set without splits.
        things: reads its objects, given the header of the image file.

    `things` raises `UnusableError` where the labels do not fit the image.
    """

    image: Path
    split: str
    things: Things


class Loss(NamedTuple):
    """An image or object that is left out."""

    kind: Kind
    reason: str
    place: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A data set.

    Attributes:
        class_names: in the order of the data set; repeated names are one class.
        entries: its images.
        lost: images and objects that cannot become entries.
    """

    class_names: Sequence[str]
    entries: Sequence[Entry]
    lost: Sequence[Loss] = ()


def things_of(
    things: Iterable[Thing | Lost], width: int = 0, height: int = 0
) -> Callable[[Probe], Iterable[Thing | Lost]]:
    """Objects that are known before their image is, as `Entry` wants them; see `check_size`."""

    def fitting(probe: Probe) -> Iterable[Thing | Lost]:
        check_size(probe, width, height)
        return things

    return fitting


def check_size(probe: Probe, width: int, height: int) -> None:
    """Makes sure that labels are for the image as it is stored; sizes of 0 say nothing.

    Raises:
        UnusableError: they are for another size.
    """
    if width > 0 and height > 0 and (width, height) != (probe.width, probe.height):
        turned = ", which EXIF rotates" if probe.turned else ""
        raise UnusableError(f"its labels are for a size other than that of the stored image{turned}")

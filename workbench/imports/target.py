"""Converts objects of a data set to objects of the platform."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from common.contract import AnnotationFormat
from workbench.asset import NO_MASK, CocoMask
from workbench.imports.entry import Corners, Probe, Thing
from workbench.imports.masks import platform_mask
from workbench.imports.rectangle import extent, smallest_rectangle, upright_hull

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Target:
    """Properties of objects that the task can hold.

    Attributes:
        annotations: the format; only COCO says which objects are crowds.
        masks: whether the project labels pixels.
        rotated: whether the image finds rotated boxes.
    """

    annotations: AnnotationFormat
    masks: bool
    rotated: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One object as the platform has it.

    Attributes:
        box: corners in whole pixels, max corner exclusive; turned back to angle 0.
        class_index: position in the class names.
        angle: radians, clockwise on the screen.
        mask: `NO_MASK` where only the box is known.
        changes: properties that were lost, for people.
    """

    box: Box
    class_index: int
    angle: float
    mask: CocoMask
    changes: tuple[str, ...]


def to_row(thing: Thing, probe: Probe, target: Target, indices: Mapping[str, int]) -> Row:
    """One object as the platform has it.

    Args:
        thing: the object.
        probe: the image file that it is on.
        target: properties of objects that the task can hold.
        indices: positions of the classes by their normalised names.

    Raises:
        ValueError: the platform cannot have it; the message is the reason.
    """
    index = indices.get(normalised(thing.name))
    if index is None:
        raise ValueError(f"its class {thing.name!r} is not chosen")
    if thing.crowd and target.annotations is not AnnotationFormat.COCO:
        raise ValueError(f"it is a crowd, which {target.annotations} cannot mark")
    corners, angle, mask, changes = _geometry(thing, probe, target)
    return Row(_whole(corners, angle), index, angle, mask, tuple(changes))


def normalised(name: str) -> str:
    """A class name as the platform keeps it: lower case, without blanks around."""
    return name.strip().lower()


def _geometry(thing: Thing, probe: Probe, target: Target) -> tuple[Corners, float, CocoMask, list[str]]:
    """Corners, angle and mask, and what got lost of them."""
    if target.masks and thing.mask is not None:
        mask, tightest = platform_mask(thing.mask, (probe.height, probe.width), thing.crowd)
        return thing.corners or tightest, 0.0, mask, []
    bare = CocoMask({}, 0, thing.crowd) if thing.crowd else NO_MASK
    changes = ["it has no mask: nothing is learned from it"] if target.masks else []
    if thing.corners is None:
        corners, angle = _around(thing, probe, target)
        return corners, angle, bare, ["its outline became a box"]
    if thing.mask is not None:
        changes.append("its mask is left out: the project labels boxes")
    if thing.angle and not target.rotated:
        changes.append("its rotated box became the upright one around it")
        return upright_hull(thing.corners, thing.angle), 0.0, bare, changes
    return thing.corners, thing.angle, bare, changes


def _around(thing: Thing, probe: Probe, target: Target) -> tuple[Corners, float]:
    """The box around an object of which only the mask is known."""
    assert thing.mask is not None
    if isinstance(thing.mask, Mapping):
        return platform_mask(thing.mask, (probe.height, probe.width), thing.crowd)[1], 0.0
    points = [value for polygon in thing.mask for value in polygon]
    if len(points) < 6 or len(points) % 2:
        raise ValueError("a polygon of it has fewer than three corners")
    return smallest_rectangle(points) if target.rotated else (extent(points), 0.0)


def _whole(corners: Corners, angle: float) -> Box:
    """Whole pixels. A rotated box keeps its sides, to the nearest pixel, and its centre, to half of one."""
    if not np.isfinite([*corners, angle]).all() or max(map(abs, corners)) >= 2**30:
        raise ValueError("a coordinate of it is not a usable number")
    x1, y1, x2, y2 = corners
    if angle:
        w, h = round(x2 - x1), round(y2 - y1)
        left, top = round((x1 + x2 - w) / 2), round((y1 + y2 - h) / 2)
        box = (left, top, left + w, top + h)
    else:
        box = (round(x1), round(y1), round(x2), round(y2))
    if box[2] <= box[0] or box[3] <= box[1]:
        raise ValueError("it is less than a pixel wide or high")
    return box

"""Results of one candidate of inference or mining, as its shard stores them; masks stay compressed to the end."""

from collections.abc import Mapping
from typing import Final, Generic, TypeVar

import msgspec

from common.contract import ObjectType


class Box(msgspec.Struct, frozen=True, omit_defaults=True):
    """A box in pixels of the image: integers, as the platform's parser demands.

    Attributes:
        rotate_angle: rotation about the centre, in the unit of the data set; None for an image without rotated boxes.
    """

    x: int
    y: int
    w: int
    h: int
    rotate_angle: float | None = None


class Annotation(msgspec.Struct, frozen=True):
    """A predicted object, as the platform reads it."""

    box: Box
    class_name: str
    score: float


class MaskObject(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """An object, or all pixels of one class in an image.

    Attributes:
        class_name: name of the class.
        bbox: tightest box around the mask: x, y, width, height in pixels, width and height >= 1.
        area: pixels of the mask, >= 1.
        counts: compressed mask, see `masks.rle`.
        confidence: score in [0, 1]; None for the pixels of a class.
    """

    class_name: str
    bbox: tuple[int, int, int, int]
    area: int
    counts: str
    confidence: float | None = None


Found = TypeVar("Found", Annotation, MaskObject)


class Record(msgspec.Struct, Generic[Found], frozen=True, omit_defaults=True):
    """Results of one candidate: its objects if the task infers, its score or regions if it mines.

    Attributes:
        size: height and width of the image in pixels, as stored (EXIF orientation not applied); 0 if it was not read.
        regions: summary of its regions, see `mining.algorithm.PoolMeasure`; instead of a score.
        bad: reason why the image could not be used, or empty.
    """

    objects: tuple[Found, ...] = ()
    size: tuple[int, int] = (0, 0)
    score: float = 0.0
    regions: bytes = b""
    bad: str = ""


AnyRecord = Record[Annotation] | Record[MaskObject]

CHUNK_TYPES: Final[Mapping[ObjectType, type[list[AnyRecord]]]] = {
    ObjectType.DETECTION: list[Record[Annotation]],  # type: ignore[dict-item]
    ObjectType.SEMANTIC: list[Record[MaskObject]],  # type: ignore[dict-item]
    ObjectType.INSTANCE: list[Record[MaskObject]],  # type: ignore[dict-item]
}
"""Types that chunks are decoded as, by object type."""

"""What one candidate of an inference or mining task got, as its shard keeps it; masks stay compressed to the end."""

from collections.abc import Mapping
from typing import Final, Generic, TypeVar

import msgspec

from common.contract import ObjectType


class Box(msgspec.Struct, frozen=True, omit_defaults=True):
    """A box in pixels of the image: integers, as the platform's parser demands.

    Attributes:
        rotate_angle: turn about the centre, in the unit of the data set; None for an image without rotated boxes.
    """

    x: int
    y: int
    w: int
    h: int
    rotate_angle: float | None = None


class Annotation(msgspec.Struct, frozen=True):
    """One predicted object, as the platform reads it."""

    box: Box
    class_name: str
    score: float


class MaskObject(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One object, or all that an image shows of one class.

    Attributes:
        class_name: its class.
        bbox: x, y, width, height in pixels: the tightest around the mask, width and height >= 1.
        area: pixels of the mask, >= 1.
        counts: the compressed mask, see `masks.rle`.
        confidence: in [0, 1]; None where classes are told apart and not objects.
    """

    class_name: str
    bbox: tuple[int, int, int, int]
    area: int
    counts: str
    confidence: float | None = None


Found = TypeVar("Found", Annotation, MaskObject)


class Record(msgspec.Struct, Generic[Found], frozen=True, omit_defaults=True):
    """What one candidate got: its objects if inference was asked for, its score if mining was.

    Attributes:
        size: height and width of the image in pixels, as stored (EXIF orientation not applied); 0 if it was not read.
        regions: what mining knows of its regions, see `mining.algorithm.PoolMeasure`; instead of a score.
        bad: why the image could not be used, or empty.
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
"""What a chunk of a task is decoded as, by what the project labels."""

"""What one candidate got in a segmentation task, as its shard keeps it; masks stay compressed up to the result file.

The counterparts of `Annotation` and `Record` of `common.shards`.
"""

import msgspec


class MaskObject(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One object, or all that an image shows of one class.

    Attributes:
        category: class index, the position in the task's class names.
        bbox: x, y, width, height in pixels: the tightest around the mask, width and height >= 1.
        area: pixels of the mask, >= 1.
        counts: the compressed mask, see `masks.rle`.
        confidence: in [0, 1]; None where classes are told apart and not objects.
    """

    category: int
    bbox: tuple[int, int, int, int]
    area: int
    counts: str
    confidence: float | None = None


class MaskRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one candidate got: its objects if inference was asked for, its score if mining was.

    Attributes:
        height, width: of the image in pixels, as stored (EXIF orientation not applied); 0 where it cannot be read.
        bad: why the image could not be used, or empty.
    """

    height: int = 0
    width: int = 0
    objects: tuple[MaskObject, ...] = ()
    score: float = 0.0
    bad: str = ""

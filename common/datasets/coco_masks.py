"""Masks of COCO annotations as the platform writes them: compressed RLE, one polygon, or only a box."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from common.arrays import Ints
from common.datasets.coco import CocoAnnotation, CocoDocument, CocoImage, read_documents
from common.datasets.index import Sample
from common.datasets.objects import UNKNOWN_QUALITY, UNROTATED, Objects
from common.datasets.problems import quote
from common.masks import rle

FARTHEST = 2.0**16
"""Limit of a polygon's coordinates, far outside of any image: filling takes memory in proportion to them."""

ALLOWED = (
    'allowed are compressed RLE {"counts": text, "size": [height, width]}, one polygon [[x1, y1, x2, y2, x3, y3, ...]] '
    "and {} for a box without a mask"
)

NO_MASK = b""


class MaskImage(CocoImage, gc=False):
    """Entry of `images`, as far as it is read."""

    width: int = 0
    height: int = 0


class MaskAnnotation(CocoAnnotation):
    """Entry of `annotations`, as far as it is read; masks stay text, so that one mistake does not hide others."""

    id: int = 0
    segmentation: msgspec.Raw = msgspec.Raw(b"{}")


class MaskDocument(CocoDocument):
    """The file, as far as it is read."""

    images: Sequence[MaskImage]
    annotations: Sequence[MaskAnnotation]


class _Rle(msgspec.Struct):
    counts: str | None = None
    size: tuple[int, int] | None = None


_SEGMENTATION = msgspec.json.Decoder(_Rle | list[list[float]] | None)


class MaskObjects(Objects):
    """Objects of some annotation files, with their masks.

    Attributes:
        masks: compressed mask per object; empty if it does not have one.
        crowds: whether an object is a crowd: many objects of a class in one mask.
    """

    def __init__(self, class_count: int) -> None:
        super().__init__(class_count)
        self.masks: list[bytes] = []
        self.crowds: list[bool] = []


@dataclass(frozen=True, slots=True)
class _Found:
    """An annotation whose mask has not been validated yet; `counts` is empty if it does not have one."""

    place: str
    image: int
    annotation: MaskAnnotation
    counts: bytes
    size: rle.Size


def read_coco_masks(samples: Sequence[Sample], objects: MaskObjects) -> Ints:
    """Add the objects of all images, crowds too. Masks without a pixel and empty boxes without a mask are skipped.

    The box of an object with a mask is the tightest one around the mask; `bbox` of the file is ignored.

    Args:
        samples: lines of the index; usually they all name one file.
        objects: receives the objects, and malformed entries as problems.

    Returns:
        `(images, 2)` width and height of the images according to the files.
    """
    sizes = np.zeros((len(samples), 2), np.int64)
    for document, image_of in read_documents(samples, MaskDocument, objects.problems):
        for entry in document.images:
            if entry.id in image_of:
                image = image_of[entry.id]
                sizes[image] = entry.width, entry.height
                if min(entry.width, entry.height) < 1:
                    text = f"width {entry.width}, height {entry.height}; allowed are integers >= 1"
                    objects.problems.append((image, f": image {quote(entry.file_name)}: {text}"))
        found = list(_found(document, image_of, sizes, objects))
        _add_masks([item for item in found if item.counts], objects)
        _add_boxes([item for item in found if not item.counts], objects)
    return sizes


def _found(document: MaskDocument, image_of: Mapping[int, int], sizes: Ints, objects: MaskObjects) -> Iterator[_Found]:
    for position, annotation in enumerate(document.annotations):
        image = image_of.get(annotation.image_id)
        if image is not None and sizes[image].all():
            place = f": annotations[{position}] (id {annotation.id})"
            width, height = sizes[image].tolist()
            try:
                yield _Found(place, image, annotation, _counts(annotation, (height, width)), (height, width))
            except ValueError as error:
                objects.problems.append((image, f"{place}: {error}"))


def _counts(annotation: MaskAnnotation, size: rle.Size) -> bytes:
    """Return the compressed mask of the file or of its polygon; `NO_MASK` if there is neither."""
    text = bytes(annotation.segmentation)
    try:
        match _SEGMENTATION.decode(text):
            case _Rle(None, None) | None | []:
                return NO_MASK
            case _Rle(str(counts), (height, width)) if counts:
                if (height, width) != size:
                    raise ValueError(
                        f"RLE size {[height, width]}; allowed is {list(size)}, the image's height and width"
                    )
                return counts.encode("ascii", "replace")
            case [points]:
                return _polygon(points, size)
    except msgspec.DecodeError as error:
        raise ValueError(f"segmentation {quote(text.decode(errors='replace'))}: {error}; {ALLOWED}") from None
    raise ValueError(f"segmentation {quote(text.decode(errors='replace'))}; {ALLOWED}")


def _polygon(points: Sequence[float], size: rle.Size) -> bytes:
    if len(points) < 6 or len(points) % 2:
        raise ValueError(f"a polygon of {len(points)} numbers; allowed are pairs x, y, at least three of them")
    if max(map(abs, points)) > FARTHEST:
        raise ValueError(f"a polygon with {max(points, key=abs):g}; allowed are numbers up to {FARTHEST:g}")
    return rle.encode_polygon(points, size)


def _add_masks(found: Sequence[_Found], objects: MaskObjects) -> None:
    sound = rle.valid([item.counts for item in found], [item.size[0] * item.size[1] for item in found])
    for item in (item for item, is_sound in zip(found, sound, strict=True) if not is_sound):
        height, width = item.size
        text = f"RLE counts {quote(item.counts.decode())} is not a mask of {height} x {width} pixels"
        objects.problems.append((item.image, f"{item.place}: {text}; allowed is what pycocotools encodes"))
    found = [item for item, is_sound in zip(found, sound, strict=True) if is_sound]
    corners = rle.boxes([item.counts for item in found], [item.size for item in found])
    for item, box in zip(found, corners.tolist(), strict=True):
        if box[2] > box[0]:
            _add(item, box, objects)


def _add_boxes(found: Sequence[_Found], objects: MaskObjects) -> None:
    for item in found:
        bbox = item.annotation.bbox
        if len(bbox) != 4 or min(bbox[2:]) < 0:
            text = f"no mask, and bbox {bbox}; expected four numbers x, y, width >= 0, height >= 0"
            objects.problems.append((item.image, f"{item.place}: {text}"))
        elif bbox[2] and bbox[3]:
            _add(item, [bbox[0], bbox[1], bbox[0] + bbox[2], bbox[1] + bbox[3]], objects)


def _add(item: _Found, corners: Sequence[float], objects: MaskObjects) -> None:
    try:
        objects.add(item.image, (item.annotation.category_id, *corners, UNKNOWN_QUALITY, UNROTATED))
    except ValueError as error:
        objects.problems.append((item.image, f"{item.place}: {error}"))
    else:
        objects.masks.append(item.counts)
        objects.crowds.append(bool(item.annotation.iscrowd))

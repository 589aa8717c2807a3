"""A labelled data set with a mask per object; masks stay compressed until their image is used."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.arrays import Bools, Floats, Ints
from common.contract import AnnotationFormat
from common.datasets.coco_masks import MaskObjects, read_coco_masks
from common.datasets.dataset import Dataset, dataset_of
from common.datasets.index import Sample
from common.datasets.problems import refuse
from common.errors import DatasetError
from common.masks import rle

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class MaskDataset:
    """Images and their annotated objects; the n objects are in the order of the images, and of the file within one.

    Attributes:
        plain: the same without masks. Boxes are the tightest around the masks.
        sizes: `(images, 2)` int64 width and height of the images, and of their masks, in pixels.
        masks: n compressed masks, see `masks.rle`; empty for an object that only has a box.
        crowds: `(n,)` bool, whether a mask is a crowd: many objects of a class in one mask.

    Raises:
        ValueError: a length does not fit.
    """

    plain: Dataset
    sizes: Ints
    masks: tuple[bytes, ...]
    crowds: Bools

    def __post_init__(self) -> None:
        n = len(self.plain.classes)
        if len(self.masks) != n or self.crowds.shape != (n,):
            raise ValueError(f"masks, crowds: expected {n} of each, got {len(self.masks)} and {self.crowds.shape}")
        if self.sizes.shape != (len(self.plain.images), 2):
            raise ValueError(f"sizes: expected shape {(len(self.plain.images), 2)}, got {self.sizes.shape}")

    @property
    def images(self) -> tuple[Path, ...]:
        """Paths of the images."""
        return self.plain.images

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names by class index."""
        return self.plain.class_names

    @property
    def classes(self) -> Ints:
        """Class index of each object, `(n,)` int64."""
        return self.plain.classes

    @property
    def boxes(self) -> Floats:
        """Corners `x1, y1, x2, y2` of each object, `(n, 4)` float32, see `Dataset`."""
        return self.plain.boxes

    def of_image(self, i: int) -> slice:
        """Rows of the objects of image `i`."""
        return self.plain.of_image(i)

    @property
    def masked(self) -> Bools:
        """Flag per object, `(n,)`: it has a mask."""
        return np.array([bool(counts) for counts in self.masks], np.bool_)

    def size(self, i: int) -> rle.Size:
        """Height and width of image `i`, and of its masks."""
        width, height = self.sizes[i].tolist()
        return height, width

    def decoded(self, i: int) -> Iterator[tuple[int, Bools]]:
        """Decode the masks of image `i` one at a time: row and mask `(height, width)` of each object that has one."""
        for row in range(*self.of_image(i).indices(len(self.masks))):
            if self.masks[row]:
                yield row, rle.decode(self.masks[row], self.size(i))

    def subset(self, keep: Sequence[int]) -> "MaskDataset":
        """Select the images at these positions, in this order, with their objects."""
        parts = [np.arange(len(self.masks))[self.of_image(i)] for i in keep]
        rows = np.concatenate([np.arange(0), *parts])
        return self._select(self.plain.subset(keep), self.sizes[np.asarray(keep, np.int64)], rows)

    def where(self, mask: Bools) -> "MaskDataset":
        """Select the objects for which `mask`, `(n,)`, is true; all images stay."""
        return self._select(self.plain.where(mask), self.sizes, np.flatnonzero(mask))

    def single_objects(self) -> "MaskDataset":
        """Select objects with a mask of their own: no crowds, no mere boxes."""
        return self.where(self.masked & ~self.crowds)

    def _select(self, plain: Dataset, sizes: Ints, rows: Ints) -> "MaskDataset":
        return MaskDataset(plain, sizes, tuple(self.masks[row] for row in rows.tolist()), self.crowds[rows])


def read_mask_dataset(
    samples: Sequence[Sample], annotation_format: AnnotationFormat, class_names: Sequence[str]
) -> MaskDataset:
    """Read the annotation files of images, with a mask per object. The images themselves are not touched.

    Args:
        samples: the lines of an index file. With COCO they all name one file for the images of all indexes. Its
            `categories` are ignored: `category_id` is the class index.
        annotation_format: format of the annotation files; only COCO has masks.
        class_names: names by class index.

    Raises:
        DatasetError: the format has no masks, a file is missing, or no object has a mask; all mistakes of the
            annotations in one error.
    """
    if annotation_format is not AnnotationFormat.COCO:
        raise DatasetError(f"export_format {annotation_format}: exports no masks; allowed is seg-coco:raw")
    objects = MaskObjects(len(class_names))
    sizes = read_coco_masks(samples, objects)
    refuse([f"{samples[image].annotation}{text}" for image, text in objects.problems])
    _report_boxes(samples[0].annotation, objects.masks)
    order = objects.order()
    masks = tuple(objects.masks[row] for row in order.tolist())
    return MaskDataset(
        dataset_of(samples, objects, class_names), sizes, masks, np.array(objects.crowds, np.bool_)[order]
    )


def check_sizes(dataset: MaskDataset, sizes: Ints) -> None:
    """Make sure that the images have the sizes that the annotations state.

    Args:
        sizes: `(images, 2)` width and height of the images as they were decoded.

    Raises:
        DatasetError: an image has another size, so that its masks do not fit it.
    """
    images = np.flatnonzero((dataset.sizes != sizes).any(axis=1)).tolist()
    refuse(
        [
            f"{dataset.images[i]}: {sizes[i, 0]} x {sizes[i, 1]} pixels, but its annotations say width "
            f"{dataset.sizes[i, 0]} and height {dataset.sizes[i, 1]}; allowed is the size of the stored image"
            for i in images
        ]
    )


def _report_boxes(file: Path, masks: Sequence[bytes]) -> None:
    boxes = sum(not counts for counts in masks)
    if boxes and boxes == len(masks):
        raise DatasetError(f"{file}: none of the {boxes} objects has a mask; expected RLE or a polygon in segmentation")
    if boxes:
        log.warning(
            "%s: %d of %d objects are boxes without a mask; nothing is learned from them", file, boxes, len(masks)
        )

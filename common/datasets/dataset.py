"""A labelled data set as columns, from which the files of every framework are written."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.arrays import Bools, Floats, Ints
from common.contract import AnnotationFormat
from common.datasets.annotations import read_annotations
from common.datasets.index import Sample
from common.datasets.objects import Objects


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Images and their annotated objects; the n objects are in the order of the images.

    Attributes:
        images: absolute paths.
        class_names: names by class index.
        image_index: `(n,)` int64, ascending: position of the image that each object belongs to.
        classes: `(n,)` int64, class indices.
        boxes: `(n, 4)` float32, corners `x1, y1, x2, y2` in pixels of the image as stored (EXIF orientation not
            applied); the max corner is exclusive (width = x2 - x1); not clipped to the image.
        angles: `(n,)` float32, rotation as in the file, 0 if the file has none.
        quality: `(n,)` float32, quality of the annotation, -1 if unknown.

    Raises:
        ValueError: a shape does not fit, or the objects are not in the order of the images.
    """

    images: tuple[Path, ...]
    class_names: tuple[str, ...]
    image_index: Ints
    classes: Ints
    boxes: Floats
    angles: Floats
    quality: Floats

    def __post_init__(self) -> None:
        n = len(self.image_index)
        for name, shape in (("classes", (n,)), ("boxes", (n, 4)), ("angles", (n,)), ("quality", (n,))):
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name}: expected shape {shape}, got {getattr(self, name).shape}")
        if (np.diff(self.image_index) < 0).any():
            raise ValueError("image_index: expected ascending numbers")

    def of_image(self, i: int) -> slice:
        """Rows of the objects of image `i`."""
        start, stop = np.searchsorted(self.image_index, (i, i + 1))
        return slice(int(start), int(stop))

    def subset(self, keep: Sequence[int]) -> "Dataset":
        """Select the images at these positions, in this order, with their objects."""
        starts = np.searchsorted(self.image_index, np.asarray(keep, np.int64), side="left")
        stops = np.searchsorted(self.image_index, np.asarray(keep, np.int64), side="right")
        rows = np.concatenate([np.arange(0), *map(np.arange, starts, stops)])
        images = tuple(self.images[i] for i in keep)
        return self._select(images, np.repeat(np.arange(len(keep)), stops - starts), rows)

    def where(self, mask: Bools) -> "Dataset":
        """Select the objects for which `mask`, `(n,)`, is true; all images stay."""
        return self._select(self.images, self.image_index[mask], np.flatnonzero(mask))

    def _select(self, images: tuple[Path, ...], image_index: Ints, rows: Ints) -> "Dataset":
        columns = (self.classes[rows], self.boxes[rows], self.angles[rows], self.quality[rows])
        return Dataset(images, self.class_names, image_index, *columns)


def read_dataset(samples: Sequence[Sample], annotation_format: AnnotationFormat, class_names: Sequence[str]) -> Dataset:
    """Read the annotation files of images. The images themselves are not touched.

    Args:
        samples: the lines of an index file.
        annotation_format: format of the annotation files.
        class_names: names by class index.

    Raises:
        DatasetError: a file is missing or malformed; all mistakes in one error.
    """
    return dataset_of(samples, read_annotations(samples, annotation_format, class_names), class_names)


def dataset_of(samples: Sequence[Sample], objects: Objects, class_names: Sequence[str]) -> Dataset:
    """Make the columns of objects that were read, in `Objects.order`.

    Args:
        samples: the lines of the index.
        objects: objects of all its images.
        class_names: names by class index.
    """
    order = objects.order()
    rows = objects.rows()[order]
    return Dataset(
        images=tuple(sample.image for sample in samples),
        class_names=tuple(class_names),
        image_index=objects.images()[order],
        classes=rows[:, 0].astype(np.int64),
        boxes=rows[:, 1:5].astype(np.float32),
        angles=rows[:, 6].astype(np.float32),
        quality=rows[:, 5].astype(np.float32),
    )

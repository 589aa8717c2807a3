"""A data set as mmsegmentation reads it: a map of classes for each image, as an 8 bit PNG.

What an image shows of no object is its blank area. Normally it is background: a class of its own, after all others, so
that the classes keep their indices (the predecessor put it first and moved them). With `ignore_black_area` it is
unknown: neither the loss nor a metric counts it, and a model that learned this way gives a class to every pixel.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from common.datasets.folders import folder_of, link_images, write_if_changed
from common.datasets.mask_dataset import MaskDataset
from common.errors import DatasetError
from common.files import write_text
from common.images.stream import work_ahead
from common.masks.label_map import IGNORED

BACKGROUND = "ymir_background"
"""Name of the class of the blank area; the predecessor's, so that no label of a user is called so."""

SUFFIX = ".png"
"""Is appended to the name of an image, suffix and all: what `seg_map_suffix` is where `img_suffix` is empty."""


def label_map_classes(class_names: Sequence[str], *, ignore_black_area: bool) -> tuple[str, ...]:
    """Names of all classes that a model learns; the position is the value in a label map.

    Raises:
        DatasetError: more classes than there are values: mmsegmentation reads 8 bits.
    """
    names = (*class_names, *(() if ignore_black_area else (BACKGROUND,)))
    if len(names) > IGNORED:
        raise DatasetError(
            f"class_names: {len(class_names)} classes make a label map of {len(names)} values; allowed are at most "
            f"{IGNORED}, the background among them"
        )
    return names


def label_map(dataset: MaskDataset, i: int, *, ignore_black_area: bool) -> NDArray[np.uint8]:
    """The classes of all pixels of image `i`, `(height, width)`.

    Where objects overlap, the one that comes later in the annotation file lies on top, as in the predecessor; crowds
    lie below all others. A box without mask says that something is there, but not where: its pixels are ignored, unless
    a mask covers them.
    """
    height, width = dataset.size(i)
    rows = np.arange(len(dataset.masks))[dataset.of_image(i)]
    labels = np.full((height, width), IGNORED if ignore_black_area else len(dataset.class_names), np.uint8)
    for row in rows[~dataset.masked[rows]].tolist():
        x1, y1, x2, y2 = np.clip(np.rint(dataset.boxes[row]), 0, [width, height, width, height]).astype(int).tolist()
        labels[y1:y2, x1:x2] = IGNORED
    for crowds in (True, False):
        for row, mask in dataset.decoded(i):
            if dataset.crowds[row] == crowds:
                labels[mask] = dataset.classes[row]
    return labels


def write_label_maps(
    dataset: MaskDataset, image_files: Sequence[Path], folder: Path, split: str, *, ignore_black_area: bool
) -> Path:
    """Write one split of a data set; what an earlier run wrote is brought up to date.

    Args:
        dataset: the images and masks.
        image_files: an image file each whose suffix fits its content; it is linked, not copied.
        folder: root of the data set; holds `images/<split>`, `labels/<split>` and `<split>.txt` afterwards.
        split: for example `train`.
        ignore_black_area: what a pixel of no object is, see above.

    Returns:
        `<split>.txt`, what mmsegmentation takes as `ann_file`: the names of the images.

    Raises:
        DatasetError: more classes than there are values.
    """
    label_map_classes(dataset.class_names, ignore_black_area=ignore_black_area)
    _, names = link_images(image_files, folder / "images" / split)
    labels = folder_of([name + SUFFIX for name in names], folder / "labels" / split)
    encode = partial(_encode, dataset, ignore_black_area)
    for name, content in zip(names, work_ahead(range(len(names)), encode), strict=True):
        write_if_changed(labels / (name + SUFFIX), content)
    listed = folder / f"{split}.txt"
    write_text(listed, "".join(f"{name}\n" for name in names), durable=False)
    return listed


def _encode(dataset: MaskDataset, ignore_black_area: bool, i: int) -> bytes:
    labels = label_map(dataset, i, ignore_black_area=ignore_black_area)
    content: bytes = cv2.imencode(SUFFIX, labels, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()
    return content

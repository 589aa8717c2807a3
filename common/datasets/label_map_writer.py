"""Write a data set for mmsegmentation: a map of classes per image, as an 8 bit PNG.

Pixels that belong to no object are the blank area of an image. Normally this is background: a class of its own, after
all others, so that the classes keep their indices (the predecessor put it first and moved them). With
`ignore_black_area` it is unknown: neither losses nor metrics count it, and the model assigns a class to every pixel.
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
"""Name of the class of the blank area, from the predecessor: no label of a user has this name."""

SUFFIX = ".png"
"""Suffix after the full name of the image, as `seg_map_suffix` if `img_suffix` is empty."""


def label_map_classes(class_names: Sequence[str], *, ignore_black_area: bool) -> tuple[str, ...]:
    """List the names of all classes that a model learns, by their value in a label map.

    Raises:
        DatasetError: more classes than values: mmsegmentation reads 8 bits.
    """
    names = (*class_names, *(() if ignore_black_area else (BACKGROUND,)))
    if len(names) > IGNORED:
        raise DatasetError(
            f"class_names: {len(class_names)} classes make a label map of {len(names)} values; allowed are at most "
            f"{IGNORED}, the background among them"
        )
    return names


def label_map(dataset: MaskDataset, i: int, *, ignore_black_area: bool) -> NDArray[np.uint8]:
    """Draw the classes of all pixels of image `i`, `(height, width)`.

    Of overlapping objects, the later one in the annotation file is on top, as in the predecessor; crowds are below all
    others. A box without a mask says that something is there, but not where: its pixels are ignored, unless a mask
    covers them.
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
    """Write one split of a data set; files of an earlier run are brought up to date.

    Args:
        dataset: the images and masks.
        image_files: one file per image, whose suffix fits its content; it is linked, not copied.
        folder: root of the data set; holds `images/<split>`, `labels/<split>` and `<split>.txt` afterwards.
        split: for example `train`.
        ignore_black_area: whether the blank area is ignored, see above.

    Returns:
        `<split>.txt` with the names of the images, which mmsegmentation takes as `ann_file`.

    Raises:
        DatasetError: more classes than values.
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

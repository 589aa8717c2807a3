"""Write a data set with masks for ultralytics: one line per object, with its class and one polygon.

The format allows a single ring per object. An object of several parts, or with holes, stays one object: all its rings
are joined, see `masks.outline`, which describes the cost; the tests measure it.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from common.datasets.mask_dataset import MaskDataset
from common.datasets.yolo_writer import write_labels
from common.images.stream import work_ahead
from common.masks.outline import outline


def write_yolo_masks(dataset: MaskDataset, image_files: Sequence[Path], folder: Path, split: str) -> Path:
    """Write one split of a data set; files of an earlier run are brought up to date.

    Crowds and objects without a mask are left out: the format cannot mark a part of an image as ignored.

    Args:
        dataset: the images and masks.
        image_files, folder, split: see `yolo_writer.write_yolo`.

    Returns:
        The folder of the images.
    """
    texts = work_ahead(range(len(image_files)), partial(_label_text, dataset.single_objects()))
    return write_labels(texts, image_files, folder, split)


def _label_text(dataset: MaskDataset, i: int) -> str:
    """Format the lines `class x1 y1 x2 y2 ...` of one image, in units of its width and height."""
    return "".join(
        f"{dataset.classes[row]} "
        + " ".join(f"{number:.9f}" for number in (outline(mask) / dataset.sizes[i]).reshape(-1).tolist())
        + "\n"
        for row, mask in dataset.decoded(i)
    )

"""A data set with masks as ultralytics reads it: a line an object, its class and one polygon.

The format knows a single ring an object. An object of several parts, or with holes, stays one object: all its rings are
joined, see `masks.outline`. What this costs is told there, and measured in the tests.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from common.datasets.mask_dataset import MaskDataset
from common.datasets.yolo_writer import write_labels
from common.images.stream import work_ahead
from common.masks.outline import outline


def write_yolo_masks(dataset: MaskDataset, image_files: Sequence[Path], folder: Path, split: str) -> Path:
    """Write one split of a data set; what an earlier run wrote is brought up to date.

    Crowds and objects without a mask are left out: the format cannot say that part of an image does not count.

    Args:
        dataset: the images and masks.
        image_files, folder, split: see `yolo_writer.write_yolo`.

    Returns:
        The folder of the images.
    """
    texts = work_ahead(range(len(image_files)), partial(_label_text, dataset.single_objects()))
    return write_labels(texts, image_files, folder, split)


def _label_text(dataset: MaskDataset, i: int) -> str:
    """Lines of `class x1 y1 x2 y2 ...` of one image, in units of its width and height."""
    return "".join(
        f"{dataset.classes[row]} "
        + " ".join(f"{number:.9f}" for number in (outline(mask) / dataset.sizes[i]).reshape(-1).tolist())
        + "\n"
        for row, mask in dataset.decoded(i)
    )

"""The training and validation set of a task, with what every framework's format needs to know of the images."""

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from common.contract import AnnotationFormat
from common.datasets.dataset import Dataset, read_dataset
from common.datasets.mask_dataset import MaskDataset, check_sizes, read_mask_dataset
from common.env import Task
from common.errors import ImageError
from common.images.stream import work_ahead
from common.images.verify import verify
from common.inference import check_bad_images
from common.progress import Progress, part

log = logging.getLogger(__name__)


Data = TypeVar("Data", Dataset, MaskDataset)


@dataclass(frozen=True, slots=True, eq=False)
class Split(Generic[Data]):
    """One half of a data set, decodable images only.

    Attributes:
        dataset: images and objects, with their masks or without.
        sizes: `(images, 2)` width and height in pixels.
        files: for each image a file that a framework reads as the platform sees it, with the suffix of its true format.
    """

    dataset: Data
    sizes: NDArray[np.int64]
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class _Checked:
    """What is known of one image; `bad` says why it cannot be used."""

    width: int = 0
    height: int = 0
    file: Path = Path()
    bad: str = ""


def read_splits(task: Task, folder: Path, max_bad_images: float, progress: Progress) -> dict[str, Split[Dataset]]:
    """Read both index files, and decode every image once.

    A broken image is left out now, rather than stopping the 40th epoch.

    Args:
        task: names the index files and the format of the annotations.
        folder: scratch; receives links to, or copies of, images that a framework would misread.
        max_bad_images: largest tolerated share of images that cannot be decoded, in [0, 1].
        progress: called with the share that is done.

    Returns:
        `train` and `val`.

    Raises:
        DatasetError: an annotation is malformed.
        ImageError: too many images cannot be decoded.
    """
    return _read_splits(read_dataset, task, folder, max_bad_images, progress)


def read_mask_splits(
    task: Task, folder: Path, max_bad_images: float, progress: Progress
) -> dict[str, Split[MaskDataset]]:
    """The same with the masks of all objects.

    Raises:
        DatasetError: also if no object has a mask, or an image is not as large as its annotations say.
    """
    splits = _read_splits(read_mask_dataset, task, folder, max_bad_images, progress)
    for split in splits.values():
        check_sizes(split.dataset, split.sizes)
    return splits


def _read_splits(
    read: Callable[[Path, AnnotationFormat, Sequence[str]], Data],
    task: Task,
    folder: Path,
    max_bad_images: float,
    progress: Progress,
) -> dict[str, Split[Data]]:
    indexes = {"train": task.env.input.training_index_file, "val": task.env.input.val_index_file}
    splits = {}
    for i, (name, index) in enumerate(indexes.items()):
        assert index is not None
        dataset = read(index, task.annotation_format, task.class_names)
        share = part(progress, i / len(indexes), (i + 1) / len(indexes))
        splits[name] = _checked_split(dataset, name, folder / name, max_bad_images, share)
    return splits


def _checked_split(dataset: Data, name: str, folder: Path, max_bad_images: float, progress: Progress) -> Split[Data]:
    checked = _check_all(dataset.images, folder, progress)
    bad = [item.bad for item in checked if item.bad]
    for reason in bad:
        log.warning("left out of %s: %s", name, reason)
    check_bad_images(bad, max_bad_images, len(checked))
    good = [i for i, item in enumerate(checked) if not item.bad]
    sizes = np.array([(checked[i].width, checked[i].height) for i in good], np.int64).reshape(-1, 2)
    log.info("%s: %d images, %d objects", name, len(good), len(dataset.classes))
    if not len(dataset.classes):
        consequence = "nothing can be learned" if name == "train" else "its metric will be 0"
        log.warning("%s: no object at all; %s", name, consequence)
    return Split(dataset.subset(good), sizes, tuple(checked[i].file for i in good))


def _check_all(images: Sequence[Path], folder: Path, progress: Progress) -> list[_Checked]:
    folder.mkdir(parents=True, exist_ok=True)
    workers = len(os.sched_getaffinity(0))
    checked = []
    for item in work_ahead(enumerate(images), partial(_check, folder), workers, depth=4 * workers):
        checked.append(item)
        progress(len(checked) / len(images))
    return checked


def _check(folder: Path, numbered: tuple[int, Path]) -> _Checked:
    number, path = numbered
    try:
        image = verify(path)
    except ImageError as error:
        return _Checked(bad=str(error))
    return _Checked(image.width, image.height, image.as_file(folder / f"{number:06d}"))

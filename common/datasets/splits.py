"""The training and validation set of a task: annotations first, then every image, then a file for the ranks."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np

from common.arrays import Ints
from common.contract import ObjectType
from common.datasets.dataset import Dataset, read_dataset
from common.datasets.index import Sample
from common.datasets.mask_dataset import MaskDataset, check_sizes, read_mask_dataset
from common.errors import ImageError
from common.images.stream import work_ahead
from common.images.verify import check_bad_images, verify
from common.progress import Progress, part
from common.task.env import Task

log = logging.getLogger(__name__)

Labelled = Dataset | MaskDataset
"""Images and their objects; with masks if the project labels masks."""

Data = TypeVar("Data", bound=Labelled, covariant=True)


@dataclass(frozen=True, slots=True, eq=False)
class Split(Generic[Data]):
    """The training or validation set, decodable images only.

    Attributes:
        dataset: images and objects, with or without masks.
        sizes: `(images, 2)` width and height in pixels.
        files: one file per image that a framework reads as the platform sees it, with the suffix of its true format.
    """

    dataset: Data
    sizes: Ints
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class _CheckedImage:
    """Result of checking one image; `bad` is the reason why it cannot be used."""

    width: int = 0
    height: int = 0
    file: Path = Path()
    bad: str = ""


def read_labelled(task: Task, samples: Sequence[Sample]) -> Labelled:
    """Read the annotations of the images of an index. The images themselves are not touched.

    Raises:
        DatasetError: an annotation is missing or malformed, or no object has a mask although the project labels masks;
            all mistakes of the annotations in one error.
    """
    read = read_dataset if task.object_type is ObjectType.DETECTION else read_mask_dataset
    return read(samples, task.annotation_format, task.class_names)


def check_images(
    labelled: Mapping[str, Labelled], folder: Path, max_bad_images: float, progress: Progress
) -> dict[str, Split[Labelled]]:
    """Decode every image once. A broken one is left out now, instead of stopping the 40th epoch.

    Args:
        labelled: `train` and `val`.
        folder: scratch folder; receives links to, or copies of, images that a framework would misread.
        max_bad_images: largest tolerated share of images that cannot be decoded, in [0, 1].
        progress: receives the finished share.

    Raises:
        DatasetError: an image does not have the size of the masks in its annotations.
        ImageError: too many images cannot be decoded.
    """
    splits = {}
    for i, (name, dataset) in enumerate(labelled.items()):
        share = part(progress, i / len(labelled), (i + 1) / len(labelled))
        split = splits[name] = _checked_split(dataset, name, folder / name, max_bad_images, share)
        if isinstance(split.dataset, MaskDataset):
            check_sizes(split.dataset, split.sizes)
    return splits


def _checked_split(
    dataset: Labelled, name: str, folder: Path, max_bad_images: float, progress: Progress
) -> Split[Labelled]:
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


def _check_all(images: Sequence[Path], folder: Path, progress: Progress) -> list[_CheckedImage]:
    folder.mkdir(parents=True, exist_ok=True)
    checked = []
    for item in work_ahead(enumerate(images), partial(_check, folder)):
        checked.append(item)
        progress(len(checked) / len(images))
    return checked


def _check(folder: Path, numbered: tuple[int, Path]) -> _CheckedImage:
    number, path = numbered
    try:
        image = verify(path)
    except ImageError as error:
        return _CheckedImage(bad=str(error))
    return _CheckedImage(image.width, image.height, image.as_file(folder / f"{number:06d}"))

"""A data set of the platform, written as ultralytics reads it."""

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from common.datasets.dataset import Dataset, read_dataset
from common.datasets.yolo_writer import write_yolo, write_yolo_yaml
from common.env import Task
from common.errors import ImageError
from common.images.stream import work_ahead
from common.images.verify import verify
from common.inference import check_bad_images

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Checked:
    """An image that a framework can read from `file` as the platform sees it; `bad` says why not."""

    width: int = 0
    height: int = 0
    file: Path = Path()
    bad: str = ""


def write_data(task: Task, folder: Path, max_bad_images: float, progress: Callable[[float], None]) -> Path:
    """Convert the training and validation set.

    Every image is decoded once here: a broken one is left out now, rather than stopping the 40th epoch.

    Args:
        folder: scratch, receives images (links where possible), labels and data.yaml.
        progress: called with the share that is done.

    Returns:
        The path of data.yaml.

    Raises:
        DatasetError: an annotation is malformed.
        ImageError: too many images cannot be decoded.
    """
    indexes = {"train": task.env.input.training_index_file, "val": task.env.input.val_index_file}
    folders = {}
    for i, (split, index) in enumerate(indexes.items()):
        assert index is not None
        dataset = read_dataset(index, task.annotation_format, task.class_names)
        folders[split] = _write_split(
            dataset, split, folder, max_bad_images, partial(_advance, progress, i, len(indexes))
        )
    return write_yolo_yaml(folder, task.class_names, folders["train"], folders["val"])


def _advance(progress: Callable[[float], None], before: int, count: int, done: float) -> None:
    progress((before + done) / count)


def _write_split(
    dataset: Dataset, split: str, folder: Path, max_bad_images: float, progress: Callable[[float], None]
) -> Path:
    converted = folder / "converted" / split
    converted.mkdir(parents=True, exist_ok=True)
    workers = len(os.sched_getaffinity(0))
    checked = []
    function = partial(_check, converted)
    for result in work_ahead(enumerate(dataset.images), function, workers, depth=4 * workers):
        checked.append(result)
        progress(len(checked) / len(dataset.images))
    bad = [item.bad for item in checked if item.bad]
    for reason in bad:
        log.warning("left out of %s: %s", split, reason)
    check_bad_images(bad, max_bad_images, len(checked))
    good = [i for i, item in enumerate(checked) if not item.bad]
    sizes = np.array([(checked[i].width, checked[i].height) for i in good], np.int64).reshape(-1, 2)
    log.info("%s: %d images, %d objects", split, len(good), len(dataset.classes))
    if not len(dataset.classes):
        log.warning(
            "%s: no object at all; %s", split, "nothing can be learned" if split == "train" else "mAP will be 0"
        )
    return write_yolo(dataset.subset(good), sizes, [checked[i].file for i in good], folder, split)


def _check(folder: Path, numbered: tuple[int, Path]) -> Checked:
    number, path = numbered
    try:
        image = verify(path)
    except ImageError as error:
        return Checked(bad=str(error))
    return Checked(image.width, image.height, image.as_file(folder / f"{number:06d}"))

"""Write a data set for ultralytics: images/, labels/ and data.yaml."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import yaml

from common.arrays import Ints
from common.datasets.clip import clip_boxes
from common.datasets.dataset import Dataset
from common.datasets.folders import folder_of, link_images, write_if_changed
from common.files import write_text


def write_yolo(dataset: Dataset, sizes: Ints, image_files: Sequence[Path], folder: Path, split: str) -> Path:
    """Write one split of a data set with boxes; files of an earlier run are brought up to date.

    Args:
        dataset: the images and boxes.
        sizes: `(images, 2)` width and height in pixels.
        image_files: one file per image, whose suffix fits its content; it is linked, not copied.
        folder: root of the data set; holds `images/<split>` and `labels/<split>` afterwards.
        split: for example `train`.

    Returns:
        The folder of the images.
    """
    return write_labels(_label_texts(dataset, sizes), image_files, folder, split)


def write_labels(texts: Iterable[str], image_files: Sequence[Path], folder: Path, split: str) -> Path:
    """Write one split with labels of any kind.

    Files are numbered, because ultralytics finds labels by the image's name, and names of the platform may lack a
    suffix.

    Args:
        texts: content of the label file of each image.
        image_files, folder, split: see `write_yolo`.

    Returns:
        The folder of the images.
    """
    images, names = link_images(image_files, folder / "images" / split)
    files = [f"{Path(name).stem}.txt" for name in names]
    labels = folder_of(files, folder / "labels" / split)
    # ultralytics trusts its cache of labels as long as the files have the same sizes, which an edit may not change.
    labels.with_suffix(".cache").unlink(missing_ok=True)
    for file, text in zip(files, texts, strict=True):
        write_if_changed(labels / file, text.encode())
    return images


def write_yolo_yaml(folder: Path, class_names: Sequence[str], train: Path, val: Path) -> Path:
    """Write `data.yaml`, which ultralytics takes as `data`.

    Args:
        folder: root of the data set.
        class_names: names by class index.
        train: folder of the training images, as `write_yolo` returned it.
        val: folder of the validation images.

    Returns:
        The path of the file.
    """
    content = {
        "path": str(folder.absolute()),
        "train": str(train.absolute()),
        "val": str(val.absolute()),
        "names": dict(enumerate(class_names)),
    }
    file = folder / "data.yaml"
    write_text(file, yaml.safe_dump(content, allow_unicode=True, sort_keys=False), durable=False)
    return file


def _label_texts(dataset: Dataset, sizes: Ints) -> Iterator[str]:
    """Format the lines `class cx cy w h` of each image, in units of its width and height."""
    clipped = clip_boxes(dataset, sizes)
    low, high = np.split(clipped.boxes.astype(np.float64), 2, axis=1)
    normalised = np.hstack([(low + high) / 2, high - low]) / np.tile(sizes, 2)[clipped.image_index]
    for i in range(len(dataset.images)):
        rows = clipped.of_image(i)
        objects = zip(clipped.classes[rows].tolist(), normalised[rows].tolist(), strict=True)
        yield "".join(f"{index} {cx:.9f} {cy:.9f} {w:.9f} {h:.9f}\n" for index, (cx, cy, w, h) in objects)

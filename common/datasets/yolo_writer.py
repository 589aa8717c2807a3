"""A data set as ultralytics reads it: images/, labels/ and data.yaml."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from common.datasets.clip import clip_boxes
from common.datasets.dataset import Dataset
from common.files import write_text


def write_yolo(
    dataset: Dataset, sizes: NDArray[np.int64], image_files: Sequence[Path], folder: Path, split: str
) -> Path:
    """Write one split of a data set; what an earlier run wrote is brought up to date.

    The files are numbered: ultralytics finds labels by the image's name, and names of the platform may lack a suffix.

    Args:
        dataset: the images and boxes.
        sizes: `(images, 2)` width and height in pixels.
        image_files: an image file each whose suffix fits its content; it is linked, not copied.
        folder: root of the data set; holds `images/<split>` and `labels/<split>` afterwards.
        split: for example `train`.

    Returns:
        The folder of the images.
    """
    stems = [f"{i:06d}" for i in range(len(dataset.images))]
    links = [stem + file.suffix for stem, file in zip(stems, image_files, strict=True)]
    images = _folder_of(links, folder / "images" / split)
    labels = _folder_of([f"{stem}.txt" for stem in stems], folder / "labels" / split)
    # ultralytics trusts its cache of labels as long as the sizes of the files are the same.
    labels.with_suffix(".cache").unlink(missing_ok=True)
    for link, file in zip(links, image_files, strict=True):
        _link(images / link, file.absolute())
    for stem, text in zip(stems, _label_texts(dataset, sizes), strict=True):
        _write(labels / f"{stem}.txt", text.encode())
    return images


def write_yolo_yaml(folder: Path, class_names: Sequence[str], train: Path, val: Path) -> Path:
    """Write `data.yaml`, the file that ultralytics takes as `data`.

    Args:
        folder: root of the data set.
        class_names: the position is the class index.
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


def _folder_of(names: Iterable[str], folder: Path) -> Path:
    """Make the folder, without files of other names."""
    folder.mkdir(parents=True, exist_ok=True)
    for stale in {path.name for path in folder.iterdir()}.difference(names):
        (folder / stale).unlink()
    return folder


def _link(link: Path, target: Path) -> None:
    if not link.is_symlink() or link.readlink() != target:
        link.unlink(missing_ok=True)
        link.symlink_to(target)


def _write(file: Path, content: bytes) -> None:
    # Truncating thousands of files can wait for the disk; a restarted task finds them as they should be.
    if not file.is_file() or file.read_bytes() != content:
        file.write_bytes(content)


def _label_texts(dataset: Dataset, sizes: NDArray[np.int64]) -> Iterator[str]:
    """Lines of `class cx cy w h` for each image, in units of its width and height."""
    clipped = clip_boxes(dataset, sizes)
    low, high = np.split(clipped.boxes.astype(np.float64), 2, axis=1)
    normalised = np.hstack([(low + high) / 2, high - low]) / np.tile(sizes, 2)[clipped.image_index]
    for i in range(len(dataset.images)):
        rows = clipped.of_image(i)
        objects = zip(clipped.classes[rows].tolist(), normalised[rows].tolist(), strict=True)
        yield "".join(f"{index} {cx:.9f} {cy:.9f} {w:.9f} {h:.9f}\n" for index, (cx, cy, w, h) in objects)

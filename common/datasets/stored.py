"""Storage of the checked data set of a training, between the parent, which reads it, and the ranks."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np

from common.datasets.dataset import Dataset
from common.datasets.mask_dataset import MaskDataset
from common.datasets.splits import Labelled, Split, check_images
from common.files import write_bytes
from common.progress import Progress
from common.task.env import Task


class _Masks(msgspec.Struct, frozen=True):
    sizes: bytes
    masks: list[bytes]
    crowds: bytes


class _Stored(msgspec.Struct, frozen=True):
    """A split; columns are the bytes of their arrays, whose types and shapes are those of `Dataset`."""

    images: list[str]
    class_names: list[str]
    image_index: bytes
    classes: bytes
    boxes: bytes
    angles: bytes
    quality: bytes
    sizes: bytes
    files: list[str]
    masks: _Masks | None


def leave_splits(task: Task, labelled: Mapping[str, Labelled], max_bad_images: float, progress: Progress) -> None:
    """Decode all images, and leave the usable part of the data set in `task.data_file`. See `splits.check_images`."""
    splits = check_images(labelled, task.scratch / "images", max_bad_images, progress)
    write_splits(task.data_file, splits)


def write_splits(file: Path, splits: Mapping[str, Split[Labelled]]) -> None:
    """Write `train` and `val`."""
    write_bytes(file, msgspec.msgpack.encode({name: _packed(split) for name, split in splits.items()}))


Kind = TypeVar("Kind", Dataset, MaskDataset)


def read_splits(file: Path, kind: type[Kind]) -> dict[str, Split[Kind]]:
    """Read `train` and `val`.

    Args:
        file: file of `write_splits`.
        kind: expected type of the data set.

    Raises:
        TypeError: the data set is of the other type.
    """
    stored = msgspec.msgpack.decode(file.read_bytes(), type=dict[str, _Stored])
    return {name: _unpacked(split, kind) for name, split in stored.items()}


def _packed(split: Split[Labelled]) -> _Stored:
    masked = split.dataset if isinstance(split.dataset, MaskDataset) else None
    data = split.dataset.plain if isinstance(split.dataset, MaskDataset) else split.dataset
    return _Stored(
        images=list(map(str, data.images)),
        class_names=list(data.class_names),
        image_index=data.image_index.tobytes(),
        classes=data.classes.tobytes(),
        boxes=data.boxes.tobytes(),
        angles=data.angles.tobytes(),
        quality=data.quality.tobytes(),
        sizes=split.sizes.tobytes(),
        files=list(map(str, split.files)),
        masks=_Masks(masked.sizes.tobytes(), list(masked.masks), masked.crowds.tobytes()) if masked else None,
    )


def _unpacked(stored: _Stored, kind: type[Kind]) -> Split[Kind]:
    data = Dataset(
        images=tuple(map(Path, stored.images)),
        class_names=tuple(stored.class_names),
        image_index=np.frombuffer(stored.image_index, np.int64),
        classes=np.frombuffer(stored.classes, np.int64),
        boxes=np.frombuffer(stored.boxes, np.float32).reshape(-1, 4),
        angles=np.frombuffer(stored.angles, np.float32),
        quality=np.frombuffer(stored.quality, np.float32),
    )
    dataset: Labelled = data
    if stored.masks is not None:
        sizes = np.frombuffer(stored.masks.sizes, np.int64).reshape(-1, 2)
        crowds = np.frombuffer(stored.masks.crowds, np.bool_)
        dataset = MaskDataset(data, sizes, tuple(stored.masks.masks), crowds)
    if not isinstance(dataset, kind):
        raise TypeError(f"expected a {kind.__name__}, got a {type(dataset).__name__}")
    sizes = np.frombuffer(stored.sizes, np.int64).reshape(-1, 2)
    return Split(dataset, sizes, tuple(map(Path, stored.files)))

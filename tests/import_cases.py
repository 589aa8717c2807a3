"""Small data sets of other people's formats, written by hand, and what the engine reads of the tasks made of them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml
from numpy.typing import NDArray

from common.contract import AnnotationFormat, Verb
from common.datasets.dataset import Dataset, read_dataset
from common.datasets.index import read_training_index
from common.datasets.mask_dataset import read_mask_dataset
from workbench.images import REPOSITORY
from workbench.imports.tally import Tally
from workbench.imports.task import Order, import_data_set
from workbench.task import Task

WIDTH, HEIGHT = 40, 30
YOLO = REPOSITORY / "det-yolov5-tmi"
ROTATED = REPOSITORY / "rot-mmrotate-tmi"
SEGMENTATION = REPOSITORY / "seg-all-in-one-tmi"
TRAINING = (Verb.TRAINING,)
CATEGORIES = ((7, "Dog"), (3, "cat "))

Entry = dict[str, Any]
"""An object of a COCO document."""


def picture(file: Path, value: int, *, size: tuple[int, int] = (HEIGHT, WIDTH)) -> Path:
    """An image file of one gray value, so that every value has its own SHA-1. Returns its path."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(cv2.imencode(file.suffix, np.full((*size, 3), value, np.uint8))[1].tobytes())
    return file


def text(file: Path, *lines: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def coco_document(
    images: Sequence[tuple[str, int, int]],
    annotations: Sequence[Entry],
    categories: Sequence[tuple[int, str]] = CATEGORIES,
) -> Entry:
    """`(file name, width, height)` images with ids 1.., annotations as keys of `annotations`."""
    return {
        "images": [
            {"id": i, "file_name": name, "width": width, "height": height}
            for i, (name, width, height) in enumerate(images, 1)
        ],
        "categories": [{"id": number, "name": name} for number, name in categories],
        "annotations": [{"id": i, "iscrowd": 0} | each for i, each in enumerate(annotations, 1)],
    }


def coco_set(
    root: Path,
    annotations: Sequence[Entry],
    *,
    val: Sequence[Entry] = (),
    categories: Sequence[tuple[int, str]] = CATEGORIES,
) -> Path:
    """Two training images and one of validation, in the folders of COCO itself."""
    splits = {"train": (("a.png", 10), ("b.jpg", 20)), "val": (("c.bmp", 30),)}
    for split, files in splits.items():
        for name, value in files:
            picture(root / f"{split}2017" / name, value)
        images = [(name, WIDTH, HEIGHT) for name, _ in files]
        document = coco_document(images, annotations if split == "train" else val, categories)
        text(root / "annotations" / f"instances_{split}2017.json", json.dumps(document))
    text(root / "annotations" / "captions_train2017.json", json.dumps({"images": [], "annotations": []}))
    return root


def imported(
    form: str, source: Path, target: Path, image: Path = YOLO, verbs: tuple[Verb, ...] = TRAINING, **more: Any
) -> tuple[Task, list[tuple[str, int, str]]]:
    """The task that a data set becomes, and what got lost: rows of kind, count, reason."""
    tally = Tally()
    done = import_data_set(form, source, target, Order(image, verbs, **more), tally)
    return Task.load(done.env_file), [(kind.name, count, reason) for kind, count, reason, _ in tally.rows()]


def objects(task: Task, split: str = "training") -> dict[str, list[tuple[Any, ...]]]:
    """What the engine reads: per source file name, rows of class name, corners, and angle where there is one."""
    form = AnnotationFormat(str(task.config["export_format"]).partition(":")[0].removeprefix("seg-"))
    dataset = read_dataset(read_training_index(Path(task.input[f"{split}_index_file"])), form, task.class_names)
    return {name: _rows(dataset, i, task) for i, name in enumerate(sources(task, dataset.images))}


def _rows(dataset: Dataset, i: int, task: Task) -> list[tuple[Any, ...]]:
    rows = dataset.of_image(i)
    return [
        (task.class_names[label], *map(int, box), *([round(float(angle), 4)] if angle else []))
        for label, box, angle in zip(
            dataset.classes[rows].tolist(), dataset.boxes[rows].tolist(), dataset.angles[rows].tolist(), strict=True
        )
    ]


def masks(task: Task, split: str = "training") -> dict[str, list[tuple[str, NDArray[np.bool_]]]]:
    """The same of a segmentation task: class name and mask."""
    dataset = read_mask_dataset(
        read_training_index(Path(task.input[f"{split}_index_file"])), AnnotationFormat.COCO, task.class_names
    )
    names = sources(task, dataset.images)
    return {
        name: [(task.class_names[dataset.classes[row]], mask) for row, mask in dataset.decoded(i)]
        for i, name in enumerate(names)
    }


def sources(task: Task, images: Sequence[Path]) -> list[str]:
    """The names that image files of a task had in the data set."""
    lines = (task.env_file.parent.parent / "sources.tsv").read_text(encoding="utf-8").splitlines()
    known = dict(line.split("\t") for line in lines)
    return [Path(known[path.name]).name for path in images]


def yolo_set(
    root: Path,
    labels: Sequence[str],
    *,
    names: Sequence[str] = ("Dog", "cat"),
    splits: Sequence[str] = ("train", "val"),
) -> Path:
    """An image of each split, `a.png` of the first; `labels` are the lines of the first one."""
    for value, split in enumerate(splits, 1):
        picture(root / "images" / split / f"{'abc'[value - 1]}.png", value)
    text(root / "labels" / splits[0] / "a.txt", *labels)
    content = {"names": list(names), **{split: f"images/{split}" for split in splits}}
    text(root / "data.yaml", yaml.safe_dump(content))
    return root

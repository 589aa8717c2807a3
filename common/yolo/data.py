"""Writes a data set of the platform as ultralytics reads it."""

from pathlib import Path

from common.contract import ObjectType
from common.datasets.dataset import Dataset
from common.datasets.mask_dataset import MaskDataset
from common.datasets.stored import read_splits
from common.datasets.yolo_mask_writer import write_yolo_masks
from common.datasets.yolo_writer import write_yolo, write_yolo_yaml
from common.task.env import Task


def write_data(task: Task, folder: Path) -> Path:
    """Convert the training and validation set, with boxes or with masks as the project has them.

    Args:
        task: whose data set the parent has read.
        folder: scratch, receives images (links where possible), labels and data.yaml, which is written last.

    Returns:
        The path of data.yaml.
    """
    write = _write_boxes if task.object_type is ObjectType.DETECTION else _write_masks
    folders = write(task.data_file, folder)
    return write_yolo_yaml(folder, task.class_names, folders["train"], folders["val"])


def _write_boxes(data_file: Path, folder: Path) -> dict[str, Path]:
    splits = read_splits(data_file, Dataset)
    return {name: write_yolo(split.dataset, split.sizes, split.files, folder, name) for name, split in splits.items()}


def _write_masks(data_file: Path, folder: Path) -> dict[str, Path]:
    splits = read_splits(data_file, MaskDataset)
    return {name: write_yolo_masks(split.dataset, split.files, folder, name) for name, split in splits.items()}

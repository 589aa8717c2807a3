"""A data set of the platform, written as ultralytics reads it."""

from pathlib import Path

from common.datasets.splits import read_mask_splits, read_splits
from common.datasets.yolo_mask_writer import write_yolo_masks
from common.datasets.yolo_writer import write_yolo, write_yolo_yaml
from common.env import Task
from common.progress import Progress
from common.yolo.tasks import SEGMENT, TASKS


def write_data(task: Task, folder: Path, max_bad_images: float, progress: Progress) -> Path:
    """Convert the training and validation set, with boxes or with masks as the project has them.

    Args:
        folder: scratch, receives images (links where possible), labels and data.yaml.
        progress: called with the share that is done.

    Returns:
        The path of data.yaml.

    Raises:
        DatasetError: an annotation is malformed.
        ImageError: too many images cannot be decoded.
    """
    write = _write_masks if TASKS[task.object_type] == SEGMENT else _write_boxes
    folders = write(task, folder, max_bad_images, progress)
    return write_yolo_yaml(folder, task.class_names, folders["train"], folders["val"])


def _write_boxes(task: Task, folder: Path, max_bad_images: float, progress: Progress) -> dict[str, Path]:
    splits = read_splits(task, folder / "converted", max_bad_images, progress)
    return {name: write_yolo(split.dataset, split.sizes, split.files, folder, name) for name, split in splits.items()}


def _write_masks(task: Task, folder: Path, max_bad_images: float, progress: Progress) -> dict[str, Path]:
    splits = read_mask_splits(task, folder / "converted", max_bad_images, progress)
    return {name: write_yolo_masks(split.dataset, split.files, folder, name) for name, split in splits.items()}

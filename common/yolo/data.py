"""A data set of the platform, written as ultralytics reads it."""

from pathlib import Path

from common.datasets.splits import read_splits
from common.datasets.yolo_writer import write_yolo, write_yolo_yaml
from common.env import Task
from common.progress import Progress


def write_data(task: Task, folder: Path, max_bad_images: float, progress: Progress) -> Path:
    """Convert the training and validation set.

    Args:
        folder: scratch, receives images (links where possible), labels and data.yaml.
        progress: called with the share that is done.

    Returns:
        The path of data.yaml.

    Raises:
        DatasetError: an annotation is malformed.
        ImageError: too many images cannot be decoded.
    """
    splits = read_splits(task, folder / "converted", max_bad_images, progress)
    folders = {
        name: write_yolo(split.dataset, split.sizes, split.files, folder, name) for name, split in splits.items()
    }
    return write_yolo_yaml(folder, task.class_names, folders["train"], folders["val"])
